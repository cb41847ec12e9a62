// Requests and responses of Node with only the members that the adapters use.

import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import type { NodeHeader, NodeRequest, NodeResponse } from "../../src/web/nodeTypes.ts";

/** A request whose body is the given chunks, unless it has been used. */
export function fakeRequest(
  chunks: readonly (string | Uint8Array)[] = [],
  more: Partial<NodeRequest> & object = {},
): NodeRequest & Readable {
  const stream = Readable.from(
    chunks.map((chunk) => Buffer.from(chunk)),
    { objectMode: false },
  );
  return Object.assign(stream, { method: "POST", url: "/", headers: {}, ...more }) as unknown as NodeRequest &
    Readable;
}

/** A response that keeps what is sent. */
export class FakeResponse extends EventEmitter {
  statusCode = 200;
  statusMessage = "";
  isHeadSent = false;
  destroyed = false;
  ended = false;
  readonly sent: Uint8Array[] = [];
  readonly #headers: Record<string, NodeHeader> = Object.create(null);

  get headersSent(): boolean {
    return this.isHeadSent;
  }
  get writableEnded(): boolean {
    return this.ended;
  }
  get writableFinished(): boolean {
    return this.ended;
  }
  getHeader(name: string): NodeHeader | undefined {
    return this.#headers[name.toLowerCase()];
  }
  getHeaders(): Record<string, NodeHeader> {
    return this.#headers;
  }
  setHeader(name: string, value: NodeHeader): void {
    this.#headers[name.toLowerCase()] = value;
  }
  removeHeader(name: string): void {
    delete this.#headers[name.toLowerCase()];
  }
  writeHead(status: number): this {
    this.statusCode = status;
    this.isHeadSent = true;
    return this;
  }
  flushHeaders(): void {
    this.isHeadSent = true;
  }
  write(chunk: Uint8Array): boolean {
    this.isHeadSent = true;
    this.sent.push(chunk);
    return true;
  }
  end(chunk?: Uint8Array): this {
    if (chunk) this.write(chunk);
    this.isHeadSent = true;
    this.ended = true;
    this.emit("finish");
    return this;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
  get text(): string {
    return Buffer.concat(this.sent).toString();
  }
}

/** The response as the adapters take it. */
export const asNode = (response: FakeResponse): NodeResponse => response as unknown as NodeResponse;

// The adapter for requests of `node:http`.

import { concatBytes } from "../../http/body.ts";
import type { Refusal, ServiceRequest } from "../message.ts";
import type { RequestGuard } from "../requestGuard.ts";
import type { NodeRequest } from "./types.ts";

/** Reads a body. Resolves to `undefined` if it is too large, and to no bytes if something else has read it. */
function readBody(request: NodeRequest, maxBytes: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    // Neither "end" nor "close" is emitted again.
    if (request.readableEnded) return resolve(new Uint8Array(0));
    if (request.destroyed) return reject(new Error("the body ended early"));
    const chunks: Uint8Array[] = [];
    let length = 0;
    request.on("data", (chunk) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= maxBytes) return;
      // The response is decided, so the rest is discarded.
      request.removeAllListeners("data");
      request.resume();
      resolve(undefined);
    });
    request.on("end", () => resolve(concatBytes(chunks, length)));
    request.on("error", reject);
    // Without an "end" before it, the client has closed the connection.
    request.on("close", () => reject(new Error("the body ended early")));
  });
}

/**
 * A request of `node:http` as a ServiceRequest. A class, because an object literal would create its functions for each
 * request.
 */
export class NodeServiceRequest implements ServiceRequest {
  readonly method: string;
  readonly target: string;
  readonly #request: NodeRequest;
  readonly #guard: RequestGuard | undefined;

  constructor(request: NodeRequest, guard: RequestGuard | undefined) {
    const { method = "GET", url = "/" } = request;
    this.method = method;
    // Some proxies send an absolute URL.
    this.target = url.startsWith("/") ? url : url.replace(/^[a-z]+:\/\/[^/?#]*/i, "") || "/";
    this.#request = request;
    this.#guard = guard;
  }

  get address(): string | undefined {
    return this.#request.socket.remoteAddress;
  }

  get blocked(): Refusal | undefined {
    return this.#guard?.(this);
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  body(maxBytes: number): Promise<Uint8Array | undefined> {
    return readBody(this.#request, maxBytes);
  }
}

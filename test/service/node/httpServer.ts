// A service on Node's own server, raw connections to it, and a store that answers on command.

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Starts a plain server with a request listener, until the end of the test. Resolves to its port. */
export async function startHttpServer(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Opens a connection, until the end of the test. Nothing reads it yet. */
export async function openConnection(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Reads a connection until its end. */
export async function readAll(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += chunk.toString("latin1");
  return text;
}

/** Returns GET requests, to be sent in one piece. */
export function getRequests(...paths: readonly string[]): string {
  return paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`).join("");
}

/** A Redis for counters that holds each call until it is released. */
export class GatedRedis {
  readonly timeoutMs = 60_000;
  /** The most calls that were held at the same time. */
  maxHeld = 0;
  readonly #held: (() => void)[] = [];
  #onHeld = () => {};
  #value = 0;

  async eval(): Promise<unknown> {
    await new Promise<void>((release) => {
      this.#held.push(release);
      this.maxHeld = Math.max(this.maxHeld, this.#held.length);
      this.#onHeld();
    });
    return `from ${this.#value++} to ${this.#value}`;
  }

  /** Resolves when this many calls are held. */
  async untilHeld(count: number): Promise<void> {
    while (this.#held.length < count) {
      await new Promise<void>((resolve) => {
        this.#onHeld = resolve;
      });
    }
  }

  /** Releases the oldest call. */
  release(): void {
    this.#held.shift()?.();
  }
}

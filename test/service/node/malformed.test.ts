// Answers to bytes that are no request: their text, and the end of the connection.

import { EventEmitter } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { createService, listen } from "../../../src/service/index.ts";
import { answerMalformed } from "../../../src/service/node/malformed.ts";

/** A stand-in for a socket that records its calls. */
class FakeSocket extends EventEmitter {
  readonly done: string[] = [];
  writable = true;
  bytesRead = 0;
  end(text: string): void {
    this.done.push(text.slice(0, 12));
  }
  destroy(): void {
    this.done.push("destroy");
    this.emit("close");
  }
  destroySoon(): void {}
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a connection", () => {
  test("is destroyed 2 s after its answer, if the client has not closed it", () => {
    vi.useFakeTimers();
    const [waits, closes] = [new FakeSocket(), new FakeSocket()];
    expect(answerMalformed({ code: "ERR_HTTP_REQUEST_TIMEOUT" }, waits)).toBe(408);
    expect(answerMalformed({ code: "HPE_HEADER_OVERFLOW" }, closes)).toBe(431);
    closes.emit("close");
    vi.advanceTimersByTime(1999);
    expect([waits.done, closes.done]).toEqual([["HTTP/1.1 408"], ["HTTP/1.1 431"]]);
    vi.advanceTimersByTime(1);
    expect([waits.done, closes.done]).toEqual([["HTTP/1.1 408", "destroy"], ["HTTP/1.1 431"]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each(["ECONNRESET", "ERR_TLS_HANDSHAKE_TIMEOUT"])(
    "is destroyed without an answer after %s",
    (code) => {
      const socket = new FakeSocket();
      expect(answerMalformed({ code }, socket)).toBeUndefined();
      expect(socket.done).toEqual(["destroy"]);
    },
  );

  test("of a client that leaves its side open ends too", async () => {
    const service = createService({ backend: memory() });
    const server = await listen(service, { port: 0 });
    const client = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
    client.on("error", () => {});
    client.write("no request\r\n\r\n");
    client.resume();
    await new Promise<void>((resolve) => client.once("end", () => resolve()));
    // A write to a connection that the server has closed resets it.
    const timer = setInterval(() => client.write("more"), 50);
    await new Promise<void>((resolve) => client.once("close", () => resolve()));
    clearInterval(timer);
    await server.close();
    await service.stop();
  });
});

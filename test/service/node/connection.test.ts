// One request of a connection at a time: the next is handled when the response before it has left.

import { EventEmitter } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { createService, listen, nodeListener } from "../../../src/service/index.ts";
import { Connection, serializePerConnection } from "../../../src/service/node/connection.ts";
import { GatedRedis, openConnection, readAll, startHttpServer } from "./httpServer.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A stand-in for a socket that records whether it is read. */
class FakeSocket extends EventEmitter {
  isPaused = false;
  destroyed = false;
  writable = true;
  bytesRead = 0;
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
    this.emit("resume");
  }
}

/** A stand-in for a response that is sent when it emits "close". */
class FakeResponse extends EventEmitter {
  writeHead(): void {}
  end(): void {}
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A connection, the numbers of its handled requests, and functions that receive requests and send the current response. */
function createConnection(onIdle?: () => void) {
  const socket = new FakeSocket();
  const handled: number[] = [];
  const responses: FakeResponse[] = [];
  const connection = new Connection(
    socket,
    (request) => void handled.push(Number(request.url?.slice(1))),
    onIdle,
  );
  let nextNumber = 0;
  const receive = (count: number) => {
    for (let index = 0; index < count; index++) {
      const response = new FakeResponse();
      responses.push(response);
      connection.enqueue({ url: `/${nextNumber++}`, headers: {}, socket } as never, response as never);
    }
  };
  const sendResponse = async () => {
    responses.shift()?.emit("close");
    await nextTurn();
  };
  return { socket, handled, receive, sendResponse };
}

describe("requests of one connection", () => {
  test("are handled one after another, in order, each in its own turn of the event loop", async () => {
    const { handled, receive, sendResponse } = createConnection();
    receive(5);
    await nextTurn();
    expect(handled).toEqual([0]);
    for (let at = 1; at < 5; at++) {
      await sendResponse();
      expect(handled).toEqual(Array.from({ length: at + 1 }, (_, number) => number));
    }
    await sendResponse();
    receive(1);
    expect(handled).toHaveLength(6);
  });

  test("are not read while 16 wait, even if Node resumes the socket, and are read again when fewer wait", async () => {
    const { socket, receive, sendResponse, handled } = createConnection();
    receive(16);
    expect(socket.isPaused).toBe(false);
    receive(1);
    expect(socket.isPaused).toBe(true);
    socket.resume();
    expect(socket.isPaused).toBe(true);
    await sendResponse();
    expect(socket.isPaused).toBe(false);
    receive(400);
    for (let at = 0; at < 400; at++) {
      expect(socket.isPaused).toBe(true);
      await sendResponse();
    }
    expect(socket.isPaused).toBe(false);
    while (handled.length < 417) await sendResponse();
    expect(handled).toEqual(Array.from({ length: 417 }, (_, number) => number));
  });

  test("are dropped when the client is gone, or when the last response of the connection is sent", async () => {
    for (const state of [{ destroyed: true }, { writable: false }]) {
      const { socket, receive, sendResponse, handled } = createConnection();
      receive(10);
      Object.assign(socket, state);
      await sendResponse();
      await sendResponse();
      expect(handled).toEqual([0]);
    }
  });

  test("make the connection idle when all are answered", async () => {
    const onIdle = vi.fn();
    const { receive, sendResponse } = createConnection(onIdle);
    receive(2);
    await sendResponse();
    expect(onIdle).not.toHaveBeenCalled();
    await sendResponse();
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  test("are handled at once on stand-ins for a socket and a response, as frameworks use in tests", () => {
    const handled = vi.fn();
    const listener = serializePerConnection(handled);
    const response = { writeHead: () => {}, end: () => {} };
    listener({ headers: {}, socket: {}, on: () => {} } as never, response);
    listener({ headers: {}, socket: {}, on: () => {} } as never, response);
    expect(handled).toHaveBeenCalledTimes(2);
  });
});

describe.each(["listen", "nodeListener"])("%s", (adapter) => {
  test("handles one of a hundred requests that a connection sends at once, and other connections meanwhile", async () => {
    const backend = new GatedRedis();
    const service = createService({ backend, machineId: 1, setup: false });
    let port: number;
    if (adapter === "listen") {
      const server = await listen(service, { port: 0 });
      onTestFinished(() => server.close());
      port = server.port;
    } else {
      port = await startHttpServer(nodeListener(service));
    }
    const socket = await openConnection(port);
    socket.write("GET /generate_counter_id HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100));
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
    });
    for (let count = 1; count <= 100; count++) {
      await backend.untilHeld(1);
      // Time for a second request to begin, if one did.
      await nextTurn();
      await nextTurn();
      if (count === 50) expect((await fetch(`http://127.0.0.1:${port}/generate_uuid`)).status).toBe(200);
      backend.release();
    }
    await vi.waitFor(() => expect(text).toContain('{"id":"100"}'), 60_000);
    expect([...text.matchAll(/"id":"(\d+)"/g)].map(([, id]) => Number(id))).toEqual(
      Array.from({ length: 100 }, (_, number) => number + 1),
    );
    expect(backend.maxHeld).toBe(1);
    socket.destroy();
  });
});

test("keepAliveTimeoutMs is 65 s by default", async () => {
  const service = createService({ backend: memory() });
  for (const [options, header] of [
    [{}, "timeout=65"],
    [{ keepAliveTimeoutMs: 7000 }, "timeout=7"],
  ] as const) {
    const server = await listen(service, { port: 0, ...options });
    const response = await fetch(`${server.url}/generate_uuid`);
    expect(response.headers.get("keep-alive")).toBe(header);
    await response.text();
    await server.close();
  }
});

test("headers that do not arrive within headersTimeoutMs are answered with 408", async () => {
  const service = createService({ backend: memory() });
  const server = await listen(service, { port: 0, headersTimeoutMs: 100 });
  const socket = await openConnection(server.port);
  socket.write("GET /generate_uuid HTTP/1.1\r\nhost: local");
  expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 408 /);
  await server.close();
});

test("connections above maxConnections are closed", async () => {
  const service = createService({ backend: memory() });
  const server = await listen(service, { port: 0, maxConnections: 1 });
  const first = await openConnection(server.port);
  first.write("GET /generate_uuid HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await new Promise<void>((resolve) => first.once("data", () => resolve()));
  const second = connect(server.port, "127.0.0.1");
  second.on("error", () => {});
  await new Promise<void>((resolve) => second.once("close", () => resolve()));
  first.destroy();
  await server.close();
});

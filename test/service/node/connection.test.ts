// One request of a connection at a time: the next is handled when the answer before it has left.

import { EventEmitter } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { createService, listen, nodeListener } from "../../../src/service/index.ts";
import { Connection, serializePerConnection } from "../../../src/service/node/connection.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A socket that says whether it is read. */
class Socket extends EventEmitter {
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

/** A response that is sent when it is told to be. */
class Response extends EventEmitter {
  writeHead(): void {}
  end(): void {}
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A connection, the numbers of the requests that are handled, and a way to send the answer under way. */
function connected(onIdle?: () => void) {
  const socket = new Socket();
  const handled: number[] = [];
  const responses: Response[] = [];
  const connection = new Connection(
    socket,
    (request) => void handled.push(Number(request.url?.slice(1))),
    onIdle,
  );
  let numbers = 0;
  const ask = (count: number) => {
    for (let at = 0; at < count; at++) {
      const response = new Response();
      responses.push(response);
      connection.handle({ url: `/${numbers++}`, headers: {}, socket } as never, response as never);
    }
  };
  const sent = async () => {
    responses.shift()?.emit("close");
    await turn();
  };
  return { socket, handled, ask, sent };
}

describe("requests of one connection", () => {
  test("are handled one after another, in order, each in a turn of its own", async () => {
    const { handled, ask, sent } = connected();
    ask(5);
    await turn();
    expect(handled).toEqual([0]);
    for (let at = 1; at < 5; at++) {
      await sent();
      expect(handled).toEqual(Array.from({ length: at + 1 }, (_, number) => number));
    }
    await sent();
    ask(1);
    expect(handled).toHaveLength(6);
  });

  test("are not read on while 16 wait, also when Node would, and are when fewer do", async () => {
    const { socket, ask, sent, handled } = connected();
    ask(16);
    expect(socket.isPaused).toBe(false);
    ask(1);
    expect(socket.isPaused).toBe(true);
    socket.resume();
    expect(socket.isPaused).toBe(true);
    await sent();
    expect(socket.isPaused).toBe(false);
    ask(400);
    for (let at = 0; at < 400; at++) {
      expect(socket.isPaused).toBe(true);
      await sent();
    }
    expect(socket.isPaused).toBe(false);
    while (handled.length < 417) await sent();
    expect(handled).toEqual(Array.from({ length: 417 }, (_, number) => number));
  });

  test("of a client that has gone are not handled, nor those behind a last answer", async () => {
    for (const gone of [{ destroyed: true }, { writable: false }]) {
      const { socket, ask, sent, handled } = connected();
      ask(10);
      Object.assign(socket, gone);
      await sent();
      await sent();
      expect(handled).toEqual([0]);
    }
  });

  test("that are all answered leave it idle", async () => {
    const onIdle = vi.fn();
    const { ask, sent } = connected(onIdle);
    ask(2);
    await sent();
    expect(onIdle).not.toHaveBeenCalled();
    await sent();
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  test("on stand-ins for a socket and a response, as tests of frameworks have, are handled at once", () => {
    const handled = vi.fn();
    const listener = serializePerConnection(handled);
    const response = { writeHead: () => {}, end: () => {} };
    listener({ headers: {}, socket: {}, on: () => {} } as never, response);
    listener({ headers: {}, socket: {}, on: () => {} } as never, response);
    expect(handled).toHaveBeenCalledTimes(2);
  });
});

/** A counter that holds each request up until it is told to let one go, and knows how many it holds. */
function gate() {
  const waiting: (() => void)[] = [];
  let at = 0;
  let most = 0;
  const backend = {
    async eval(): Promise<unknown> {
      await new Promise<void>((go) => {
        waiting.push(go);
        most = Math.max(most, waiting.length);
      });
      return `from ${at++} to ${at}`;
    },
  };
  return { backend, waiting, most: () => most };
}

describe.each(["listen", "nodeListener"])("by %s", (way) => {
  test("a connection that asks for a hundred at once has one under way", async () => {
    const { backend, waiting, most } = gate();
    const service = createService({ backend, machineId: 1, setup: false });
    let port: number;
    if (way === "listen") {
      const server = await listen(service, { port: 0 });
      onTestFinished(() => server.close());
      port = server.port;
    } else {
      const server = createServer(nodeListener(service));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void server.close());
      port = (server.address() as { port: number }).port;
    }
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /generate_counter_id HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100));
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
    });
    for (let at = 1; at <= 100; at++) {
      await vi.waitFor(() => expect(waiting).toHaveLength(1), 5000);
      // Others are answered meanwhile.
      if (at === 50) expect((await fetch(`http://127.0.0.1:${port}/generate_uuid`)).status).toBe(200);
      waiting.shift()?.();
    }
    await vi.waitFor(() => expect(text).toContain('{"id":"100"}'), 5000);
    expect([...text.matchAll(/"id":"(\d+)"/g)].map(([, id]) => Number(id))).toEqual(
      Array.from({ length: 100 }, (_, number) => number + 1),
    );
    expect(most()).toBe(1);
    socket.destroy();
  });
});

test("a connection is kept for longer than a balancer keeps it idle, or for as long as one says", async () => {
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

test("headers that do not come in time are answered with 408", async () => {
  const service = createService({ backend: memory() });
  const server = await listen(service, { port: 0, headersTimeoutMs: 100 });
  const socket = connect(server.port, "127.0.0.1");
  socket.write("GET /generate_uuid HTTP/1.1\r\nhost: local");
  let text = "";
  for await (const data of socket) text += data.toString("latin1");
  expect(text).toMatch(/^HTTP\/1\.1 408 /);
  await server.close();
});

test("connections beyond the most that there may be are closed", async () => {
  const service = createService({ backend: memory() });
  const server = await listen(service, { port: 0, maxConnections: 1 });
  const first = connect(server.port, "127.0.0.1");
  await new Promise<void>((resolve) => first.once("connect", resolve));
  first.write("GET /generate_uuid HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await new Promise<void>((resolve) => first.once("data", () => resolve()));
  const second = connect(server.port, "127.0.0.1");
  second.on("error", () => {});
  await new Promise<void>((resolve) => second.once("close", () => resolve()));
  first.destroy();
  await server.close();
});

// The close of a server: requests in flight are answered, and clients that stall are cut off; and clients of an open server that do
// not read. The checks are stepped.

import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import {
  type CloseOptions,
  createService,
  type Listening,
  listen,
  type Service,
} from "../../../src/service/index.ts";
import { Connections } from "../../../src/service/node/connections.ts";
import type { NodeRequest } from "../../../src/service/node/types.ts";
import { GatedRedis, getRequests, openConnection, readAll } from "./httpServer.ts";

let serverSockets: Socket[];

beforeEach(() => {
  serverSockets = [];
  const { add } = Connections.prototype;
  vi.spyOn(Connections.prototype, "add").mockImplementation(function (this: Connections, socket, handler) {
    serverSockets.push(socket as unknown as Socket);
    add.call(this, socket, handler);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Closes a server with fake intervals. The first check is made at once. */
function closeStepped(listening: Listening, options?: CloseOptions) {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const closed = listening.close(options);
  return {
    closed,
    /** Lets the interval of the checks pass: 3 s each. */
    check: async (count = 1) => {
      await vi.advanceTimersByTimeAsync(3000 * count);
    },
  };
}

/** Opens a connection and sends bytes. Resolves to both ends of it when the server has read them. */
async function sendBytes(listening: Listening, bytes: string) {
  const client = await openConnection(listening.port);
  client.write(bytes);
  const find = () => serverSockets.find(({ remotePort }) => remotePort === client.localPort);
  await vi.waitFor(() => expect(find()?.bytesRead).toBe(Buffer.byteLength(bytes)), {
    timeout: 20_000,
    interval: 5,
  });
  return { client, server: find() as Socket };
}

/** The same with requests whose responses fill all buffers, because the client does not read. */
async function fillConnection(listening: Listening, more = "") {
  const requests = getRequests(...Array.from({ length: 192 }, () => "/generate_random_string/4096?count=16"));
  const client = await openConnection(listening.port);
  client.write(requests + more);
  const find = () => serverSockets.find(({ remotePort }) => remotePort === client.localPort);
  await vi.waitFor(() => expect(find()?.writableNeedDrain).toBe(true), { timeout: 20_000, interval: 5 });
  return { client, server: find() as Socket };
}

const HALF_BODY =
  "POST /v1/idgenerator/farmer/id HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nhalf";

async function serve(service: Service): Promise<Listening> {
  return listen(service, { port: 0 });
}

describe("close()", () => {
  test("cuts off a client that has sent nothing, at once", async () => {
    const service = createService({ backend: memory() });
    const listening = await serve(service);
    await sendBytes(listening, "");
    const { closed } = closeStepped(listening);
    await closed;
  });

  test("keeps idle connections open for idleMs, and closes them with the response to one more request", async () => {
    const service = createService({ backend: memory() });
    const listening = await serve(service);
    const idle = await sendBytes(listening, "");
    const active = await sendBytes(listening, getRequests("/generate_uuid"));
    const { closed, check } = closeStepped(listening, { idleMs: 6001 });
    await check(2);
    expect([idle.server.destroyed, active.server.destroyed]).toEqual([false, false]);
    active.client.write(getRequests("/generate_uuid"));
    const [first, last] = (await readAll(active.client)).split("HTTP/1.1 200 OK").slice(1) as [
      string,
      string,
    ];
    expect([/connection: close/i.test(first), /connection: close/i.test(last)]).toEqual([false, true]);
    await check();
    await closed;
    await service.stop();
  });

  test.each([
    ["half a head", "GET / HTTP/1.1\r\nhost:"],
    ["half a body", HALF_BODY],
  ])("cuts off a client that has sent %s 3 s after idleMs", async (_, bytes) => {
    const service = createService({ backend: memory(), types: { farmer: { length: 10 } } });
    await service.start();
    const listening = await serve(service);
    const { server } = await sendBytes(listening, bytes);
    const { closed, check } = closeStepped(listening, { idleMs: 3000 });
    await check();
    expect(server.destroyed).toBe(false);
    await check();
    expect(server.destroyed).toBe(true);
    await closed;
    await service.stop();
  });

  test.each([
    [{ idleMs: -1 }, "idleMs"],
    [{ idleMs: 2 ** 31 }, "idleMs"],
    [{ idleMs: "5" as never }, "idleMs"],
    [{ idle: 5 } as never, "option"],
  ])("refuses %j, and the server still answers", async (options, field) => {
    const service = createService({ backend: memory() });
    const listening = await serve(service);
    await expect(listening.close(options)).rejects.toMatchObject({ code: "ERR_ARGUMENT", field });
    expect((await fetch(`${listening.url}/generate_uuid`)).status).toBe(200);
    await listening.close();
    await service.stop();
  });

  test.each([
    ["half a head", "GET / HTTP/1.1\r\nhost:"],
    ["half a body", HALF_BODY],
  ])("cuts off a client that has sent %s, after 3 s", async (_, bytes) => {
    const service = createService({ backend: memory(), types: { farmer: { length: 10 } } });
    await service.start();
    const listening = await serve(service);
    const { server } = await sendBytes(listening, bytes);
    const { closed, check } = closeStepped(listening);
    expect(server.destroyed).toBe(false);
    await check();
    expect(server.destroyed).toBe(true);
    await closed;
    await service.stop();
  });

  test("waits for all responses to the requests that a connection has sent at once", async () => {
    const backend = new GatedRedis();
    const service = createService({ backend, machineId: 1, setup: false });
    const listening = await serve(service);
    const { client } = await sendBytes(listening, getRequests("/generate_counter_id", "/generate_uuid"));
    await backend.untilHeld(1);
    const { closed, check } = closeStepped(listening);
    await check(3);
    backend.release();
    const responses = await readAll(client);
    await closed;
    expect(responses.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(responses).toContain('{"id":"1"}');
    await service.stop();
  });

  test("waits until a slow reader has its responses", async () => {
    const service = createService({ backend: memory() });
    const listening = await serve(service);
    const { client } = await fillConnection(listening);
    const { closed, check } = closeStepped(listening);
    await check();
    const responses = await readAll(client);
    await closed;
    expect(responses.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(192);
    expect(responses.length).toBeGreaterThan(192 * 4096 * 16);
    await service.stop();
  });

  test("cuts off clients that do not read their responses after 15 s, also within another request", async () => {
    const service = createService({ backend: memory(), types: { farmer: { length: 10 } } });
    const listening = await serve(service);
    const first = await fillConnection(listening, getRequests("/generate_counter_id"));
    first.client.write("GET /x HT");
    // In one piece, because Node does not parse more while so much is unread.
    const second = await fillConnection(listening, HALF_BODY);
    const { closed, check } = closeStepped(listening);
    await check(4);
    expect([first.server.destroyed, second.server.destroyed]).toEqual([false, false]);
    await check();
    expect([first.server.destroyed, second.server.destroyed]).toEqual([true, true]);
    await closed;
    await service.stop();
  });

  test("waits for requests in flight, and accepts no more", async () => {
    const backend = new GatedRedis();
    const service = createService({ backend, machineId: 1, setup: false });
    const listening = await serve(service);
    const responses = Array.from({ length: 10 }, () => fetch(`${listening.url}/generate_counter_id`));
    await backend.untilHeld(10);
    const closed = listening.close();
    for (let count = 0; count < 10; count++) backend.release();
    for (const response of await Promise.all(responses)) expect(await response.json()).toHaveProperty("id");
    await closed;
    await service.stop();
    await expect(fetch(`${listening.url}/generate_uuid`)).rejects.toThrow();
  });

  test("closes a connection that is kept alive when its response has left", async () => {
    const backend = new GatedRedis();
    const service = createService({ backend, machineId: 1, setup: false });
    const listening = await serve(service);
    const { client } = await sendBytes(listening, getRequests("/generate_counter_id"));
    await backend.untilHeld(1);
    const { closed } = closeStepped(listening);
    backend.release();
    expect(await readAll(client)).toMatch(/\r\nconnection: close\r\n/i);
    await closed;
    await service.stop();
  });
});

describe("an open server", () => {
  /** A stand-in for a socket. */
  class FakeSocket extends EventEmitter {
    destroyed = false;
    writable = true;
    bytesRead = 0;
    pause(): void {}
    destroy(): void {
      this.destroyed = true;
      this.emit("close");
    }
    destroySoon(): void {}
    end(): void {}
  }

  /** Adds a connection that has received requests, and whose first response the handler has ended. */
  function receive(connections: Connections, count: number) {
    const socket = new FakeSocket();
    connections.add(socket, () => {});
    const responses = Array.from({ length: count }, () =>
      Object.assign(new EventEmitter(), { writableEnded: true, writeHead: () => {}, end: () => {} }),
    );
    for (const response of responses) connections.enqueue({ socket } as unknown as NodeRequest, response);
    return { socket, responses };
  }

  test("cuts off clients that have not read a response for a minute, and no others", async () => {
    vi.useFakeTimers();
    const connections = new Connections();
    const unread = receive(connections, 1);
    const slow = receive(connections, 100);
    const working = receive(connections, 1);
    (working.responses[0] as { writableEnded: boolean }).writableEnded = false;
    for (let check = 1; check <= 4; check++) {
      await vi.advanceTimersByTimeAsync(15_000);
      slow.responses[check - 1]?.emit("close");
      expect(unread.socket.destroyed).toBe(false);
    }
    await vi.advanceTimersByTimeAsync(15_000);
    expect([unread, slow, working].map(({ socket }) => socket.destroyed)).toEqual([true, false, false]);
    slow.socket.destroy();
    working.socket.destroy();
    // The last check finds no connection, and there is no next one.
    await vi.advanceTimersByTimeAsync(15_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("closes connections with many waiting requests, if there are too many on all", () => {
    vi.useFakeTimers();
    const connections = new Connections();
    const few = receive(connections, 17);
    const many = Array.from({ length: 20 }, () => receive(connections, 1000));
    const open = many.filter(({ socket }) => !socket.destroyed);
    expect(open.length).toBe(9);
    expect(few.socket.destroyed).toBe(false);
    // Those of a closed connection count no more.
    for (const { socket } of open) socket.destroy();
    expect(receive(connections, 9000).socket.destroyed).toBe(false);
  });
});

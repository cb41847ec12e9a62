// The log: its entries, request IDs, and bytes that could not be parsed as a request.

import { connect } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { createService, listen, type ServiceLogEntry } from "../../src/service/index.ts";
import { openService } from "./openService.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Opens a service that records its log. */
async function openWithLog(options: Parameters<typeof openService>[0] = {}) {
  const entries: ServiceLogEntry[] = [];
  const { send, service } = await openService({ log: (entry) => void entries.push(entry), ...options });
  const last = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
    const response = await send(path, { method, headers }, { address: "10.0.0.1" });
    return { response, entry: entries.at(-1) as ServiceLogEntry };
  };
  return { last, service, entries };
}

describe("the log", () => {
  test("has an entry for each request", async () => {
    const entries: ServiceLogEntry[] = [];
    const { service } = await openService({ log: (entry) => void entries.push(entry) });
    entries.splice(0);
    const send = (path: string) => service(new Request(`http://localhost${path}`), { address: "10.0.0.1" });
    await send("/decode/1");
    await send("/decode/x");
    await send("/nowhere?secret=1");
    const common = {
      time: expect.stringMatching(/Z$/),
      method: "GET",
      durationMs: expect.any(Number),
      address: "10.0.0.1",
      requestId: expect.stringMatching(/^[\w-]{21}$/),
    };
    const found = { ...common, route: "/decode/{id}", client: "10.0.0.1" };
    expect(entries).toEqual([
      { ...found, level: "info", path: "/decode/1", status: 200 },
      { ...found, level: "warn", path: "/decode/x", status: 400, code: "ERR_INVALID_ID" },
      {
        ...common,
        level: "warn",
        route: "",
        path: "/nowhere",
        status: 404,
        client: "",
        code: "ERR_NOT_FOUND",
      },
    ]);
  });

  test("may throw without an effect on the response", async () => {
    const { send } = await openService({
      log: () => {
        throw new Error("disk full");
      },
    });
    expect((await send("/generate_uuid")).status).toBe(200);
  });
});

describe("an entry", () => {
  const long = `/decode/${"1".repeat(9000)}`;
  test.each<[string, string, number, string, object]>([
    ["GET", "/generate_uuid?count=2", 200, "info", { route: "/generate_uuid", path: "/generate_uuid" }],
    ["GET", "/decode/x", 400, "warn", { route: "/decode/{id}", path: "/decode/x" }],
    ["GET", "/nowhere?secret=1", 404, "warn", { route: "", path: "/nowhere" }],
    ["PUT", "/generate_uuid", 405, "warn", { route: "/generate_uuid", path: "/generate_uuid" }],
    ["GET", long, 414, "warn", { route: "", path: long.slice(0, 256) }],
  ])(
    "of %s %s has the status %d, its level, path and address",
    async (method, path, status, level, facts) => {
      const { last } = await openWithLog();
      const { entry } = await last(path, { "user-agent": "curl/8" }, method);
      expect(entry).toMatchObject({
        method,
        status,
        level,
        address: "10.0.0.1",
        userAgent: "curl/8",
        ...facts,
      });
      expect(String(entry.durationMs)).toMatch(/^\d+(\.\d{1,3})?$/);
      expect(JSON.stringify(entry)).not.toContain("secret");
    },
  );

  test("of a request without an API key has its address and path too", async () => {
    const { last } = await openWithLog({ apiKeys: ["k".repeat(16)] });
    const { entry } = await last("/decode/1");
    expect(entry).toMatchObject({ status: 401, level: "warn", address: "10.0.0.1", path: "/decode/1" });
  });

  test("of a failed store has the level error, and the cause", async () => {
    const backend = {
      change: () => {
        throw new Error("down");
      },
    };
    const { last } = await openWithLog({ backend });
    const { entry } = await last("/generate_counter_id");
    expect(entry).toMatchObject({ status: 503, level: "error", code: "ERR_BACKEND" });
    expect(entry.error).toMatchObject({ cause: { message: "down" } });
  });

  test("has the code of the error, also if the response says ERR_INTERNAL", async () => {
    const backend = memory();
    const first = await openWithLog({ backend, types: { farmer: { length: 10 } } });
    await first.last("/v1/idgenerator/farmer/id", {}, "POST");
    await first.service.stop();
    const { last } = await openWithLog({ backend, types: { farmer: { length: 12 } } });
    const { response, entry } = await last("/generate_counter_id");
    expect(await response.json()).toMatchObject({ code: "ERR_INTERNAL" });
    expect(entry).toMatchObject({ status: 500, level: "error", code: "ERR_NAMESPACE" });
    expect(entry.error).toMatchObject({ code: "ERR_NAMESPACE" });
  });

  test("has the address that the proxy saw", async () => {
    const { last } = await openWithLog({ proxies: 1 });
    const { entry } = await last("/decode/1", { "x-forwarded-for": "192.0.2.7" });
    expect(entry.address).toBe("192.0.2.7");
  });

  test.each<[string, string | undefined]>([
    [TRACE, TRACE],
    [`${TRACE}-and-more`, TRACE],
    [TRACE.toUpperCase(), undefined],
    ["nonsense", undefined],
  ])("has the trace of the header traceparent %s", async (traceparent, expected) => {
    const { last } = await openWithLog();
    expect((await last("/decode/1", { traceparent })).entry.traceparent).toBe(expected);
  });

  test("has at most 256 characters of the user agent", async () => {
    const { last } = await openWithLog();
    const { entry } = await last("/decode/1", { "user-agent": "x".repeat(5000) });
    expect(entry.userAgent).toBe("x".repeat(256));
  });
});

describe("a request ID", () => {
  test("of the client is logged and returned, also with an error", async () => {
    const { last } = await openWithLog();
    for (const path of ["/generate_uuid", "/nowhere", "/health"]) {
      const { response, entry } = await last(path, { "x-request-id": "req-7/a=b" });
      expect([response.headers.get("x-request-id"), entry.requestId]).toEqual(["req-7/a=b", "req-7/a=b"]);
    }
  });

  test.each(["", "with a space", "é", "x".repeat(129)])("of %j is replaced by a new one", async (given) => {
    const { last } = await openWithLog();
    const { response, entry } = await last("/generate_uuid", { "x-request-id": given });
    expect(entry.requestId).toMatch(/^[\w-]{21}$/);
    expect(response.headers.get("x-request-id")).toBe(entry.requestId);
  });

  test("is new for each logged request, and missing without a log", async () => {
    const { last } = await openWithLog();
    const ids = [await last("/decode/1"), await last("/decode/1")].map(({ entry }) => entry.requestId);
    expect(new Set(ids).size).toBe(2);
    const { send } = await openService();
    expect((await send("/decode/1")).headers.get("x-request-id")).toBeNull();
    const headers = { "x-request-id": "mine" };
    expect((await send("/decode/1", { headers })).headers.get("x-request-id")).toBe("mine");
  });
});

describe("bytes that are not a request", () => {
  test.each<[string, string, number]>([
    ["not HTTP", "hello\r\n\r\n", 400],
    ["too large headers", `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(40_000)}\r\n\r\n`, 431],
  ])("are logged and counted: %s", async (_, bytes, status) => {
    const entries: ServiceLogEntry[] = [];
    const service = createService({ backend: memory(), log: (entry) => void entries.push(entry) });
    const server = await listen(service, { port: 0 });
    const socket = connect(server.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    socket.write(bytes);
    await vi.waitFor(() => expect(entries).toHaveLength(1), 60_000);
    expect(entries[0]).toMatchObject({
      level: "warn",
      method: "",
      route: "",
      path: "",
      status,
      client: "",
      address: "127.0.0.1",
      requestId: expect.stringMatching(/^[\w-]{21}$/),
      code: "ERR_MALFORMED_REQUEST",
      error: expect.any(Error),
    });
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain(`bitflake_requests_total{route="",status="${status}"} 1\n`);
    socket.destroy();
    await server.close();
    await service.stop();
  });
});

// Who may ask, how often, how, and until when.

import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type MemoryPort, memory } from "../../src/backend/index.ts";
import { PRESET_TWITTER } from "../../src/index.ts";
import { createService, type ServiceLogEntry, type ServiceOptions } from "../../src/service/index.ts";
import { accepts } from "../../src/service/negotiate.ts";
import { Fragile, open, read } from "./app.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("options", () => {
  const key = "k".repeat(16);
  test.each<[string, object]>([
    ["backend", { backend: {} }],
    ["backend", { poolBackend: 5 }],
    ["name", { name: "" }],
    ["preset", { preset: "nonsense" }],
    ["machineId", { machineId: 32 }],
    ["datacenterId", { datacenterId: -1 }],
    ["types", { types: [] }],
    ["types", { types: "{" }],
    ["types.farmer.length", { types: { farmer: { length: 1 } } }],
    ["apiKeys", { apiKeys: key }],
    ["apiKeys", { apiKeys: [] }],
    ["apiKeys[0]", { apiKeys: [null] }],
    ["apiKeys[0]", { apiKeys: [{ [key]: "a name" }] }],
    ["apiKeys[0].name", { apiKeys: [{ keys: [key] }] }],
    ["apiKeys[0].name", { apiKeys: [{ name: "", keys: [key] }] }],
    ["apiKeys[0].keys", { apiKeys: [{ name: "orders" }] }],
    ["apiKeys[0].keys", { apiKeys: [{ name: "orders", keys: [] }] }],
    ["apiKeys[0].keys", { apiKeys: [{ name: "orders", keys: key }] }],
    ["apiKeys[0].keys[1]", { apiKeys: [{ name: "orders", keys: [key, "short"] }] }],
    ["apiKeys[1].keys[0]", { apiKeys: [key, { name: "orders", keys: [key] }] }],
    ["apiKeys[0].scopes", { apiKeys: [{ name: "orders", keys: [key], scopes: [] }] }],
    ["apiKeys[0].scopes", { apiKeys: [{ name: "orders", keys: [key], scopes: ["admin"] }] }],
    [
      "apiKeys[1].name",
      {
        apiKeys: [
          { name: "orders", keys: [key] },
          { name: "orders", keys: [`${key}2`] },
        ],
      },
    ],
    ["apiKeys[0]", { apiKeys: ["short"] }],
    ["apiKeys[0]", { apiKeys: ["with a space in it"] }],
    ["apiKeys[0]", { apiKeys: ["k".repeat(256)] }],
    ["apiKeys[1]", { apiKeys: [key, 5] }],
    ["apiKeys[1]", { apiKeys: [key, key] }],
    ["limit", { rateLimit: {} }],
    ["limit", { rateLimit: { limit: 0 } }],
    ["windowMs", { rateLimit: { limit: 1, windowMs: 0 } }],
    ["onStoreError", { rateLimit: { limit: 1, onStoreError: "open" } }],
    ["onFailure", { rateLimit: { limit: 1, onFailure: "fail" } }],
    ["onFailure", { rateLimit: { limit: 1, onStoreError: "fail", onFailure: "closed" } }],
    ["a name in rateLimit", { rateLimit: { limit: 1, window: 5 } }],
    ["proxies", { proxies: -1 }],
    ["proxies", { proxies: true }],
    ["maxBodyBytes", { maxBodyBytes: 2 ** 28 + 1 }],
    ["setup", { setup: 1 }],
    ["log", { log: "json" }],
    ["onEvent", { onEvent: "json" }],
    ["option", { port: 3000 }],
  ])("a wrong %s is refused: %o", (field, wrong) => {
    const options = { backend: memory(), ...wrong } as ServiceOptions;
    expect(() => createService(options)).toThrow(expect.objectContaining({ field }));
  });

  test("of a rate limit names the rate limit", () => {
    const make = (rateLimit: unknown) => () =>
      createService({ backend: memory(), rateLimit } as ServiceOptions);
    expect(make(5)).toThrow("rateLimit must be an object");
    expect(make({ limit: 5, window: 4 })).toThrow(
      "a name in rateLimit must be one of limit, windowMs, onStoreError",
    );
  });

  test("a key that is wrong is not shown", () => {
    const lists = [
      ["hunter2"],
      "hunter2-hunter2-hunter2",
      new Set(["hunter2"]),
      [{ hunter2: "orders" }],
      [{ name: "orders", keys: "hunter2" }],
      [{ name: "orders", keys: ["hunter2"] }],
    ];
    for (const apiKeys of lists) {
      const options = { backend: memory(), apiKeys: apiKeys as unknown as string[] };
      expect(() => createService(options)).toThrow(/^apiKeys(?!.*hunter2)/);
    }
  });

  test("pools on a Redis are refused, with what to do", () => {
    const backend = { eval: async () => "" };
    expect(() => createService({ backend, types: { farmer: { length: 10 } } })).toThrow(/PostgreSQL/);
    expect(() =>
      createService({ backend, poolBackend: memory(), types: { farmer: { length: 10 } } }),
    ).not.toThrow();
  });
});

/** The name of a key that was given without one. */
const KEY_NAME = /^key-[\da-f]{12}$/;

describe("API keys", () => {
  const apiKeys = ["first-key-0123456789", "second-key-012345678"];
  const ask = async (headers: Record<string, string>, path = "/generate_uuid") =>
    (await open({ apiKeys })).ask(path, { headers });

  test.each([
    { authorization: "Bearer first-key-0123456789" },
    { authorization: "bearer   second-key-012345678 " },
    { "x-api-key": "first-key-0123456789" },
    { "X-API-Key": "second-key-012345678" },
  ])("%o is let in", async (headers) => {
    expect((await ask(headers as unknown as Record<string, string>)).status).toBe(200);
  });

  test.each([
    {},
    { authorization: "first-key-0123456789" },
    { authorization: "Basic first-key-0123456789" },
    { authorization: "Bearer" },
    { authorization: "Bearer first-key-012345678" },
    { authorization: "Bearer first-key-01234567890" },
    { authorization: "Bearer First-key-0123456789" },
    { authorization: "Bearer first-key-0123456789 x" },
    { authorization: "Bearer wrong-key-0123456789", "x-api-key": "first-key-0123456789" },
    { "x-api-key": "" },
    { "x-api-key": "first-key-0123456789, second-key-012345678" },
    { "x-api-key": "first-key-0123456789first-key-0123456789" },
  ])("%o is not", async (headers) => {
    const response = await ask(headers as unknown as Record<string, string>);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await read(response)).toMatchObject([401, { code: "ERR_UNAUTHORIZED" }]);
  });

  test("any other text is not, whatever it is", async () => {
    const { service } = await open({ apiKeys });
    let asked = 0;
    const near = fc
      .tuple(fc.constantFrom(...apiKeys), fc.nat(25), fc.string({ unit: "grapheme-ascii", maxLength: 3 }))
      .map(([key, at, piece]) => key.slice(0, at) + piece + key.slice(at + 1));
    await fc.assert(
      fc.asyncProperty(fc.oneof(near, fc.string({ unit: "grapheme-ascii" })), async (text) => {
        const headers = { "x-api-key": text };
        // Each from a network of its own, or there would soon be too many wrong ones.
        const address = `10.${asked >> 8}.${asked++ & 255}.1`;
        const request = new Request("http://localhost/generate_uuid", { headers });
        const { status } = await service(request, { address });
        expect(status).toBe(apiKeys.includes(text.trim()) ? 200 : 401);
      }),
      { numRuns: 300 },
    );
  });

  test("what is for those who watch needs none, but the metrics do", async () => {
    for (const path of ["/openapi.json", "/v1/idgenerator/health"])
      expect((await ask({}, path)).status).not.toBe(401);
    expect((await ask({}, "/health")).status).toBe(503);
    expect((await ask({}, "/metrics")).status).toBe(401);
  });

  test("are never logged", async () => {
    const lines: string[] = [];
    const log = (entry: ServiceLogEntry) => void lines.push(JSON.stringify(entry));
    const { service } = await open({ apiKeys, log });
    for (const key of [...apiKeys, "wrong-key-0123456789"]) {
      const headers = { authorization: `Bearer ${key}` };
      await service(new Request(`http://localhost/generate_uuid?key=${key}`, { headers }));
    }
    expect(lines.join("\n")).not.toMatch(/-key-01/);
    const names = lines.map((line) => JSON.parse(line).client);
    expect(names).toEqual(["anyone", expect.stringMatching(KEY_NAME), expect.stringMatching(KEY_NAME), ""]);
    expect(names[1]).not.toBe(names[2]);
  });
});

describe("rate limits", () => {
  const rateLimit = { limit: 2, windowMs: 60_000 };

  test("are for each API key, and told in the headers", async () => {
    const apiKeys = ["first-key-0123456789", "second-key-012345678"];
    const { ask, service } = await open({ apiKeys, rateLimit });
    const get = (key: number) => ask("/generate_uuid", { headers: { "x-api-key": apiKeys[key] as string } });
    const first = await get(0);
    expect(first.headers.get("ratelimit-policy")).toBe('"service";q=2;w=60');
    expect(first.headers.get("ratelimit")).toBe('"service";r=1;t=30');
    expect((await get(0)).status).toBe(200);
    const third = await get(0);
    expect(third.headers.get("retry-after")).toBe("30");
    expect(third.headers.get("ratelimit")).toMatch(/^"service";r=0;t=30$/);
    expect(await read(third)).toMatchObject([429, { code: "ERR_RATE_LIMITED" }]);
    expect((await get(1)).status).toBe(200);
    expect((await ask("/openapi.json")).status).toBe(200);
    await service.stop();
  });

  test("an address that is no text is none", async () => {
    const { service } = await open({ proxies: 1 });
    const address = { port: 1 } as unknown as string;
    expect((await service(new Request("http://localhost/generate_uuid"), { address })).status).toBe(200);
    expect((await service(new Request("http://localhost/generate_uuid"), 5 as never)).status).toBe(200);
  });

  test("are for each address, of IPv6 for each /56, without keys", async () => {
    const { ask } = await open({ rateLimit });
    const get = async (address: string) => (await ask("/generate_uuid", {}, { address })).status;
    expect([await get("10.0.0.1"), await get("10.0.0.1"), await get("10.0.0.1")]).toEqual([200, 200, 429]);
    expect([await get("10.0.0.2"), await get("::ffff:10.0.0.2"), await get("10.0.0.2")]).toEqual([
      200, 200, 429,
    ]);
    const six = ["2001:db8:0:1::1", "2001:db8:0:ff::2", "2001:db8:0:77::3", "2001:db8:0:100::1"];
    expect([await get(six[0] as string), await get(six[1] as string), await get(six[2] as string)]).toEqual([
      200, 200, 429,
    ]);
    expect(await get(six[3] as string)).toBe(200);
  });

  test.each([
    [0, "1.1.1.1", "9.9.9.9"],
    [1, "1.1.1.1", "1.1.1.1"],
    [1, "6.6.6.6, 1.1.1.1", "1.1.1.1"],
    [2, "6.6.6.6, 1.1.1.1, 10.0.0.1", "1.1.1.1"],
    [2, "1.1.1.1", "1.1.1.1"],
    [1, "1.1.1.1:4711", "1.1.1.1"],
    [1, "[2001:db8::1]:80", "2001:db8::/56"],
    [1, "", "9.9.9.9"],
    [1, "nonsense", "unknown"],
  ])("behind %d proxies, %j is %s", async (proxies, forwarded, client) => {
    const entries: ServiceLogEntry[] = [];
    const { ask } = await open({ proxies, log: (entry) => void entries.push(entry) });
    await ask("/generate_uuid", { headers: { "x-forwarded-for": forwarded } }, { address: "9.9.9.9" });
    expect(entries.at(-1)?.client).toBe(client);
  });

  test("a store that is down closes or opens, as told, and the log hears of it", async () => {
    const backend: MemoryPort = {
      change: () => {
        throw new Error("down");
      },
    };
    const log = vi.fn();
    for (const policy of [{}, { onStoreError: "fail" }, { onFailure: "closed" }] as const) {
      const failing = await open({ backend, rateLimit: { ...rateLimit, ...policy }, log });
      expect(await read(await failing.ask("/generate_uuid"))).toMatchObject([503, { code: "ERR_BACKEND" }]);
    }
    for (const policy of [{ onStoreError: "allow" }, { onFailure: "open" }] as const) {
      const allowing = await open({ backend, rateLimit: { ...rateLimit, ...policy }, log });
      expect((await allowing.ask("/generate_uuid")).status).toBe(200);
      expect(log).toHaveBeenLastCalledWith(
        expect.objectContaining({ status: 200, error: expect.any(Error) }),
      );
    }
  });

  test("a refusal of the route counts, and has the headers too", async () => {
    const { ask } = await open({ rateLimit });
    const refused = await ask("/decode/x");
    expect(refused.status).toBe(400);
    expect(refused.headers.get("ratelimit")).toContain("r=1");
  });
});

describe("requests", () => {
  test.each([
    ["GET", "/", 404],
    ["GET", "/generate_uuid/", 404],
    ["GET", "/GENERATE_UUID", 404],
    ["GET", "//generate_uuid", 404],
    ["GET", "/decode", 404],
    ["GET", "/decode/1/2", 404],
    ["GET", "/generate_random_string", 404],
    ["POST", "/generate_uuid", 405],
    ["PUT", "/decode/1", 405],
    ["DELETE", "/health", 405],
    ["GET", "/v1/idgenerator/farmer/id", 405],
    ["HEAD", "/v1/idgenerator/farmer/id", 405],
    ["PATCH", "/v1/idgenerator/farmer/id", 405],
    ["OPTIONS", "/generate_uuid", 204],
    ["OPTIONS", "/nothing", 404],
    ["HEAD", "/generate_uuid", 200],
    ["GET", `/decode/${"1".repeat(8200)}`, 414],
    ["GET", "/generate_random_string/%ff", 400],
    ["GET", "/generate_random_string/%", 400],
  ])("%s %s is %d", async (method, path, status) => {
    const { ask } = await open({ types: { farmer: { length: 10 } } });
    const response = await ask(path, { method });
    expect(response.status).toBe(status);
    if (status === 405 || status === 204) {
      const allow = path.endsWith("/id") ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
      expect(response.headers.get("allow")).toBe(allow);
    }
    if (method === "HEAD" || status === 204) expect(await response.text()).toBe("");
    if (status >= 400 && method !== "HEAD")
      expect(await response.json()).toMatchObject({ status, code: expect.stringMatching(/^ERR_/) });
  });

  test.each<[string | undefined, boolean]>([
    [undefined, true],
    ["", true],
    ["*/*", true],
    ["application/json", true],
    ["application/*", true],
    ["APPLICATION/JSON", true],
    ["text/html, application/json;q=0.9", true],
    ["text/html;q=0.5, */*;q=0.1", true],
    ["application/json;charset=utf-8", true],
    ["text/html", false],
    ["text/*", false],
    ["application/xml, text/html", false],
    ["application/json;q=0", false],
    ["application/json; q=0.000, */*", false],
    ["*/*;q=0", false],
    ["application/*;q=0, */*", false],
    ["nonsense", false],
    [";;,,", false],
  ])("Accept: %s is %s", async (accept, isTaken) => {
    expect(accepts(accept, "application/json")).toBe(isTaken);
    const { ask } = await open();
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    const response = await ask("/generate_uuid", { headers });
    expect(response.status).toBe(isTaken ? 200 : 406);
  });
});

test("a body that breaks off is the client's failure", async () => {
  const { ask } = await open({ types: { farmer: { length: 10 } } });
  const body = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  expect(await read(await ask("/v1/idgenerator/farmer/id", init))).toMatchObject([
    400,
    { code: "ERR_MALFORMED_REQUEST" },
  ]);
});

test("a node that the preset has is the service's", async () => {
  const { ask } = await open({ preset: { ...PRESET_TWITTER, datacenterId: 2, machineId: 5 } });
  const { id } = (await (await ask("/generate_snowflake_id")).json()) as { id: string };
  expect(await (await ask(`/decode/${id}`)).json()).toMatchObject({ datacenterId: 2, machineId: 5 });
});

describe("the log", () => {
  test("has a line for each request", async () => {
    const entries: ServiceLogEntry[] = [];
    const { service } = await open({ log: (entry) => void entries.push(entry) });
    entries.splice(0);
    const ask = (path: string) => service(new Request(`http://localhost${path}`), { address: "10.0.0.1" });
    await ask("/decode/1");
    await ask("/decode/x");
    await ask("/nowhere?secret=1");
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

  test("that throws harms nobody", async () => {
    const { ask } = await open({
      log: () => {
        throw new Error("disk full");
      },
    });
    expect((await ask("/generate_uuid")).status).toBe(200);
  });
});

describe("the end", () => {
  test("finishes what is under way, refuses what comes, and gives the node back", async () => {
    let go = () => {};
    const slow = new Promise<void>((resolve) => {
      go = resolve;
    });
    let isSlow = false;
    // A Redis that answers the counter late.
    const backend = {
      async eval(script: string, _keys: readonly string[], args: readonly string[]): Promise<unknown> {
        if (isSlow && script.includes("INCRBY")) await slow;
        return script.includes("INCRBY") ? `from ${args[2] === "1" ? "" : "1"} to 1` : "granted";
      },
    };
    const service = createService({ backend, machineId: 1, setup: false });
    isSlow = true;
    await service.start();
    const first = service(new Request("http://localhost/generate_counter_id"));
    let isStopped = false;
    const stopped = service.stop().then(() => {
      isStopped = true;
    });
    const late = await service(new Request("http://localhost/generate_counter_id"));
    expect(late.headers.get("connection")).toBe("close");
    expect(await read(late)).toMatchObject([503, { code: "ERR_STOPPING" }]);
    await new Promise((wake) => setTimeout(wake, 50));
    expect(isStopped).toBe(false);
    go();
    expect(await read(await first)).toEqual([200, { id: "1" }]);
    await stopped;
  });

  test("a request whose body still comes is under way", async () => {
    const { service } = await open({ types: { farmer: { length: 10 } } });
    await service.start();
    let end = () => {};
    const body = new ReadableStream({
      start: (controller) => {
        end = () => controller.close();
      },
    });
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    const slow = service(new Request("http://localhost/v1/idgenerator/farmer/id", init));
    const [started, cleared] = [vi.spyOn(globalThis, "setTimeout"), vi.spyOn(globalThis, "clearTimeout")];
    const stopped = service.stop();
    await new Promise((wake) => setImmediate(wake));
    // It keeps the process, which would be gone before the node is given back.
    const patience = started.mock.results[started.mock.calls.findIndex(([, ms]) => ms === 15_000)]?.value;
    expect(patience?.hasRef()).toBe(true);
    expect((await service(new Request("http://localhost/generate_uuid"))).status).toBe(503);
    end();
    expect((await slow).status).toBe(200);
    await stopped;
    expect(cleared).toHaveBeenCalledWith(patience);
    started.mockRestore();
    cleared.mockRestore();
  });

  test("a node is another's when it is given back", async () => {
    const backend = memory();
    const options = {
      backend,
      preset: { timestampBits: 41, datacenterBits: 0, machineBits: 1, sequenceBits: 21 },
    };
    const nodes: unknown[] = [];
    for (let round = 0; round < 5; round++) {
      const service = createService(options);
      const other = createService(options);
      for (const one of [service, other]) {
        expect((await one(new Request("http://localhost/generate_snowflake_id"))).status).toBe(200);
      }
      const health = await (await service(new Request("http://localhost/health"))).json();
      nodes.push((health as { lease: { node: number } }).lease.node);
      await Promise.all([service.stop(), other.stop()]);
    }
    expect(nodes).toHaveLength(5);
  });

  test("may be asked for twice, before the start, and while it starts", async () => {
    const never = createService({ backend: memory() });
    await never.stop();
    await never.stop();
    await expect(never.start()).rejects.toMatchObject({ code: "ERR_ARGUMENT", field: "service" });
    const service = createService({ backend: memory() });
    const starting = service.start();
    await Promise.all([service.stop(), service.stop()]);
    await starting;
    expect((await service(new Request("http://localhost/generate_snowflake_id"))).status).toBe(503);
  });

  test("a start on a store with a type of another kind says so", async () => {
    const backend = memory();
    const first = await open({ backend, types: { farmer: { length: 10 } } });
    expect((await first.ask("/v1/idgenerator/farmer/id", { method: "POST" })).status).toBe(200);
    await first.service.stop();
    const other = createService({ backend, types: { farmer: { length: 12 } } });
    await expect(other.start()).rejects.toMatchObject({ code: "ERR_NAMESPACE" });
  });

  test("a start that fails says why, and can be tried again", async () => {
    const backend = new Fragile();
    backend.isDown = true;
    const service = createService({ backend });
    await expect(service.start()).rejects.toMatchObject({ code: "ERR_BACKEND" });
    backend.isDown = false;
    await service.start();
    expect((await service(new Request("http://localhost/generate_snowflake_id"))).status).toBe(200);
    await service.stop();
  });
});

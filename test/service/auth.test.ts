// Clients by name: their API keys, scopes and request keys; addresses behind proxies; addresses that send invalid keys.

import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { memory } from "../../src/backend/index.ts";
import type { ServiceLogEntry, ServiceOptions } from "../../src/service/index.ts";
import { openService, statusAndBody } from "./openService.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** The name of a key that was given without one. */
const KEY_NAME = /^key-[\da-f]{12}$/;

describe("API keys", () => {
  const apiKeys = ["first-key-0123456789", "second-key-012345678"];
  const send = async (headers: Record<string, string>, path = "/generate_uuid") =>
    (await openService({ apiKeys })).send(path, { headers });

  test.each([
    { authorization: "Bearer first-key-0123456789" },
    { authorization: "bearer   second-key-012345678 " },
    { "x-api-key": "first-key-0123456789" },
    { "X-API-Key": "second-key-012345678" },
  ])("the headers %o are accepted", async (headers) => {
    expect((await send(headers as unknown as Record<string, string>)).status).toBe(200);
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
  ])("the headers %o get 401", async (headers) => {
    const response = await send(headers as unknown as Record<string, string>);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await statusAndBody(response)).toMatchObject([401, { code: "ERR_UNAUTHORIZED" }]);
  });

  test("any other text gets 401", async () => {
    const { service } = await openService({ apiKeys });
    let requests = 0;
    const near = fc
      .tuple(fc.constantFrom(...apiKeys), fc.nat(25), fc.string({ unit: "grapheme-ascii", maxLength: 3 }))
      .map(([key, at, piece]) => key.slice(0, at) + piece + key.slice(at + 1));
    await fc.assert(
      fc.asyncProperty(fc.oneof(near, fc.string({ unit: "grapheme-ascii" })), async (text) => {
        const headers = { "x-api-key": text };
        // Each from another network, because an address with too many invalid keys gets 429.
        const address = `10.${requests >> 8}.${requests++ & 255}.1`;
        const request = new Request("http://localhost/generate_uuid", { headers });
        const { status } = await service(request, { address });
        expect(status).toBe(apiKeys.includes(text.trim()) ? 200 : 401);
      }),
      { numRuns: 300 },
    );
  });

  test("are not needed for health and the OpenAPI document, but for metrics", async () => {
    for (const path of ["/openapi.json", "/v1/idgenerator/health"])
      expect((await send({}, path)).status).not.toBe(401);
    expect((await send({}, "/health")).status).toBe(503);
    expect((await send({}, "/metrics")).status).toBe(401);
  });

  test("are never logged", async () => {
    const lines: string[] = [];
    const log = (entry: ServiceLogEntry) => void lines.push(JSON.stringify(entry));
    const { service } = await openService({ apiKeys, log });
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

describe("the client's address", () => {
  test("is ignored if the runtime passes something else than a string", async () => {
    const { service } = await openService({ proxies: 1 });
    const address = { port: 1 } as unknown as string;
    expect((await service(new Request("http://localhost/generate_uuid"), { address })).status).toBe(200);
    expect((await service(new Request("http://localhost/generate_uuid"), 5 as never)).status).toBe(200);
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
  ])("behind %d proxies with X-Forwarded-For %j is %s", async (proxies, forwarded, client) => {
    const entries: ServiceLogEntry[] = [];
    const { send } = await openService({ proxies, log: (entry) => void entries.push(entry) });
    await send("/generate_uuid", { headers: { "x-forwarded-for": forwarded } }, { address: "9.9.9.9" });
    expect(entries.at(-1)?.client).toBe(client);
  });
});

const [A, B, C] = ["a", "b", "c"].map((letter) => letter.repeat(16)) as [string, string, string];

const types = { farmer: { length: 10 } };

const ISSUE = "/v1/idgenerator/farmer/id";

/** Opens a service. Resolves to functions that return the name, the IDs and the rate limit of a client. */
async function openForClients(options: Partial<ServiceOptions>) {
  const entries: ServiceLogEntry[] = [];
  const log = (entry: ServiceLogEntry) => void entries.push(entry);
  const { send, service } = await openService({ types, log, ...options });
  const sendWithKey = (key: string, path: string, more: Record<string, string> = {}, method = "GET") =>
    send(path, { method, headers: { "x-api-key": key, ...more } });
  return {
    service,
    send: sendWithKey,
    async nameOf(key: string) {
      await sendWithKey(key, "/generate_uuid");
      return entries.at(-1)?.client;
    },
    async issue(key: string, requestKey: string) {
      const response = await sendWithKey(key, ISSUE, { "idempotency-key": requestKey }, "POST");
      return ((await response.json()) as { response: { id: string } }).response.id;
    },
    async rateLimitOf(key: string) {
      return (await sendWithKey(key, "/generate_uuid")).headers.get("ratelimit");
    },
  };
}

describe("a client", () => {
  test("has its name in the log, whichever of its keys it sends", async () => {
    const { nameOf } = await openForClients({ apiKeys: [{ name: "orders", keys: [A, B] }, C] });
    expect([await nameOf(A), await nameOf(B)]).toEqual(["orders", "orders"]);
  });

  test("without a name is named by the digest of its key, wherever the key is in the list", async () => {
    const first = await openForClients({ apiKeys: [A, B] });
    const second = await openForClients({ apiKeys: [C, { name: "new", keys: [`${C}2`] }, B, A] });
    const names = [await first.nameOf(A), await first.nameOf(B)];
    expect(names).toEqual([expect.stringMatching(/^key-[\da-f]{12}$/), expect.stringMatching(/^key-/)]);
    expect([await second.nameOf(A), await second.nameOf(B)]).toEqual(names);
    expect(names[0]).not.toBe(names[1]);
  });

  test("keeps its rate limit and its request keys when its key is rotated, and when another client is added", async () => {
    const backend = memory();
    const rateLimit = { limit: 10, windowMs: 3_600_000 };
    const before = await openForClients({ backend, rateLimit, apiKeys: [{ name: "orders", keys: [A] }] });
    const id = await before.issue(A, "form-1");
    expect(await before.rateLimitOf(A)).toContain("r=8;");
    await before.service.stop();
    const apiKeys = [C, { name: "orders", keys: [B] }];
    const after = await openForClients({ backend, rateLimit, apiKeys });
    expect(await after.issue(B, "form-1")).toBe(id);
    expect(await after.rateLimitOf(B)).toContain("r=6;");
    expect(await after.issue(C, "form-1")).not.toBe(id);
    await after.service.stop();
  });

  test("without a name keeps its request keys when another key is added, and when it is given the same name", async () => {
    const backend = memory();
    const before = await openForClients({ backend, apiKeys: [A] });
    const id = await before.issue(A, "form-1");
    await before.service.stop();
    const after = await openForClients({ backend, apiKeys: [B, A] });
    expect(await after.issue(A, "form-1")).toBe(id);
    // The name to rotate it with is the one in the log.
    const name = (await after.nameOf(A)) as string;
    await after.service.stop();
    const named = await openForClients({ backend, apiKeys: [{ name, keys: [C] }] });
    expect(await named.issue(C, "form-1")).toBe(id);
    await named.service.stop();
  });

  test("has other request keys in another service on the same store, with and without API keys", async () => {
    for (const apiKeys of [[{ name: "orders", keys: [A] }], [A], undefined]) {
      const backend = memory();
      const one = await openForClients({ backend, name: "one", apiKeys });
      const other = await openForClients({ backend, name: "other", apiKeys });
      const id = await one.issue(A, "form-1");
      expect(await other.issue(A, "form-1")).not.toBe(id);
      expect(await one.issue(A, "form-1")).toBe(id);
      await Promise.all([one.service.stop(), other.service.stop()]);
    }
  });
});

describe("scopes", () => {
  const apiKeys = [
    { name: "issues", keys: [A], scopes: ["issue"] as const },
    { name: "watches", keys: [B], scopes: ["watch"] as const },
    { name: "both", keys: [C] },
  ];

  test.each<[string, string, boolean, boolean]>([
    ["GET", "/generate_uuid", true, false],
    ["GET", "/generate_timestamp_id", true, false],
    ["GET", "/generate_counter_id", true, false],
    ["GET", "/generate_snowflake_id", true, false],
    ["GET", "/generate_random_string/8", true, false],
    ["POST", ISSUE, true, false],
    ["GET", "/v1/idgenerator/uin", true, false],
    ["GET", "/metrics", false, true],
    ["GET", "/decode/1", true, true],
    ["GET", "/capacity", true, true],
    ["GET", `${ISSUE}/validate/8349257232`, true, true],
    ["GET", "/v1/idgenerator/config", true, true],
    ["GET", "/v1/idgenerator/version", true, true],
  ])("%s %s: allowed with issue %s, with watch %s", async (method, path, canIssue, canWatch) => {
    const { send, service } = await openForClients({ apiKeys, types: { ...types, uin: { length: 10 } } });
    for (const [key, isAllowed] of [
      [A, canIssue],
      [B, canWatch],
      [C, true],
    ] as const) {
      const response = await send(key, path, {}, method);
      expect(response.status).toBe(isAllowed ? 200 : 403);
      if (!isAllowed) expect(await response.json()).toMatchObject({ code: "ERR_FORBIDDEN" });
    }
    await service.stop();
  });
});

describe("invalid API keys", () => {
  const invalidKey = "wrong-key-0123456789";
  const statusOf = async (
    send: Awaited<ReturnType<typeof openService>>["send"],
    key: string | undefined,
    address: string,
  ) => {
    const headers: Record<string, string> = key === undefined ? {} : { "x-api-key": key };
    return (await send("/generate_uuid", { headers }, { address })).status;
  };

  test("get 429 after 20 from one address within a window, while valid keys of the address pass", async () => {
    let nowMs = 1000;
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    const { send } = await openService({ apiKeys: [A] });
    for (let count = 0; count < 20; count++) expect(await statusOf(send, invalidKey, "10.0.0.1")).toBe(401);
    const response = await send(
      "/generate_uuid",
      { headers: { "x-api-key": invalidKey } },
      { address: "10.0.0.1" },
    );
    expect(await statusAndBody(response)).toMatchObject([429, { code: "ERR_RATE_LIMITED" }]);
    expect(response.headers.get("retry-after")).toBe("3");
    expect(await statusOf(send, A, "10.0.0.1")).toBe(200);
    // A request without a key is not counted.
    expect(await statusOf(send, undefined, "10.0.0.1")).toBe(401);
    expect(await statusOf(send, invalidKey, "10.0.0.2")).toBe(401);
    nowMs += 3000;
    expect(await statusOf(send, invalidKey, "10.0.0.1")).toBe(401);
    expect(await statusOf(send, invalidKey, "10.0.0.1")).toBe(429);
  });

  test("are counted by the /56 of an IPv6 address, and by the address that the proxy saw", async () => {
    vi.spyOn(performance, "now").mockReturnValue(1000);
    const { send } = await openService({ apiKeys: [A] });
    for (let count = 0; count < 20; count++)
      expect(await statusOf(send, invalidKey, `2001:db8:0:${count}::1`)).toBe(401);
    expect(await statusOf(send, invalidKey, "2001:db8:0:77::1")).toBe(429);
    expect(await statusOf(send, invalidKey, "2001:db8:0:100::1")).toBe(401);

    const behind = await openService({ apiKeys: [A], proxies: 1 });
    const through = async (forwarded: string) => {
      const headers = { "x-api-key": invalidKey, "x-forwarded-for": forwarded };
      return (await behind.send("/generate_uuid", { headers }, { address: "10.0.0.9" })).status;
    };
    for (let count = 0; count < 20; count++) expect(await through("1.1.1.1")).toBe(401);
    expect([await through("1.1.1.1"), await through("2.2.2.2")]).toEqual([429, 401]);
  });

  test("are remembered for 10,000 addresses: the one that was quiet for longest is forgotten", async () => {
    vi.spyOn(performance, "now").mockReturnValue(1000);
    const { service } = await openService({ apiKeys: [A] });
    const send = async (address: string) => {
      const request = new Request("http://localhost/generate_uuid", { headers: { "x-api-key": invalidKey } });
      return (await service(request, { address })).status;
    };
    for (let count = 0; count < 20; count++) await send("1.1.1.1");
    expect(await send("1.1.1.1")).toBe(429);
    for (let count = 0; count < 10_000; count++) await send(`10.${count >> 8}.${count & 255}.1`);
    expect(await send("1.1.1.1")).toBe(401);
  });
});

// Clients by name: their keys, scopes, limits and request keys; and addresses that send wrong keys.

import { afterEach, describe, expect, test, vi } from "vitest";
import { memory } from "../../src/backend/index.ts";
import type { ServiceLogEntry, ServiceOptions } from "../../src/service/index.ts";
import { open, read } from "./app.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const [A, B, C] = ["a", "b", "c"].map((letter) => letter.repeat(16)) as [string, string, string];
const types = { farmer: { length: 10 } };
const ISSUE = "/v1/idgenerator/farmer/id";

/** A service, and what its clients are called in the log, get as IDs and have left of the limit. */
async function clients(options: Partial<ServiceOptions>) {
  const entries: ServiceLogEntry[] = [];
  const log = (entry: ServiceLogEntry) => void entries.push(entry);
  const { ask, service } = await open({ types, log, ...options });
  const ask_ = (key: string, path: string, more: Record<string, string> = {}, method = "GET") =>
    ask(path, { method, headers: { "x-api-key": key, ...more } });
  return {
    service,
    ask: ask_,
    async nameOf(key: string) {
      await ask_(key, "/generate_uuid");
      return entries.at(-1)?.client;
    },
    async issue(key: string, requestKey: string) {
      const response = await ask_(key, ISSUE, { "idempotency-key": requestKey }, "POST");
      return ((await response.json()) as { response: { id: string } }).response.id;
    },
    async leftOf(key: string) {
      return (await ask_(key, "/generate_uuid")).headers.get("ratelimit");
    },
  };
}

describe("a client", () => {
  test("is called by its name, whichever of its keys it sends", async () => {
    const { nameOf } = await clients({ apiKeys: [{ name: "orders", keys: [A, B] }, C] });
    expect([await nameOf(A), await nameOf(B)]).toEqual(["orders", "orders"]);
  });

  test("of a key alone is called by its digest, wherever the key stands in the list", async () => {
    const first = await clients({ apiKeys: [A, B] });
    const second = await clients({ apiKeys: [C, { name: "new", keys: [`${C}2`] }, B, A] });
    const names = [await first.nameOf(A), await first.nameOf(B)];
    expect(names).toEqual([expect.stringMatching(/^key-[\da-f]{12}$/), expect.stringMatching(/^key-/)]);
    expect([await second.nameOf(A), await second.nameOf(B)]).toEqual(names);
    expect(names[0]).not.toBe(names[1]);
  });

  test("keeps its limit and its request keys when its key is rotated, or another is added before it", async () => {
    const backend = memory();
    const rateLimit = { limit: 10, windowMs: 3_600_000 };
    const before = await clients({ backend, rateLimit, apiKeys: [{ name: "orders", keys: [A] }] });
    const id = await before.issue(A, "form-1");
    expect(await before.leftOf(A)).toContain("r=8;");
    await before.service.stop();
    const apiKeys = [C, { name: "orders", keys: [B] }];
    const after = await clients({ backend, rateLimit, apiKeys });
    expect(await after.issue(B, "form-1")).toBe(id);
    expect(await after.leftOf(B)).toContain("r=6;");
    expect(await after.issue(C, "form-1")).not.toBe(id);
    await after.service.stop();
  });

  test("of a key alone keeps its request keys when another is added before it", async () => {
    const backend = memory();
    const before = await clients({ backend, apiKeys: [A] });
    const id = await before.issue(A, "form-1");
    await before.service.stop();
    const after = await clients({ backend, apiKeys: [B, A] });
    expect(await after.issue(A, "form-1")).toBe(id);
    // And when it is given a name to be rotated: the one that it had in the log.
    const name = (await after.nameOf(A)) as string;
    await after.service.stop();
    const named = await clients({ backend, apiKeys: [{ name, keys: [C] }] });
    expect(await named.issue(C, "form-1")).toBe(id);
    await named.service.stop();
  });

  test("of another service on the same store is another one, with and without keys", async () => {
    for (const apiKeys of [[{ name: "orders", keys: [A] }], [A], undefined]) {
      const backend = memory();
      const one = await clients({ backend, name: "one", apiKeys });
      const other = await clients({ backend, name: "other", apiKeys });
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
  ])("%s %s: issue %s, watch %s", async (method, path, issues, watches) => {
    const { ask, service } = await clients({ apiKeys, types: { ...types, uin: { length: 10 } } });
    for (const [key, isAllowed] of [
      [A, issues],
      [B, watches],
      [C, true],
    ] as const) {
      const response = await ask(key, path, {}, method);
      expect(response.status).toBe(isAllowed ? 200 : 403);
      if (!isAllowed) expect(await response.json()).toMatchObject({ code: "ERR_FORBIDDEN" });
    }
    await service.stop();
  });
});

describe("wrong keys", () => {
  const wrong = "wrong-key-0123456789";
  const statusOf = async (
    ask: Awaited<ReturnType<typeof open>>["ask"],
    key: string | undefined,
    address: string,
  ) => {
    const headers: Record<string, string> = key === undefined ? {} : { "x-api-key": key };
    return (await ask("/generate_uuid", { headers }, { address })).status;
  };

  test("are 429 after 20 from one address, until time has passed; right keys pass all the same", async () => {
    let nowMs = 1000;
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    const { ask } = await open({ apiKeys: [A] });
    for (let at = 0; at < 20; at++) expect(await statusOf(ask, wrong, "10.0.0.1")).toBe(401);
    const response = await ask(
      "/generate_uuid",
      { headers: { "x-api-key": wrong } },
      { address: "10.0.0.1" },
    );
    expect(await read(response)).toMatchObject([429, { code: "ERR_RATE_LIMITED" }]);
    expect(response.headers.get("retry-after")).toBe("3");
    expect(await statusOf(ask, A, "10.0.0.1")).toBe(200);
    // No key is no guess.
    expect(await statusOf(ask, undefined, "10.0.0.1")).toBe(401);
    expect(await statusOf(ask, wrong, "10.0.0.2")).toBe(401);
    nowMs += 3000;
    expect(await statusOf(ask, wrong, "10.0.0.1")).toBe(401);
    expect(await statusOf(ask, wrong, "10.0.0.1")).toBe(429);
  });

  test("count by the /56 of an IPv6 address, and by the address that the proxy saw", async () => {
    vi.spyOn(performance, "now").mockReturnValue(1000);
    const { ask } = await open({ apiKeys: [A] });
    for (let at = 0; at < 20; at++) expect(await statusOf(ask, wrong, `2001:db8:0:${at}::1`)).toBe(401);
    expect(await statusOf(ask, wrong, "2001:db8:0:77::1")).toBe(429);
    expect(await statusOf(ask, wrong, "2001:db8:0:100::1")).toBe(401);

    const behind = await open({ apiKeys: [A], proxies: 1 });
    const through = async (forwarded: string) => {
      const headers = { "x-api-key": wrong, "x-forwarded-for": forwarded };
      return (await behind.ask("/generate_uuid", { headers }, { address: "10.0.0.9" })).status;
    };
    for (let at = 0; at < 20; at++) expect(await through("1.1.1.1")).toBe(401);
    expect([await through("1.1.1.1"), await through("2.2.2.2")]).toEqual([429, 401]);
  });

  test("of ten thousand addresses and more take no more memory: the quietest is forgotten", async () => {
    vi.spyOn(performance, "now").mockReturnValue(1000);
    const { service } = await open({ apiKeys: [A] });
    const ask = async (address: string) => {
      const request = new Request("http://localhost/generate_uuid", { headers: { "x-api-key": wrong } });
      return (await service(request, { address })).status;
    };
    for (let at = 0; at < 20; at++) await ask("1.1.1.1");
    expect(await ask("1.1.1.1")).toBe(429);
    for (let at = 0; at < 10_000; at++) await ask(`10.${at >> 8}.${at & 255}.1`);
    expect(await ask("1.1.1.1")).toBe(401);
  });
});

describe("the limit", () => {
  test("is charged by count; what is refused, and what asks for one, costs one", async () => {
    const { ask } = await open({ rateLimit: { limit: 100, windowMs: 3_600_000 } });
    const left = async (path: string) => {
      const response = await ask(path);
      const [, remaining] = /r=(\d+)/.exec(response.headers.get("ratelimit") ?? "") ?? [];
      return [response.status, Number(remaining)];
    };
    expect(await left("/generate_uuid")).toEqual([200, 99]);
    expect(await left("/generate_uuid?count=40&version=7")).toEqual([200, 59]);
    expect(await left("/generate_random_string/8?count=9")).toEqual([200, 50]);
    expect(await left("/generate_uuid?count=0")).toEqual([400, 49]);
    expect(await left("/generate_uuid?count=x")).toEqual([400, 48]);
    expect(await left("/generate_uuid?count=5&count=5")).toEqual([400, 43]);
    // It can pass later, and nothing is taken for it now.
    expect(await left("/generate_snowflake_id?count=44")).toEqual([429, 43]);
    // It never can.
    expect(await left("/generate_snowflake_id?count=101")).toEqual([400, 42]);
    expect(await left("/generate_snowflake_id?count=42")).toEqual([200, 0]);
  });

  test("below count says so, and is no failure of the service", async () => {
    const { ask } = await open({ rateLimit: { limit: 5 } });
    const [status, problem] = await read(await ask("/generate_uuid?count=6"));
    expect(status).toBe(400);
    expect(problem).toMatchObject({
      code: "ERR_ARGUMENT",
      detail: "count must be at most 5, the rate limit, got 6.",
    });
  });
});

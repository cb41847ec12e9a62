// The rate limit of each client: its cost, its headers, and what happens while its store is down.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type MemoryPort, memory } from "../../src/backend/index.ts";
import {
  openService,
  startService,
  statusAndBody,
  stepThrough,
  stepUntil,
  UnreliableMemory,
} from "./openService.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("the rate limit", () => {
  const rateLimit = { limit: 2, windowMs: 60_000 };

  test("counts by API key, and the response headers show it", async () => {
    const apiKeys = ["first-key-0123456789", "second-key-012345678"];
    const { send, service } = await openService({ apiKeys, rateLimit });
    const get = (key: number) => send("/generate_uuid", { headers: { "x-api-key": apiKeys[key] as string } });
    const first = await get(0);
    expect(first.headers.get("ratelimit-policy")).toBe('"service";q=2;w=60');
    expect(first.headers.get("ratelimit")).toBe('"service";r=1;t=30');
    expect((await get(0)).status).toBe(200);
    const third = await get(0);
    expect(third.headers.get("retry-after")).toBe("30");
    expect(third.headers.get("ratelimit")).toMatch(/^"service";r=0;t=30$/);
    expect(await statusAndBody(third)).toMatchObject([429, { code: "ERR_RATE_LIMITED" }]);
    expect((await get(1)).status).toBe(200);
    expect((await send("/openapi.json")).status).toBe(200);
    await service.stop();
  });

  test("counts by address without API keys, and by /56 of an IPv6 address", async () => {
    const { send } = await openService({ rateLimit });
    const get = async (address: string) => (await send("/generate_uuid", {}, { address })).status;
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

  test("counts a request that the route refuses, and its response has the headers too", async () => {
    const { send } = await openService({ rateLimit });
    const refused = await send("/decode/x");
    expect(refused.status).toBe(400);
    expect(refused.headers.get("ratelimit")).toContain("r=1");
  });

  test("costs the count of a request; a refused request costs 1", async () => {
    const { send } = await openService({ rateLimit: { limit: 100, windowMs: 3_600_000 } });
    const statusAndRemaining = async (path: string) => {
      const response = await send(path);
      const [, remaining] = /r=(\d+)/.exec(response.headers.get("ratelimit") ?? "") ?? [];
      return [response.status, Number(remaining)];
    };
    expect(await statusAndRemaining("/generate_uuid")).toEqual([200, 99]);
    expect(await statusAndRemaining("/generate_uuid?count=40&version=7")).toEqual([200, 59]);
    expect(await statusAndRemaining("/generate_random_string/8?count=9")).toEqual([200, 50]);
    expect(await statusAndRemaining("/generate_uuid?count=0")).toEqual([400, 49]);
    expect(await statusAndRemaining("/generate_uuid?count=x")).toEqual([400, 48]);
    expect(await statusAndRemaining("/generate_uuid?count=5&count=5")).toEqual([400, 43]);
    // It can pass later, and costs nothing now.
    expect(await statusAndRemaining("/generate_snowflake_id?count=44")).toEqual([429, 43]);
    // It never can.
    expect(await statusAndRemaining("/generate_snowflake_id?count=101")).toEqual([400, 42]);
    expect(await statusAndRemaining("/generate_snowflake_id?count=42")).toEqual([200, 0]);
  });

  test("refuses a count above the whole quota with 400", async () => {
    const { send } = await openService({ rateLimit: { limit: 5 } });
    const [status, problem] = await statusAndBody(await send("/generate_uuid?count=6"));
    expect(status).toBe(400);
    expect(problem).toMatchObject({
      code: "ERR_ARGUMENT",
      detail: "count must be at most 5, the rate limit, got 6.",
    });
  });
});

describe("while the store is down", () => {
  const rateLimit = { limit: 1000, windowMs: 60_000 };
  const types = { farmer: { length: 10 } };

  test.each([{}, { onStoreError: "fail" }, { onFailure: "closed" }] as const)(
    "requests get 503 with %o",
    async (policy) => {
      const backend = new UnreliableMemory();
      backend.isDown = true;
      const { send } = await openService({ backend, rateLimit: { ...rateLimit, ...policy } });
      const response = await send("/generate_uuid");
      expect(await statusAndBody(response)).toMatchObject([503, { code: "ERR_BACKEND" }]);
      expect(response.headers.has("ratelimit-policy")).toBe(false);
    },
  );

  test.each([{ onStoreError: "allow" }, { onFailure: "open" }] as const)(
    "requests pass with %o, and the log has the error",
    async (policy) => {
      const backend = new UnreliableMemory();
      backend.isDown = true;
      const log = vi.fn();
      const { send } = await openService({ backend, rateLimit: { ...rateLimit, ...policy }, log });
      expect((await send("/generate_uuid")).status).toBe(200);
      expect(log).toHaveBeenLastCalledWith(
        expect.objectContaining({ status: 200, error: expect.any(Error) }),
      );
    },
  );

  test("its error is not attributed to the store of the pools", async () => {
    const backend = new UnreliableMemory();
    const { send, events, service } = await startService({
      backend,
      poolBackend: memory(),
      machineId: 6,
      types,
      rateLimit: { ...rateLimit, onStoreError: "allow" },
    });
    backend.readOnlyPrefixes = ["rate:", "counter:bitflake health"];
    for (let count = 0; count < 3; count++) {
      expect((await stepThrough(send("/v1/idgenerator/farmer/id", { method: "POST" }))).status).toBe(200);
    }
    await stepUntil(() => expect(events).toMatchObject([{ event: "store_down", store: "backend" }]));
    await stepThrough(service.stop());
  });

  test("requests that pass do not wait for a store that has just failed, and are counted again when it works", async () => {
    let isHanging = false;
    let limitCalls = 0;
    const port = memory();
    const backend: MemoryPort = {
      timeoutMs: 200,
      // The types of the port say that a memory answers at once, but its caller awaits the answer.
      change: ((name: string, change: Parameters<MemoryPort["change"]>[1]) => {
        if (name.startsWith("rate:")) limitCalls++;
        return isHanging ? new Promise(() => {}) : port.change(name, change);
      }) as MemoryPort["change"],
    };
    const { send, service, eventNames } = await startService({
      backend,
      rateLimit: { ...rateLimit, onStoreError: "allow" },
      machineId: 5,
    });
    const remaining = async () => {
      const { headers } = await send("/generate_uuid");
      expect(headers.get("ratelimit-policy")).toBe('"service";q=1000;w=60');
      return headers.get("ratelimit");
    };
    expect(await remaining()).toContain("r=999");
    isHanging = true;
    const first = remaining();
    await vi.advanceTimersByTimeAsync(200);
    expect(await first).toBeNull();
    const callsBefore = limitCalls;
    for (let call = 0; call < 20; call++) expect(await remaining()).toBeNull();
    expect(limitCalls).toBe(callsBefore);
    await stepUntil(() => expect(eventNames()).toEqual(["store_down"]));
    expect(await remaining()).toBeNull();
    expect(limitCalls).toBe(callsBefore);
    isHanging = false;
    await stepUntil(async () => expect(await remaining()).toMatch(/r=\d+/));
    await stepThrough(service.stop());
  });
});

// Health: what cannot be done is failing, and events say when that begins and ends. Time is stepped.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ClockBackwardsError, makeGenerator, SnowflakeGenerator } from "../../src/index.ts";
import type { ServiceLogEntry } from "../../src/service/index.ts";
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
  vi.restoreAllMocks();
});

/** The state that health probes write. */
const PROBE = "counter:bitflake health";

const types = { farmer: { length: 10 } };

describe("/health", () => {
  test("answers starting, ok and stopping in the phases of the service", async () => {
    const { send, service } = await openService({ types });
    const before = await send("/health");
    expect(before.headers.get("retry-after")).toBe("1");
    expect(await statusAndBody(before)).toMatchObject([503, { status: "starting", lease: null }]);
    await service.start();
    expect(await statusAndBody(await send("/health"))).toMatchObject([
      200,
      { status: "ok", backend: { status: "ok" }, lease: { status: "ok", node: 0 }, pools: {} },
    ]);
    await stepThrough(service.stop());
    expect(await statusAndBody(await send("/health"))).toMatchObject([503, { status: "stopping" }]);
  });

  test("answers 503 while the store cannot be written, with one event when that begins and one when it ends", async () => {
    const backend = new UnreliableMemory();
    const { health, events, eventNames, service } = await startService({ backend });
    expect(await health()).toMatchObject([200, { status: "ok", backend: { status: "ok" } }]);
    backend.readOnlyPrefixes = [PROBE];
    await stepUntil(async () =>
      expect(await health()).toMatchObject([503, { status: "failing", backend: { status: "failing" } }]),
    );
    const [down, ...more] = events;
    expect(more).toEqual([]);
    expect(down).toMatchObject({ event: "store_down", level: "error", store: "backend" });
    expect(down?.error).toMatchObject({ cause: { message: "read-only file system" } });
    backend.readOnlyPrefixes = [];
    // Noticed without a request.
    await stepUntil(() => expect(eventNames()).toEqual(["store_down", "store_up"]));
    expect(await health()).toMatchObject([200, { status: "ok" }]);
    await stepThrough(service.stop());
  });

  test("answers 503 while the store of the pools cannot be written", async () => {
    const poolBackend = new UnreliableMemory();
    const { health, events, service, send } = await startService({ poolBackend, types });
    poolBackend.readOnlyPrefixes = [PROBE];
    await stepUntil(async () =>
      expect(await health()).toMatchObject([503, { status: "failing", backend: { status: "failing" } }]),
    );
    expect(events).toMatchObject([{ event: "store_down", store: "poolBackend" }]);
    expect((await send("/v1/idgenerator/health")).status).toBe(503);
    await stepThrough(service.stop());
  });

  test("probes a store once for any number of requests, and not again within a second", async () => {
    const backend = new UnreliableMemory();
    const { health, service } = await startService({ backend });
    const probes = () => backend.calls.filter((name) => name === PROBE).length;
    await Promise.all(Array.from({ length: 50 }, health));
    expect(probes()).toBe(1);
    await vi.advanceTimersByTimeAsync(999);
    for (let call = 0; call < 20; call++) await health();
    expect(probes()).toBe(1);
    await vi.advanceTimersByTimeAsync(2);
    for (let call = 0; call < 20; call++) await health();
    expect(probes()).toBe(2);
    await stepThrough(service.stop());
  });

  test("counts a pool once for any number of requests, and not again within a second", async () => {
    const backend = new UnreliableMemory();
    const { health, service } = await startService({ backend, types });
    // The first fill of the pool changes the same state.
    await vi.advanceTimersByTimeAsync(10_000);
    const changes = () => backend.calls.filter((name) => name === "pool:farmer").length;
    const filled = changes();
    await Promise.all(Array.from({ length: 50 }, health));
    expect(changes()).toBe(filled + 1);
    await vi.advanceTimersByTimeAsync(999);
    for (let call = 0; call < 20; call++) await health();
    expect(changes()).toBe(filled + 1);
    await vi.advanceTimersByTimeAsync(2);
    for (let call = 0; call < 20; call++) await health();
    expect(changes()).toBe(filled + 2);
    await stepThrough(service.stop());
  });

  test.each([
    ["backend", "GET", "/generate_counter_id"],
    ["poolBackend", "POST", "/v1/idgenerator/farmer/id"],
  ] as const)(
    "the error of a request is a reason to probe its store, %s, and no other",
    async (store, method, path) => {
      const stores = { backend: new UnreliableMemory(), poolBackend: new UnreliableMemory() };
      const { send, events, service } = await startService({ ...stores, machineId: 8, types });
      // The first fill of the pool.
      await vi.advanceTimersByTimeAsync(10_000);
      const other = store === "backend" ? "poolBackend" : "backend";
      stores[store].isDown = true;
      stores[other].readOnlyPrefixes = [PROBE];
      expect((await stepThrough(send(path, { method }))).status).toBe(503);
      await vi.advanceTimersByTimeAsync(2000);
      expect(events.filter(({ event }) => event === "store_down")).toMatchObject([{ store }]);
      stores[store].isDown = false;
      await stepThrough(service.stop());
    },
  );

  test("answers 503 while the generator refuses, as after a clock that was set back, and 200 after", async () => {
    const { health, events, service } = await startService({ machineId: 3 });
    const refusal = new ClockBackwardsError(20, 5, 10);
    const refused = vi.spyOn(SnowflakeGenerator.prototype, "nextIdAsync").mockRejectedValue(refusal);
    expect(await health()).toMatchObject([503, { status: "failing", generator: { status: "failing" } }]);
    expect(events).toMatchObject([{ event: "generator_failing", error: refusal }]);
    refused.mockRestore();
    await stepUntil(async () => expect(await health()).toMatchObject([200, { generator: { status: "ok" } }]));
    expect(events[1]).toMatchObject({ event: "generator_recovered" });
    await stepThrough(service.stop());
  });

  test("makes no ID of a layout that has few", async () => {
    const preset = { timestampBits: 53, datacenterBits: 0, machineBits: 5, sequenceBits: 5, tickMs: 1000 };
    const made = vi.spyOn(SnowflakeGenerator.prototype, "nextIdAsync");
    const { health, service } = await startService({ preset, machineId: 1 });
    expect(await health()).toMatchObject([200, { generator: { status: "ok" } }]);
    expect(makeGenerator(preset).capacity().idsPerSecond).toBe(32);
    expect(made).not.toHaveBeenCalled();
    await stepThrough(service.stop());
  });

  test("is failing at once when the clock refuses a request", async () => {
    const { send, eventNames, service } = await startService({ machineId: 4 });
    const refusal = new ClockBackwardsError(20, 5, 10);
    vi.spyOn(SnowflakeGenerator.prototype, "nextId").mockImplementation(() => {
      throw refusal;
    });
    vi.spyOn(SnowflakeGenerator.prototype, "nextIdAsync").mockRejectedValue(refusal);
    expect((await send("/generate_snowflake_id")).status).toBe(503);
    expect((await send("/generate_snowflake_id")).status).toBe(503);
    expect(eventNames()).toEqual(["generator_failing"]);
    await stepThrough(service.stop());
  });

  test("is degraded and names the pool that is empty and cannot be refilled, after an event", async () => {
    const poolBackend = new UnreliableMemory();
    poolBackend.readOnlyPrefixes = ["pool:farmer"];
    const { health, events, eventNames, service } = await startService({ poolBackend, types });
    await stepUntil(() => expect(eventNames()).toContain("refill_failed"));
    expect(events.find(({ event }) => event === "refill_failed")).toMatchObject({
      type: "farmer",
      level: "error",
      error: expect.any(Error),
    });
    expect(await health()).toMatchObject([
      200,
      { status: "degraded", pools: { farmer: { status: "failing" } } },
    ]);
    await stepThrough(service.stop());
  });

  test("is degraded after a first fill that failed, before any request, with one event", async () => {
    const poolBackend = new UnreliableMemory();
    const { change } = poolBackend;
    // Only the claim of the refill fails: the pool can be counted, and is empty.
    poolBackend.change = function (name, apply) {
      return change.call(this, name, (state, nowMs) => {
        const [next, result] = apply(state as never, nowMs);
        const { refiller } = (next ?? {}) as { readonly refiller?: unknown };
        if (name === "pool:farmer" && refiller !== undefined) {
          Object.assign(next as object, { refiller: undefined });
          throw new Error("read-only file system");
        }
        return [next, result];
      }) as never;
    };
    const { health, send, eventNames, service } = await startService({ poolBackend, types });
    await stepUntil(() => expect(eventNames()).toContain("refill_failed"));
    expect(await health()).toMatchObject([
      200,
      { status: "degraded", pools: { farmer: { status: "failing", available: 0 } } },
    ]);
    expect(eventNames()).toEqual(["refill_failed"]);
    expect((await stepThrough(send("/v1/idgenerator/farmer/id", { method: "POST" }))).status).toBe(503);
    await stepThrough(service.stop());
  });

  test("shows a pool as failing without a number if its store is down, and /metrics leaves it out", async () => {
    const poolBackend = new UnreliableMemory();
    const { send, service } = await startService({ poolBackend, machineId: 7, types });
    const gauges = async () =>
      (await (await send("/metrics")).text())
        .split("\n")
        .filter((line) => /^bitflake_(lease|pool)/.test(line) && !/_total\b/.test(line));
    expect(await gauges()).toEqual([
      'bitflake_pool_up{type="farmer"} 1',
      expect.stringMatching(/^bitflake_pool_available\{type="farmer"\} \d+$/),
      'bitflake_pool_taken{type="farmer"} 0',
      expect.stringMatching(/^bitflake_pool_remaining\{type="farmer"\} \d{9}$/),
    ]);
    poolBackend.isDown = true;
    const failing = { farmer: { status: "failing", available: null } };
    await stepUntil(async () => {
      expect(await (await send("/health")).json()).toMatchObject({ lease: null, pools: failing });
    });
    expect(await gauges()).toEqual(['bitflake_pool_up{type="farmer"} 0']);
    // Routes that need no pool still work.
    expect((await send("/generate_snowflake_id")).status).toBe(200);
    poolBackend.isDown = false;
    await stepThrough(service.stop());
  });
});

test("/livez answers 200 before, while and after the service runs, and with a failing store", async () => {
  const backend = new UnreliableMemory();
  const { send, service } = await openService({ backend, apiKeys: ["k".repeat(16)] });
  const livez = async () => statusAndBody(await send("/livez"));
  expect(await livez()).toEqual([200, { status: "ok" }]);
  backend.isDown = true;
  await service.start().catch(() => {});
  expect(await livez()).toEqual([200, { status: "ok" }]);
  await stepThrough(service.stop());
  expect(await livez()).toEqual([200, { status: "ok" }]);
});

test("events say that a renewal of the lease failed, that the lease is lost, and that a node is leased again", async () => {
  const backend = new UnreliableMemory();
  const { events, service } = await startService({ backend });
  backend.readOnlyPrefixes = ["leases:", "lease:"];
  const names = () => events.map(({ event }) => event).filter((event) => event.startsWith("lease"));
  for (let step = 0; step < 60 && !names().includes("lease_lost"); step++) {
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(names()).toEqual(["lease_renewal_failed", "lease_lost"]);
  backend.readOnlyPrefixes = [];
  for (let step = 0; step < 60 && !names().includes("lease_regained"); step++) {
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(events.filter(({ event }) => event.startsWith("lease"))).toMatchObject([
    { event: "lease_renewal_failed", level: "warn", node: 0, error: expect.any(Error) },
    { event: "lease_lost", level: "error", node: 0, error: expect.any(Error) },
    { event: "lease_regained", level: "info", node: expect.any(Number) },
  ]);
  await stepThrough(service.stop());
});

test("listeners that throw or reject change no response and cause no unhandled rejection", async () => {
  const rejections = vi.fn();
  process.on("unhandledRejection", rejections);
  const backend = new UnreliableMemory();
  const fail = () => Promise.reject(new Error("disk full"));
  const { health, send, service } = await startService({
    backend,
    log: fail as unknown as (entry: ServiceLogEntry) => void,
    onEvent: () => {
      throw new Error("disk full");
    },
  });
  backend.readOnlyPrefixes = [PROBE];
  await stepUntil(async () => expect(await health()).toMatchObject([503, { status: "failing" }]));
  expect((await send("/generate_uuid")).status).toBe(200);
  await new Promise((wake) => setImmediate(wake));
  process.off("unhandledRejection", rejections);
  expect(rejections).not.toHaveBeenCalled();
  await stepThrough(service.stop());
});

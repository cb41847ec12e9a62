// Health that is true: what cannot be done is failing, events tell when that begins and ends, and the end is announced.

import { afterEach, describe, expect, test, vi } from "vitest";
import { type MemoryPort, memory } from "../../src/backend/index.ts";
import { ClockBackwardsError, makeGenerator, SnowflakeGenerator } from "../../src/index.ts";
import { Dependency } from "../../src/service/dependency.ts";
import type { ServiceEvent, ServiceLogEntry } from "../../src/service/index.ts";
import { open, read } from "./app.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A memory of which some states cannot be changed, as in a store that answers and cannot be written. */
class Failing implements MemoryPort {
  /** The beginnings of their names. */
  fails: readonly string[] = [];
  readonly timeoutMs = 500;
  readonly #port = memory();
  /** The names that were changed, or that somebody tried to change. */
  readonly asked: string[] = [];

  change<State, Result>(
    name: string,
    change: (state: State | undefined, nowMs: number) => readonly [State, Result],
  ): Result {
    this.asked.push(name);
    if (this.fails.some((start) => name.startsWith(start))) throw new Error("read-only file system");
    return this.#port.change(name, change);
  }
}

const PROBE = "counter:bitflake health";

/** A service, its events, and ways to wait until its health says something. */
async function watched(options: Parameters<typeof open>[0] = {}) {
  const events: ServiceEvent[] = [];
  const opened = await open({ onEvent: (event) => void events.push(event), ...options });
  const health = async () => read(await opened.ask("/health"));
  const until = (status: number, body: object) =>
    vi.waitFor(async () => expect(await health()).toMatchObject([status, body]), 8000);
  return { ...opened, events, health, until };
}

/** The same, started. */
async function started(options: Parameters<typeof open>[0] = {}) {
  const opened = await watched(options);
  await opened.service.start();
  return opened;
}

describe("/health", () => {
  test("is 503 when the store answers and cannot be written, and says why in an event, once", async () => {
    const backend = new Failing();
    const { until, events, service } = await started({ backend });
    await until(200, { status: "ok", backend: { status: "ok" } });
    backend.fails = [PROBE];
    await until(503, { status: "failing", backend: { status: "failing" } });
    const [down, ...more] = events;
    expect(more).toEqual([]);
    expect(down).toMatchObject({ event: "store_down", level: "error", store: "backend" });
    expect(down?.error).toMatchObject({ cause: { message: "read-only file system" } });
    backend.fails = [];
    // Nobody has to ask for it to be noticed.
    await vi.waitFor(
      () => expect(events.map(({ event }) => event)).toEqual(["store_down", "store_up"]),
      8000,
    );
    await until(200, { status: "ok" });
    await service.stop();
  });

  test("tries to write the store of the pools as well", async () => {
    const poolBackend = new Failing();
    const { until, events, service, ask } = await started({ poolBackend, types: { farmer: { length: 10 } } });
    poolBackend.fails = [PROBE];
    await until(503, { status: "failing", backend: { status: "failing" } });
    expect(events).toMatchObject([{ event: "store_down", store: "poolBackend" }]);
    expect((await ask("/v1/idgenerator/health")).status).toBe(503);
    await service.stop();
  });

  test("asks a store once, however many ask, and not again within a second", async () => {
    const backend = new Failing();
    const { health, service } = await started({ backend });
    let nowMs = performance.now();
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    const probes = () => backend.asked.filter((name) => name === PROBE).length;
    await Promise.all(Array.from({ length: 50 }, health));
    expect(probes()).toBe(1);
    nowMs += 999;
    for (let call = 0; call < 20; call++) await health();
    expect(probes()).toBe(1);
    nowMs += 2;
    for (let call = 0; call < 20; call++) await health();
    expect(probes()).toBe(2);
    await service.stop();
  });

  test("is 503 when the generator refuses, as after a clock that was set back, and good again after", async () => {
    const { until, events, service } = await started({ machineId: 3 });
    const refusal = new ClockBackwardsError(20, 5, 10);
    const refused = vi.spyOn(SnowflakeGenerator.prototype, "nextIdAsync").mockRejectedValue(refusal);
    await until(503, { status: "failing", generator: { status: "failing" } });
    expect(events).toMatchObject([{ event: "generator_failing", error: refusal }]);
    refused.mockRestore();
    await until(200, { generator: { status: "ok" } });
    expect(events[1]).toMatchObject({ event: "generator_recovered" });
    await service.stop();
  });

  test("makes no ID of a layout that has few", async () => {
    const preset = { timestampBits: 53, datacenterBits: 0, machineBits: 5, sequenceBits: 5, tickMs: 1000 };
    const made = vi.spyOn(SnowflakeGenerator.prototype, "nextIdAsync");
    const { until, service } = await started({ preset, machineId: 1 });
    await until(200, { generator: { status: "ok" } });
    expect(makeGenerator(preset).capacity().idsPerSecond).toBe(32);
    expect(made).not.toHaveBeenCalled();
    await service.stop();
  });

  test("a request that the clock refuses is noticed at once", async () => {
    const { ask, events, service } = await started({ machineId: 4 });
    const refusal = new ClockBackwardsError(20, 5, 10);
    vi.spyOn(SnowflakeGenerator.prototype, "nextId").mockImplementation(() => {
      throw refusal;
    });
    vi.spyOn(SnowflakeGenerator.prototype, "nextIdAsync").mockRejectedValue(refusal);
    expect((await ask("/generate_snowflake_id")).status).toBe(503);
    expect((await ask("/generate_snowflake_id")).status).toBe(503);
    expect(events.map(({ event }) => event)).toEqual(["generator_failing"]);
    await service.stop();
  });

  test("is degraded when a pool is empty and cannot be refilled, and names it; the refill is told", async () => {
    const poolBackend = new Failing();
    poolBackend.fails = ["pool:farmer"];
    const { ask, events, service } = await started({ poolBackend, types: { farmer: { length: 10 } } });
    await vi.waitFor(() => expect(events.map(({ event }) => event)).toContain("refill_failed"), 5000);
    expect(events.find(({ event }) => event === "refill_failed")).toMatchObject({
      type: "farmer",
      level: "error",
      error: expect.any(Error),
    });
    expect(await read(await ask("/health"))).toMatchObject([
      200,
      { status: "degraded", pools: { farmer: { status: "failing" } } },
    ]);
    await service.stop();
  });
});

describe("events of a lease", () => {
  test("tell of a renewal that fails, of the loss, and of the next lease", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
    const backend = new Failing();
    const { events, service } = await started({ backend });
    backend.fails = ["leases:", "lease:"];
    const names = () => events.map(({ event }) => event).filter((event) => event.startsWith("lease"));
    for (let step = 0; step < 60 && !names().includes("lease_lost"); step++) {
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(names()).toEqual(["lease_renewal_failed", "lease_lost"]);
    backend.fails = [];
    for (let step = 0; step < 60 && !names().includes("lease_regained"); step++) {
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(events.filter(({ event }) => event.startsWith("lease"))).toMatchObject([
      { event: "lease_renewal_failed", level: "warn", node: 0, error: expect.any(Error) },
      { event: "lease_lost", level: "error", node: 0, error: expect.any(Error) },
      { event: "lease_regained", level: "info", node: expect.any(Number) },
    ]);
    await service.stop();
  });
});

describe("a listener", () => {
  test("that throws, or rejects, harms nobody", async () => {
    const rejections = vi.fn();
    process.on("unhandledRejection", rejections);
    const backend = new Failing();
    const fail = () => Promise.reject(new Error("disk full"));
    const { until, ask, service } = await started({
      backend,
      log: fail as unknown as (entry: ServiceLogEntry) => void,
      onEvent: () => {
        throw new Error("disk full");
      },
    });
    backend.fails = [PROBE];
    await until(503, { status: "failing" });
    expect((await ask("/generate_uuid")).status).toBe(200);
    await new Promise((wake) => setImmediate(wake));
    process.off("unhandledRejection", rejections);
    expect(rejections).not.toHaveBeenCalled();
    await service.stop();
  });
});

describe("the end", () => {
  test("is announced: /health says stopping, and requests are served until stop", async () => {
    const { service, ask, health } = await started({ types: { farmer: { length: 10 } } });
    const drained = service.drain(50);
    expect(await health()).toMatchObject([503, { status: "stopping" }]);
    expect((await ask("/v1/idgenerator/health")).status).toBe(503);
    expect((await ask("/generate_snowflake_id")).status).toBe(200);
    expect((await ask("/v1/idgenerator/farmer/id", { method: "POST" })).status).toBe(200);
    await drained;
    await service.stop();
    expect((await ask("/generate_uuid")).status).toBe(503);
  });

  test.each([-1, 1.5, "5", Number.NaN, 2 ** 31])("cannot be announced for %j ms", async (ms) => {
    const { service } = await open();
    expect(() => service.drain(ms as number)).toThrow(expect.objectContaining({ field: "ms" }));
    expect(await (await service(new Request("http://localhost/health"))).json()).toMatchObject({
      status: "starting",
    });
  });

  test("/livez is 200 before, while and after the service runs, whatever its stores do", async () => {
    const backend = new Failing();
    const { ask, service } = await open({ backend, apiKeys: ["k".repeat(16)] });
    const live = async () => read(await ask("/livez"));
    expect(await live()).toEqual([200, { status: "ok" }]);
    backend.fails = [""];
    await service.start().catch(() => {});
    expect(await live()).toEqual([200, { status: "ok" }]);
    await service.stop();
    expect(await live()).toEqual([200, { status: "ok" }]);
  });
});

describe("a limit that is open", () => {
  test("and cannot ask its store says nothing of the store of the pools", async () => {
    const backend = new Failing();
    const { ask, events, service } = await started({
      backend,
      poolBackend: memory(),
      machineId: 6,
      types: { farmer: { length: 10 } },
      rateLimit: { limit: 1000, onStoreError: "allow" },
    });
    backend.fails = ["rate:", PROBE];
    for (let at = 0; at < 3; at++) {
      expect((await ask("/v1/idgenerator/farmer/id", { method: "POST" })).status).toBe(200);
    }
    await vi.waitFor(() => expect(events).toMatchObject([{ event: "store_down", store: "backend" }]), 5000);
    await service.stop();
  });

  test("does not wait for a store that has just failed, and counts again when it is back", async () => {
    let isHanging = false;
    let limits = 0;
    const port = memory();
    const backend: MemoryPort = {
      timeoutMs: 200,
      // The port's types say that a memory answers at once; it may take its time all the same.
      change: ((name: string, change: Parameters<MemoryPort["change"]>[1]) => {
        if (name.startsWith("rate:")) limits++;
        return isHanging ? new Promise(() => {}) : port.change(name, change);
      }) as MemoryPort["change"],
    };
    const rateLimit = { limit: 1000, onStoreError: "allow" } as const;
    const { ask, service, events } = await started({ backend, rateLimit, machineId: 5 });
    const headers = async () => (await ask("/generate_uuid")).headers.get("ratelimit");
    expect(await headers()).toContain("r=999");
    isHanging = true;
    expect(await headers()).toBeNull();
    const asked = limits;
    for (let call = 0; call < 20; call++) expect(await headers()).toBeNull();
    expect(limits).toBe(asked);
    await vi.waitFor(() => expect(events.map(({ event }) => event)).toEqual(["store_down"]), 5000);
    expect(await headers()).toBeNull();
    expect(limits).toBe(asked);
    isHanging = false;
    await vi.waitFor(async () => expect(await headers()).toMatch(/r=\d+/), 8000);
    await service.stop();
  });
});

describe("a part", () => {
  /** A part whose probes are counted, and what it has told. */
  function counted() {
    const state = { probes: 0, isGood: false };
    const told: string[] = [];
    const part = new Dependency({
      probe: async () => {
        state.probes++;
        if (!state.isGood) throw new Error("bad");
      },
      onFailed: () => told.push("failed"),
      onRecovered: () => told.push("recovered"),
    });
    return { state, told, part };
  }

  test("of which requests report errors is probed at once, and not by each of them", async () => {
    vi.useFakeTimers();
    const { state, told, part } = counted();
    for (let at = 0; at < 50; at++) {
      part.reportError(new Error("a request"));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(state.probes).toBeGreaterThan(3);
    expect(state.probes).toBeLessThan(8);
    expect(told).toEqual(["failed"]);
    state.isGood = true;
    await vi.advanceTimersByTimeAsync(2000);
    expect(told).toEqual(["failed", "recovered"]);
    const before = state.probes;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(state.probes).toBe(before);
  });

  test("that works does not fail for what one request has met with", async () => {
    vi.useFakeTimers();
    const { state, told, part } = counted();
    state.isGood = true;
    for (let at = 0; at < 50; at++) {
      part.reportError(new Error("a request"));
      expect(part.reportedError).toBeInstanceOf(Error);
      expect(await part.check()).toBe(true);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(state.probes).toBeLessThan(8);
    expect([told, part.failure]).toEqual([[], undefined]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(part.reportedError).toBeUndefined();
  });

  test("that is stopped is not probed any more, and tells nothing", async () => {
    vi.useFakeTimers();
    const { state, told, part } = counted();
    expect(await part.check()).toBe(false);
    part.stop();
    await vi.advanceTimersByTimeAsync(5000);
    part.reportError(new Error("a request"));
    expect(await part.check()).toBe(false);
    part.markHealthy();
    await vi.advanceTimersByTimeAsync(5000);
    expect([state.probes, told]).toEqual([1, ["failed"]]);
  });
});

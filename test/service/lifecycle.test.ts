// The lifecycle: start, lease fence, drain, stop.

import { afterEach, describe, expect, test, vi } from "vitest";
import { memory, type RedisPort } from "../../src/backend/index.ts";
import { inspect, LeaseFenceError } from "../../src/lease/index.ts";
import { createService, type ServiceEvent } from "../../src/service/index.ts";
import { openService, startService, statusAndBody, UnreliableMemory } from "./openService.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the start", () => {
  test("rejects if the store has another definition of a type", async () => {
    const backend = memory();
    const first = await openService({ backend, types: { farmer: { length: 10 } } });
    expect((await first.send("/v1/idgenerator/farmer/id", { method: "POST" })).status).toBe(200);
    await first.service.stop();
    const other = createService({ backend, types: { farmer: { length: 12 } } });
    await expect(other.start()).rejects.toMatchObject({ code: "ERR_NAMESPACE" });
  });

  test("rejects with the error of the store, and can be called again", async () => {
    const backend = new UnreliableMemory();
    backend.isDown = true;
    const service = createService({ backend });
    await expect(service.start()).rejects.toMatchObject({ code: "ERR_BACKEND" });
    backend.isDown = false;
    await service.start();
    expect((await service(new Request("http://localhost/generate_snowflake_id"))).status).toBe(200);
    await service.stop();
  });
});

test("leaseBackend is the store of the lease alone", async () => {
  const [backend, leaseBackend] = [memory(), memory()];
  const others = [0, 1].map(() => createService({ backend: memory(), leaseBackend, name: "ids" }));
  const service = createService({ backend, leaseBackend, name: "ids" });
  for (const each of [...others, service]) await each.start();
  expect((await inspect(leaseBackend, "ids")).held.map(({ node }) => node)).toEqual([0, 1, 2]);
  expect((await inspect(backend, "ids")).used).toBe(0);
  const counted = await service(new Request("http://localhost/generate_counter_id"));
  expect(await counted.json()).toEqual({ id: "1" });
  for (const each of [...others, service]) await each.stop();
  expect((await inspect(leaseBackend, "ids")).held).toEqual([]);
});

describe("the start on a store that may have forgotten leases", () => {
  const EPOCH_MS = 1_577_836_800_000;

  /** A Redis that has just started, for leases alone. It grants node 3 after `grant()`. */
  function freshRedis() {
    const fences: string[] = [];
    let isGranting = false;
    const port: RedisPort = {
      async eval(script, _keys, args) {
        if (script.includes("'released'")) return "released";
        const now = Date.now();
        const tick = now - EPOCH_MS;
        // The script that acquires; the argument for the fence is the only boolean.
        if (script.includes("request_shape")) {
          fences.push(...args.filter((arg) => arg === "true" || arg === "false"));
          if (!isGranting) return `fenced ${tick + 40_000} ${now}`;
        }
        return `granted 3 0 ${tick + 30_000} ${now}`;
      },
    };
    return {
      port,
      fences,
      grant: () => {
        isGranting = true;
      },
    };
  }

  /** Opens a service whose leases are on a fresh Redis. Its timers are stepped. */
  async function openOnFreshRedis(options: Parameters<typeof openService>[0] = {}) {
    const redis = freshRedis();
    const events: ServiceEvent[] = [];
    const onEvent = (event: ServiceEvent) => void events.push(event);
    const opened = await openService({ leaseBackend: redis.port, onEvent, ...options });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    /** The pause between two attempts of the start. */
    const retry = () => vi.advanceTimersByTimeAsync(250);
    return { ...opened, redis, events, retry };
  }

  test("waits, emits one event, and refuses requests that need a node meanwhile", async () => {
    const { service, send, redis, events, retry } = await openOnFreshRedis();
    const started = service.start();
    await retry();
    await retry();
    expect(redis.fences.length).toBeGreaterThan(1);
    expect(events.map(({ event, level, error }) => [event, level, error])).toEqual([
      ["lease_fenced", "warn", expect.any(LeaseFenceError)],
    ]);
    expect(await statusAndBody(await send("/generate_snowflake_id"))).toMatchObject([
      503,
      { code: "ERR_LEASE_FENCE" },
    ]);
    expect(await statusAndBody(await send("/health"))).toMatchObject([503, { status: "starting" }]);
    expect((await send("/generate_uuid")).status).toBe(200);
    redis.grant();
    await retry();
    await started;
    const [, { id }] = (await statusAndBody(await send("/generate_snowflake_id"))) as [
      number,
      { id: string },
    ];
    expect((BigInt(id) >> 12n) & 1023n).toBe(3n);
    expect(redis.fences).toContain("true");
    await service.stop();
  });

  test("gives up when the service is stopped", async () => {
    const { service, redis, retry } = await openOnFreshRedis();
    const started = service.start().catch((error: unknown) => error);
    await retry();
    expect(redis.fences.length).toBeGreaterThan(0);
    const stopped = service.stop();
    await retry();
    await stopped;
    expect(await started).toBeInstanceOf(LeaseFenceError);
  });

  test("does not wait with fence: false", async () => {
    const { service, redis } = await openOnFreshRedis({ fence: false });
    redis.grant();
    await service.start();
    expect(redis.fences).toEqual(["false"]);
    await service.stop();
  });
});

describe("the stop", () => {
  test("answers requests in flight and refuses new ones", async () => {
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
    expect(await statusAndBody(late)).toMatchObject([503, { code: "ERR_STOPPING" }]);
    await new Promise((wake) => setTimeout(wake, 50));
    expect(isStopped).toBe(false);
    go();
    expect(await statusAndBody(await first)).toEqual([200, { id: "1" }]);
    await stopped;
  });

  test("waits for a request whose body is still arriving, with a timer that keeps the process alive", async () => {
    const { service } = await openService({ types: { farmer: { length: 10 } } });
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
    // It keeps the process alive, which would otherwise exit before the node is released.
    const stopTimer = started.mock.results[started.mock.calls.findIndex(([, ms]) => ms === 15_000)]?.value;
    expect(stopTimer?.hasRef()).toBe(true);
    expect((await service(new Request("http://localhost/generate_uuid"))).status).toBe(503);
    end();
    expect((await slow).status).toBe(200);
    await stopped;
    expect(cleared).toHaveBeenCalledWith(stopTimer);
    started.mockRestore();
    cleared.mockRestore();
  });

  test("releases the node for other services", async () => {
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

  test("can be called twice, before the start, and during the start", async () => {
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

  test("is announced by drain(): /health answers stopping, and requests are served until stop()", async () => {
    const { service, send, health } = await startService({ types: { farmer: { length: 10 } } });
    const drained = service.drain(50);
    expect(await health()).toMatchObject([503, { status: "stopping" }]);
    expect((await send("/v1/idgenerator/health")).status).toBe(503);
    expect((await send("/generate_snowflake_id")).status).toBe(200);
    expect((await send("/v1/idgenerator/farmer/id", { method: "POST" })).status).toBe(200);
    await drained;
    await service.stop();
    expect((await send("/generate_uuid")).status).toBe(503);
  });

  test.each([-1, 1.5, "5", Number.NaN, 2 ** 31])("drain(%j) throws", async (ms) => {
    const { service } = await openService();
    expect(() => service.drain(ms as number)).toThrow(expect.objectContaining({ field: "ms" }));
    expect(await (await service(new Request("http://localhost/health"))).json()).toMatchObject({
      status: "starting",
    });
  });
});

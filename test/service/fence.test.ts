// A start on a store that may have forgotten leases: it says so, waits, and can be stopped.

import { expect, test, vi } from "vitest";
import type { RedisPort } from "../../src/backend/index.ts";
import { LeaseFenceError } from "../../src/lease/index.ts";
import type { ServiceEvent } from "../../src/service/index.ts";
import { open, read } from "./app.ts";

const EPOCH = 1_577_836_800_000;

/** A Redis that has just come up, as far as leases ask it. It grants node 3 once it is let. */
function freshRedis() {
  const fences: string[] = [];
  let isLet = false;
  const port: RedisPort = {
    async eval(script, _keys, args) {
      if (script.includes("'released'")) return "released";
      const now = Date.now();
      const tick = now - EPOCH;
      if (args.length === 12) {
        fences.push(args[8] as string);
        if (!isLet) return `fenced ${tick + 40_000} ${now}`;
      }
      return `granted 3 0 ${tick + 30_000} ${now}`;
    },
  };
  return {
    port,
    fences,
    grant: () => {
      isLet = true;
    },
  };
}

async function fenced(options: Parameters<typeof open>[0] = {}) {
  const redis = freshRedis();
  const events: ServiceEvent[] = [];
  const onEvent = (event: ServiceEvent) => void events.push(event);
  const opened = await open({ leaseBackend: redis.port, onEvent, ...options });
  return { ...opened, redis, events };
}

test("the start waits, says so once, and requests that need a node are refused meanwhile", async () => {
  const { service, ask, redis, events } = await fenced();
  const started = service.start();
  await vi.waitFor(() => expect(redis.fences.length).toBeGreaterThan(1), 8000);
  expect(events.map(({ event, level, error }) => [event, level, error])).toEqual([
    ["lease_fenced", "warn", expect.any(LeaseFenceError)],
  ]);
  expect(await read(await ask("/generate_snowflake_id"))).toMatchObject([503, { code: "ERR_LEASE_FENCE" }]);
  expect(await read(await ask("/health"))).toMatchObject([503, { status: "starting" }]);
  expect((await ask("/generate_uuid")).status).toBe(200);
  redis.grant();
  await started;
  const [, { id }] = (await read(await ask("/generate_snowflake_id"))) as [number, { id: string }];
  expect((BigInt(id) >> 12n) & 1023n).toBe(3n);
  expect(redis.fences).toContain("true");
  await service.stop();
});

test("a start that waits is given up when the service is stopped", async () => {
  const { service, redis } = await fenced();
  const started = service.start().catch((error: unknown) => error);
  await vi.waitFor(() => expect(redis.fences.length).toBeGreaterThan(0), 8000);
  await service.stop();
  expect(await started).toBeInstanceOf(LeaseFenceError);
});

test("fence: false is passed on to the lease", async () => {
  const { service, redis } = await fenced({ fence: false });
  redis.grant();
  await service.start();
  expect(redis.fences).toEqual(["false"]);
  await service.stop();
});

// Idempotency on memory: conformance with stepped time, and exact times with a clock of the test.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { Idempotency } from "../../src/idempotency/index.ts";
import { oncePort } from "../../src/idempotency/openPort.ts";
import { conformance, portConformance, type TestTime } from "./conformance.ts";

describe("memory", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  let offsetMs = 0;
  const time: TestTime = {
    sleep: (ms) => vi.advanceTimersByTimeAsync(ms),
    pauseProcess: (ms) => {
      offsetMs += ms;
    },
  };
  const backend = memory({ clock: () => Date.now() + offsetMs });
  portConformance(() => backend, fc.readConfigureGlobal().numRuns as number, time);
  conformance(() => backend, time);
});

describe("time", () => {
  test.each([1000, 30_000])(
    "a result is kept for exactly ttlMs after the end of its work, with a lock of %d ms",
    async (lockMs) => {
      let now = 1_000_000;
      const once = new Idempotency({
        backend: memory({ clock: () => now }),
        name: "n",
        ttlMs: 5000,
        lockMs,
      });
      await once.once("k", "f", () => {
        now += 700;
        return 1;
      });
      now += 4999;
      expect(await once.once("k", "f", () => 2)).toEqual({ value: 1, isReplay: true });
      now += 1;
      expect(await once.once("k", "f", () => 3)).toEqual({ value: 3, isReplay: false });
    },
  );

  test("a lock ends exactly after lockMs", async () => {
    let now = 1_000_000;
    const once = new Idempotency({ backend: memory({ clock: () => now }), name: "n", lockMs: 1000 });
    let finish = () => {};
    const first = once.once(
      "k",
      "f",
      () =>
        new Promise<number>((resolve) => {
          finish = () => resolve(1);
        }),
    );
    now += 999;
    await expect(once.once("k", "f", () => 2)).rejects.toMatchObject({ lockedMs: 1 });
    now += 1;
    expect(await once.once("k", "f", () => 3)).toEqual({ value: 3, isReplay: false });
    finish();
    await expect(first).rejects.toMatchObject({ code: "ERR_LOCK_LOST", key: "k" });
  });

  test("after the clock is set back, a dead owner keeps the key for at most a lock, and a living owner keeps it", async () => {
    let now = 10_000_000;
    const store = oncePort(memory({ clock: () => now }), "n");
    const request = { fingerprint: "f", lockMs: 1000, keepMs: 100_000 };
    const acquire = (owner: string, lockMs = 1000) => store.acquire("k", { ...request, lockMs, owner });
    expect(await acquire("first")).toEqual({ outcome: "acquired" });
    now -= 3_600_000;
    // The duration of the owner's lock counts, not that of the request.
    expect(await acquire("next", 50)).toEqual({ outcome: "running", waitMs: 1000 });
    now += 999;
    expect(await acquire("next")).toEqual({ outcome: "running", waitMs: 1 });
    expect(await store.extend("k", { ...request, owner: "first" })).toBe(true);
    expect(await acquire("next")).toEqual({ outcome: "running", waitMs: 1000 });
    now += 1000;
    expect(await acquire("next")).toEqual({ outcome: "acquired" });
    expect(await store.complete("k", { ...request, owner: "first" }, "late")).toBe(false);
    // A difference within the grace is not pulled back.
    now -= 1000;
    expect(await acquire("third")).toEqual({ outcome: "running", waitMs: 2000 });
    now -= 1;
    expect(await acquire("third")).toEqual({ outcome: "running", waitMs: 1000 });
  });

  test("expired records are deleted", async () => {
    let now = 1_000_000;
    const port = memory({ clock: () => now });
    const once = new Idempotency({ backend: port, name: "n", ttlMs: 1000, lockMs: 100 });
    for (let call = 0; call < 100; call++) {
      now += 100;
      await once.once(`key ${call}`, "f", () => call);
    }
    const size = port.change<Map<string, unknown>, number>("once:n", (records = new Map()) => [
      records,
      records.size,
    ]);
    expect(size).toBe(10);
  });
});

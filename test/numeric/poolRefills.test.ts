// Background refills of IdPool: when they start, how processes share them, and what follows a failure.

import { describe, expect, test, vi } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { type FillProgress, IdPoolEmptyError, IdPoolExhaustedError } from "../../src/numeric/index.ts";
import { poolPort } from "../../src/numeric/openPort.ts";
import {
  advanceTime,
  expectDistinct,
  FOURS,
  finishBackground,
  freezeTime,
  InspectableStore,
  issueEach,
  MANY,
  type Operation,
  poolOf,
  rejection,
  useSteppedTime,
} from "./poolFixtures.ts";

useSteppedTime();

describe("a background refill", () => {
  test("starts at the low mark and ends at the high mark", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: MANY, lowMark: 10, highMark: 50 });
    await pool.fill();
    for (let round = 0; round < 3; round++) {
      for (let available = 49; available > 10; available--) {
        await pool.issue();
        await finishBackground();
        expect(store.state.available.length).toBe(available);
      }
      expect(store.takeCalls("add")).toEqual(round === 0 ? ["pool add"] : []);
      await pool.issue();
      await finishBackground();
      expect(store.state.available.length).toBe(50);
      expect(store.takeCalls("add")).toEqual(["pool add"]);
    }
  });

  test("also replaces the IDs that are taken while it runs", async () => {
    freezeTime();
    const pool = poolOf({ length: MANY, highMark: 2000, waitMs: 0 });
    await rejection(pool.issue());
    await advanceTime(1);
    expect(await pool.status()).toMatchObject({ isFilling: true });
    await pool.issueIds(100);
    await advanceTime(1000);
    expect(await pool.status()).toMatchObject({ isFilling: false, available: 2000, taken: 100 });
  });

  test("does not delay the issue that found the low mark", async () => {
    freezeTime();
    const pool = poolOf({ length: 8, lowMark: 10, highMark: 12 });
    const filled = pool.fill();
    await advanceTime(100);
    await filled;
    // Without any timer.
    expectDistinct(await issueEach(pool, 12), pool.type);
  });

  test("starts with the first issue of a process that finds few IDs", async () => {
    const store = new InspectableStore();
    await poolOf({ backend: store.port(), length: 8 }).fill({ to: 20 });
    await poolOf({ backend: store.port(), length: 8, lowMark: 30, highMark: 70 }).issue();
    await finishBackground();
    expect(store.state.available.length).toBe(70);
  });

  test("starts in time when other processes issue as well", async () => {
    const backend = memory();
    const pools = Array.from({ length: 8 }, () =>
      poolOf({ backend, length: 8, lowMark: 100, highMark: 400 }),
    );
    await pools[0].fill();
    for (let i = 0; i < 4000; i++) {
      await pools[i % 8].issue();
      if (i % 50 === 0) {
        await finishBackground();
        expect((await pools[0].status()).available).toBeGreaterThan(90);
      }
    }
  });

  test("starts in time when many IDs are issued at once", async () => {
    const pool = poolOf({ length: 8, lowMark: 100, highMark: 1000 });
    await pool.fill();
    await pool.issue();
    for (let batch = 0; batch < 30; batch++) {
      await pool.issueIds(90);
      await finishBackground();
      expect((await pool.status()).available).toBeGreaterThan(100);
    }
  });

  test("does not count the IDs at each issue while there are many", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: 8, lowMark: 100, highMark: 500 });
    await pool.fill();
    store.calls.length = 0;
    await issueEach(pool, 300);
    await finishBackground();
    expect(store.takeCalls("count").length).toBeLessThan(15);
  });

  test("runs in one of two pools at a time", async () => {
    const store = new InspectableStore();
    const pools = ["one", "two"].map((by) =>
      poolOf({ backend: store.port(by), length: 4, lowMark: 30, highMark: 60 }),
    );
    const issued = await Promise.all(Array.from({ length: 150 }, (_, call) => pools[call % 2].issue()));
    expectDistinct(issued, pools[0].type);
    await finishBackground();
    let holder: string | undefined;
    const holders = new Set<string>();
    for (const { by, operation, result } of store.calls) {
      if (operation === "claim") {
        if (holder !== undefined && holder !== by) expect(result).toBeNull();
        else holder = by;
        holders.add(holder as string);
      }
      if (operation === "add" || operation === "advance") expect(by).toBe(holder);
      if (operation === "release" && by === holder) holder = undefined;
    }
    expect(holder).toBeUndefined();
    expect([...holders].sort()).toEqual(["one", "two"]);
  });

  test("runs once at a time in a pool, however many issues wait for it", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: MANY, lowMark: 0, highMark: 300 });
    const ids = await Promise.all(Array.from({ length: 300 }, () => pool.issue()));
    expectDistinct(ids, pool.type);
    await finishBackground();
    // The second one replaces the IDs that the calls took.
    expect(store.takeCalls("add", "release")).toEqual([
      "pool add",
      "pool release",
      "pool add",
      "pool release",
    ]);
    expect(store.state.places.size).toBe(600);
  });

  test("waits for a crashed process, and takes over after 3 seconds of the store's clock", async () => {
    freezeTime();
    let nowMs = 5_000_000;
    const backend = memory({ clock: () => nowMs });
    await poolPort(backend, "farmer").claimRefill("dead", 3000);
    const pool = poolOf({ backend, waitMs: 60_000 });
    let id: string | undefined;
    void pool.issue().then((issued) => {
      id = issued;
    });
    // Almost a minute by this process's clock, and no time by the store's.
    await advanceTime(50_000);
    expect(id).toBeUndefined();
    nowMs += 2999;
    await advanceTime(1000);
    expect(id).toBeUndefined();
    expect(await pool.status()).toMatchObject({ isFilling: true, available: 0 });
    nowMs += 1;
    await advanceTime(200);
    expectDistinct([id as string], pool.type);
  });

  test("takes over from a crashed process within `waitMs`", async () => {
    const backend = memory();
    await poolPort(backend, "farmer").claimRefill("dead", 3000);
    const pool = poolOf({ backend });
    const started = Date.now();
    expectDistinct([await pool.issue()], pool.type);
    expect(Date.now() - started).toBeLessThan(3500);
  });

  test("does not disturb another process's refill, and its IDs are issued as they arrive", async () => {
    const backend = memory();
    const store = poolPort(backend, "farmer");
    const pool = poolOf({ backend, waitMs: 60_000 });
    await store.claimRefill("other", 3000);
    const started = Date.now();
    const call = pool.issue();
    setTimeout(() => void store.add([[FOURS[7], 5]]), 1000);
    expect(await call).toBe(FOURS[7]);
    expect(Date.now() - started).toBeLessThan(1100);
    await finishBackground();
  });

  test("is waited for exactly `waitMs` when another process runs it", async () => {
    freezeTime();
    const backend = memory();
    const store = poolPort(backend, "farmer");
    const pool = poolOf({ backend, waitMs: 2000 });
    await store.claimRefill("other", 3000);
    let error: unknown;
    void pool.issueIds(3).catch((refused) => {
      error = refused;
    });
    await advanceTime(1999);
    expect(error).toBeUndefined();
    await advanceTime(51);
    expect(error).toBeInstanceOf(IdPoolEmptyError);
    expect(error).toMatchObject({ code: "ERR_ID_POOL_EMPTY", type: "farmer", count: 3, available: 0 });
    expect(error).not.toHaveProperty("cause");
    expect(error).not.toBeInstanceOf(IdPoolExhaustedError);
  });

  test("starts without a wait when `waitMs` is 0", async () => {
    const pool = poolOf({ waitMs: 0, highMark: 100 });
    const started = Date.now();
    expect(await rejection(pool.issue())).toMatchObject({
      code: "ERR_ID_POOL_EMPTY",
      available: 0,
      count: 1,
    });
    expect(Date.now()).toBe(started);
    await finishBackground();
    expect((await pool.status()).available).toBe(100);
    expectDistinct([await pool.issue()], pool.type);
  });

  test("changes nothing after another process has taken over", async () => {
    let nowMs = 0;
    const store = poolPort(memory({ clock: () => nowMs }), "farmer");
    expect(await store.claimRefill("slow", 3000)).toBe("");
    nowMs = 3000;
    expect(await store.claimRefill("other", 3000)).toBe("");
    expect(await store.advanceScan("", "5 7 100")).toBe(true);
    expect(await store.advanceScan("", "6 9 100")).toBe(false);
    await store.releaseRefill("slow");
    expect(await store.claimRefill("slow", 3000)).toBeNull();
    expect(await store.claimRefill("other", 3000)).toBe("5 7 100");
    await store.releaseRefill("other");
    expect(await store.claimRefill("slow", 3000)).toBe("5 7 100");
  });

  test("ends when it has lost its claim, and leaves the rest to the other process", async () => {
    let nowMs = 0;
    const backend = memory({ clock: () => nowMs });
    const store = poolPort(backend, "farmer");
    const pool = poolOf({ backend, length: MANY });
    const seen: number[] = [];
    const onProgress = ({ available }: FillProgress) => {
      seen.push(available);
      if (seen.length !== 2) return;
      // A step so slow that the claim has expired.
      nowMs += 3000;
      void store.claimRefill("other", 3000);
    };
    const filling = pool.fill({ onProgress });
    await finishBackground();
    expect(seen).toEqual([500, 1000]);
    await store.releaseRefill("other");
    expect(await filling).toBe(6000);
    expect(seen.length).toBe(12);
  });

  test("adds more than the high mark if more are requested", async () => {
    const pool = poolOf({ length: 8, lowMark: 5, highMark: 10 });
    await pool.fill();
    expect((await pool.issueIds(700)).length).toBe(700);
  });
});

describe("a failing refill", () => {
  test("fails the issue that found no ID at once, and the next issue tries again", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port() });
    store.fails = (operation) => operation === "add";
    for (let again = 0; again < 3; again++) {
      const started = Date.now();
      const error = await rejection(pool.issue());
      expect(Date.now() - started).toBeLessThan(10);
      expect(error).toBeInstanceOf(IdPoolEmptyError);
      expect(error).toMatchObject({
        count: 1,
        available: 0,
        cause: { code: "ERR_BACKEND", operation: "pool: add" },
      });
      expect(store.state.refiller).toBeUndefined();
    }
    store.fails = () => false;
    expectDistinct([await pool.issue()], pool.type);
    await finishBackground();
    expect((await pool.status()).lastError).toBeUndefined();
  });

  test("leaves the IDs of its first step to waiting issues", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: MANY });
    let adds = 0;
    store.fails = (operation) => operation === "add" && ++adds > 1;
    const first = pool.issue().catch(() => "none");
    await finishBackground();
    // A later call of the same kind gets one.
    expectDistinct([await pool.issue()], pool.type);
    expectDistinct([await first], pool.type);
  });

  test.each<[Operation, string]>([
    ["claim", "pool: claim"],
    ["add", "pool: add"],
    ["count", "pool: count"],
  ])("at %s is in the status, while available IDs are issued", async (operation, name) => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), lowMark: 50, highMark: 60 });
    await pool.fill();
    await finishBackground();
    expect((await pool.status()).lastError).toBeUndefined();
    store.fails = (called) => called === operation;
    expectDistinct(await issueEach(pool, 60), pool.type);
    await finishBackground();
    const { lastError, available } = await pool.status();
    expect([available, lastError]).toEqual([
      0,
      expect.objectContaining({ code: "ERR_BACKEND", operation: name }),
    ]);
    store.fails = () => false;
    await pool.issue();
    await finishBackground();
    expect(await pool.status()).toMatchObject({ lastError: undefined, available: 59 });
  });

  test("calls onRefillFailed once per refill, however many issues wait for it", async () => {
    const store = new InspectableStore();
    const errors: unknown[] = [];
    const onRefillFailed = (error: unknown) => {
      errors.push(error);
      throw new Error("from the listener");
    };
    const pool = poolOf({ backend: store.port(), lowMark: 20, highMark: 20, onRefillFailed });
    store.fails = (operation) => operation === "add";
    for (let refills = 1; refills <= 2; refills++) {
      const calls = await Promise.all(Array.from({ length: 5 }, () => rejection(pool.issue())));
      expect(errors.length).toBe(refills);
      expect(new Set(calls.map(({ cause }) => cause))).toEqual(new Set([errors.at(-1)]));
      expect((await pool.status()).lastError).toBe(errors.at(-1));
    }
    store.fails = () => false;
    await pool.issueIds(20);
    await finishBackground();
    expect(errors.length).toBe(2);
    // The count that an issue starts in the background fails as well.
    store.fails = (operation) => operation === "count";
    await pool.issueIds(20);
    await finishBackground();
    expect(errors.slice(2)).toMatchObject([{ code: "ERR_BACKEND", operation: "pool: count" }]);
    await pool.stop();
  });

  test("by `fill` is in the status, and calls no listener, also if an issue waits for it", async () => {
    const store = new InspectableStore();
    const onRefillFailed = vi.fn();
    const pool = poolOf({ backend: store.port(), onRefillFailed });
    store.fails = (operation) => operation === "add";
    const filled = rejection(pool.fill());
    const issued = rejection(pool.issue());
    const error = await filled;
    expect((await issued).cause).toBe(error);
    expect((await pool.status()).lastError).toBe(error);
    expect(onRefillFailed).not.toHaveBeenCalled();
    for (const operation of ["count", "claim"] as const) {
      store.fails = (called) => called === operation;
      const error = await rejection(pool.fill());
      expect((await pool.status()).lastError).toBe(error);
    }
    store.fails = () => false;
    await pool.fill();
    expect((await pool.status()).lastError).toBeUndefined();
  });

  test("causes no unhandled rejection", async () => {
    const rejected = vi.fn();
    process.on("unhandledRejection", rejected);
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), lowMark: 20, highMark: 20 });
    await pool.fill();
    store.fails = (operation) => operation !== "issue";
    await issueEach(pool, 20);
    await finishBackground();
    vi.useRealTimers();
    await new Promise((wake) => setTimeout(wake, 5));
    process.off("unhandledRejection", rejected);
    expect(rejected).not.toHaveBeenCalled();
  });

  test("without an answer fails the waiting issue when the timeout is known", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port("pool", 1000), waitMs: 5000 });
    store.hangs = (operation) => operation === "claim";
    const started = Date.now();
    const error = await rejection(pool.issue());
    expect(error).toMatchObject({
      code: "ERR_ID_POOL_EMPTY",
      cause: { reason: "timeout", operation: "pool: claim" },
    });
    expect(Date.now() - started).toBeLessThan(1100);
  });

  test("that cannot release its claim has still refilled the pool", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), highMark: 30 });
    store.fails = (operation) => operation === "release";
    expect(await pool.fill()).toBe(30);
    expect((await pool.status()).isFilling).toBe(true);
    await finishBackground();
    expect((await pool.status()).isFilling).toBe(false);
  });

  test("that cannot advance the scan visits the same numbers again and omits none", async () => {
    const store = new InspectableStore();
    let advances = 0;
    store.fails = (operation) => operation === "advance" && advances++ % 3 > 0;
    const pool = poolOf({ backend: store.port(), highMark: 100 });
    const ids: string[] = [];
    for (;;) {
      const error = await pool.issue().then(
        (id) => void ids.push(id),
        (refused) => refused,
      );
      if (error instanceof IdPoolExhaustedError) break;
      if (error) expect(error).toMatchObject({ cause: { operation: "pool: advance scan" } });
    }
    expect(advances).toBeGreaterThan(5);
    expect(ids.sort()).toEqual(FOURS);
  });
});

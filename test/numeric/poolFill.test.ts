// IdPool.fill and IdPool.stop, and what keeps the process alive.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { ArgumentError, type FillProgress, type IdPool, IdPoolEmptyError } from "../../src/numeric/index.ts";
import { poolPort } from "../../src/numeric/openPort.ts";
import {
  ALL,
  advanceTime,
  delayedStore,
  drain,
  expectDistinct,
  FOURS,
  finishBackground,
  freezeTime,
  InspectableStore,
  issueEach,
  MANY,
  poolOf,
  rejection,
  useSteppedTime,
} from "./poolFixtures.ts";

useSteppedTime();

describe("fill", () => {
  test("fills to the high mark", async () => {
    const pool = poolOf({ length: MANY, highMark: 1200 });
    expect(await pool.fill()).toBe(1200);
    expect(await pool.status()).toMatchObject({ available: 1200, taken: 0, isFilling: false });
  });

  test.each([1, 499, 500, 501, 3000])("fills to %d and reports each step", async (to) => {
    const pool = poolOf({ length: MANY, lowMark: 1, highMark: 5000 });
    const seen: FillProgress[] = [];
    expect(await pool.fill({ to, onProgress: (progress) => void seen.push(progress) })).toBe(to);
    expect((await pool.status()).available).toBe(to);
    expect(seen.length).toBe(Math.ceil(to / 500));
    for (const [i, progress] of seen.entries()) {
      const added = Math.min(to, 500 * (i + 1));
      expect(progress).toEqual({ added, available: added, target: to });
    }
  });

  test("reports the added IDs, and the available ones with those before", async () => {
    const pool = poolOf({ length: MANY, highMark: 100 });
    await pool.fill({ to: 40 });
    const seen: FillProgress[] = [];
    await pool.fill({ onProgress: (progress) => void seen.push(progress) });
    expect(seen).toEqual([{ added: 60, available: 100, target: 100 }]);
  });

  test("does nothing if enough IDs are available", async () => {
    const pool = poolOf({ length: MANY });
    await pool.fill({ to: 50 });
    const onProgress = vi.fn();
    await pool.fill({ to: 50, onProgress });
    expect(await pool.fill({ to: 20, onProgress })).toBeGreaterThanOrEqual(20);
    expect(onProgress).not.toHaveBeenCalled();
    expect((await pool.status()).available).toBe(50);
  });

  test("returns the number of available IDs, counted up to `to`", async () => {
    const pool = poolOf({ length: MANY });
    await pool.fill({ to: 50 });
    expect(await pool.fill({ to: 20 })).toBe(20);
  });

  test("ends with all IDs if fewer than `to` exist", async () => {
    const pool = poolOf();
    const seen: number[] = [];
    const onProgress = ({ added, available }: FillProgress) => {
      // Most of the drawn and visited IDs are in the pool already.
      expect(added).toBe(available);
      seen.push(available);
    };
    expect(await pool.fill({ to: 1_000_000, onProgress })).toBe(ALL[4]);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(ALL[4]);
    expect(await pool.status()).toMatchObject({ available: ALL[4], remaining: 465n, isExhausted: false });
    expect(await pool.fill({ to: 1_000_000 })).toBe(ALL[4]);
    expect((await drain(pool)).ids.sort()).toEqual(FOURS);
    expect(await pool.fill()).toBe(0);
  });

  test("continues after a background refill to its own target", async () => {
    const pool = poolOf({ length: MANY, lowMark: 10, highMark: 2000, waitMs: 0 });
    await rejection(pool.issue());
    const seen: FillProgress[] = [];
    expect(await pool.fill({ to: 3000, onProgress: (progress) => void seen.push(progress) })).toBe(3000);
    expect(seen.at(-1)).toEqual({ added: 1000, available: 3000, target: 3000 });
  });

  test("is not stopped by a failed background refill", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), highMark: 100, waitMs: 0 });
    let adds = 0;
    store.fails = (operation) => operation === "add" && adds++ === 0;
    await rejection(pool.issue());
    expect(await pool.fill()).toBe(100);
  });

  test.each([
    [100, 1700],
    [1700, 100],
    [600, 600],
  ])("called twice at once, to %d and to %d, ends with at least as many", async (first, second) => {
    const backend = memory();
    for (const [one, two] of [
      [poolOf({ backend, length: MANY }), poolOf({ backend, length: MANY })],
      Array<IdPool>(2).fill(poolOf({ length: MANY })),
    ]) {
      const filled = await Promise.all([one.fill({ to: first }), two.fill({ to: second })]);
      expect(filled[0]).toBeGreaterThanOrEqual(first);
      expect(filled[1]).toBeGreaterThanOrEqual(second);
      expect((await one.status()).available).toBe(Math.max(first, second));
    }
  });

  test("waits for another process's refill, and adds what is still missing", async () => {
    const backend = memory();
    const store = poolPort(backend, "farmer");
    const pool = poolOf({ backend, highMark: 30 });
    await store.claimRefill("other", 3000);
    const started = Date.now();
    expect(await pool.fill()).toBe(30);
    expect(Date.now() - started).toBeGreaterThanOrEqual(3000);
    expect(Date.now() - started).toBeLessThan(3200);
  });

  test("continues while IDs are issued", async () => {
    const pool = poolOf({ length: MANY, lowMark: 0, highMark: 5000 });
    let taking: Promise<string[]> | undefined;
    const onProgress = () => {
      taking ??= issueEach(pool, 300);
    };
    expect(await pool.fill({ to: 3000, onProgress })).toBe(3000);
    expectDistinct((await taking) ?? [], pool.type);
    expect(await pool.status()).toMatchObject({ available: 3000, taken: 300 });
  });

  test("rejects with the error of its callback, and another process can refill at once", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: MANY });
    const mine = new Error("mine");
    const onProgress = () => {
      throw mine;
    };
    expect(await rejection(pool.fill({ onProgress }))).toBe(mine);
    expect(store.state.refiller).toBeUndefined();
    expect(await pool.status()).toMatchObject({ isFilling: false, available: 500 });
    const started = Date.now();
    expect(await poolOf({ backend: store.port(), length: MANY }).fill({ to: 700 })).toBe(700);
    expect(Date.now() - started).toBeLessThan(1000);
  });

  test("does not reject with the error of another call's callback", async () => {
    const pool = poolOf({ length: MANY });
    const onProgress = () => {
      throw new Error("another's");
    };
    const both = [pool.fill({ onProgress }), pool.fill({ to: 100 })];
    expect(await rejection(both[0])).toMatchObject({ message: "another's" });
    expect(await both[1]).toBeGreaterThanOrEqual(100);
  });

  test("rejects if the store fails, and keeps the added IDs", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: MANY });
    let adds = 0;
    store.fails = (operation) => operation === "add" && ++adds > 3;
    const error = await rejection(pool.fill());
    expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "failed", operation: "pool: add" });
    expect(error.message).toBe("pool: add: add refused");
    expect((await pool.status()).available).toBe(1500);
    store.fails = () => false;
    expect(await pool.fill()).toBe(6000);
  });

  test("clears the last error when it succeeds", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port() });
    store.fails = (operation) => operation === "add";
    await rejection(pool.issue());
    store.fails = () => false;
    await pool.fill();
    expect((await pool.status()).lastError).toBeUndefined();
  });

  test.each<[string, string, unknown]>([
    ["an unknown option", "option", { upTo: 5 }],
    ["a number", "options", 500],
    ["null", "options", null],
    ["no IDs", "to", { to: 0 }],
    ["less than none", "to", { to: -5 }],
    ["half an ID", "to", { to: 1.5 }],
    ["NaN", "to", { to: Number.NaN }],
    ["text", "to", { to: "5" }],
    ["a bigint", "to", { to: 5n }],
    ["null IDs", "to", { to: null }],
    ["2^31", "to", { to: 2 ** 31 }],
    ["text for a callback", "onProgress", { onProgress: "log" }],
    ["null for a callback", "onProgress", { onProgress: null }],
  ])("refuses %s", async (_, field, options) => {
    const store = new InspectableStore();
    const error = await rejection(poolOf({ backend: store.port() }).fill(options as { to: number }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field });
    expect(store.calls).toEqual([]);
  });
});

describe("stop", () => {
  test("ends a fill after its current step and releases the claim", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: MANY });
    let stopped: Promise<void> | undefined;
    const onProgress = ({ added }: FillProgress) => {
      if (added === 1000) stopped = pool.stop();
    };
    expect(await pool.fill({ onProgress })).toBe(1000);
    await stopped;
    expect(store.state.refiller).toBeUndefined();
    await finishBackground();
    expect(await pool.status()).toMatchObject({ available: 1000, isFilling: false });
  });

  test("resolves when the running refill has ended and released its claim", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: MANY, waitMs: 0 });
    await rejection(pool.issue());
    await advanceTime(1);
    expect(store.state.refiller).toBeDefined();
    await pool.stop();
    expect(store.state.refiller).toBeUndefined();
    store.calls.length = 0;
    await finishBackground();
    expect(store.calls).toEqual([]);
  });

  test("ends a scan after its current step, and another pool continues it", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: 5 });
    const steps: string[] = [];
    const onProgress = () => {
      steps.push(store.state.scan);
      if (steps.filter((scan) => scan !== "").length === 2) void pool.stop();
    };
    await pool.fill({ to: ALL[5], onProgress });
    const { scan } = store.state;
    expect(scan).toMatch(/^\d+ \d+ [1-9]\d*$/);
    const other = poolOf({ backend: store.port(), length: 5 });
    expect(await other.fill({ to: ALL[5] })).toBe(ALL[5]);
    expect(store.state.scan.split(" ")[1]).toBe(scan.split(" ")[1]);
  });

  test("leaves available IDs to be issued, and then issues throw at once", async () => {
    const pool = poolOf({ length: MANY, lowMark: 10, highMark: 20 });
    await pool.fill();
    await pool.stop();
    expectDistinct([...(await issueEach(pool, 18)), ...(await pool.issueIds(2))], pool.type);
    const started = Date.now();
    const error = await rejection(pool.issue());
    expect(error).toBeInstanceOf(IdPoolEmptyError);
    expect(error).toMatchObject({ available: 0, count: 1 });
    expect(error).not.toHaveProperty("cause");
    expect(Date.now()).toBe(started);
    await finishBackground();
    expect((await pool.status()).available).toBe(0);
  });

  test("rejects issues that wait for a refill", async () => {
    freezeTime();
    const backend = memory();
    await poolPort(backend, "farmer").claimRefill("other", 3000);
    const pool = poolOf({ backend, waitMs: 60_000 });
    const call = rejection(pool.issue());
    await advanceTime(500);
    await pool.stop();
    await advanceTime(200);
    expect(await Promise.race([call, "waiting"])).toBeInstanceOf(IdPoolEmptyError);
  });

  test("ends a fill that waits for another process", async () => {
    freezeTime();
    const backend = memory();
    await poolPort(backend, "farmer").claimRefill("other", 3000);
    const pool = poolOf({ backend });
    const call = pool.fill();
    await advanceTime(500);
    await pool.stop();
    await advanceTime(200);
    expect(await Promise.race([call, "waiting"])).toBe(0);
  });

  test("can be called first, twice, and twice at once", async () => {
    const pool = poolOf();
    await pool.stop();
    const filling = pool.fill({ to: 2000 });
    await Promise.all([pool.stop(), pool.stop()]);
    await filling;
    await pool.stop();
    expect((await pool.status()).isFilling).toBe(false);
  });

  test("prevents a refill that an earlier issue would have started", async () => {
    const store = new InspectableStore();
    await poolOf({ backend: store.port(), length: MANY }).fill({ to: 20 });
    const pool = poolOf({ backend: store.port(), length: MANY, lowMark: 30, highMark: 70 });
    store.calls.length = 0;
    await Promise.all([pool.issue(), pool.stop()]);
    await finishBackground();
    expect(store.takeCalls("claim", "add")).toEqual([]);
    expect((await pool.status()).available).toBe(19);
  });

  test("resolves when no more query is sent to the store", async () => {
    let waits = 0;
    const backend = delayedStore(() => {
      waits++;
      return 5;
    });
    await poolOf({ backend, length: MANY }).fill({ to: 20 });
    const pool = poolOf({ backend, length: MANY, lowMark: 30, highMark: 70 });
    await pool.issue();
    await pool.stop();
    const before = waits;
    await finishBackground();
    expect(waits).toBe(before);
  });

  test("ends a fill that was called just before", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: MANY });
    const filling = pool.fill();
    await pool.stop();
    expect(await filling).toBeLessThan(6000);
  });

  test("allows a later fill, but no background refill", async () => {
    const pool = poolOf({ length: MANY, lowMark: 10, highMark: 20 });
    await pool.stop();
    expect(await pool.fill()).toBe(20);
    await issueEach(pool, 15);
    await finishBackground();
    expect((await pool.status()).available).toBe(5);
    expect(await pool.fill({ to: 30 })).toBe(30);
  });

  test("before the first issue lets the pool issue what is available, and never refill", async () => {
    const store = new InspectableStore();
    await poolOf({ backend: store.port(), length: MANY }).fill({ to: 20 });
    const pool = poolOf({ backend: store.port(), length: MANY });
    await pool.stop();
    store.calls.length = 0;
    await pool.issueIds(20);
    expect(await rejection(pool.issue())).toMatchObject({ code: "ERR_ID_POOL_EMPTY" });
    await finishBackground();
    expect(store.takeCalls("claim", "add")).toEqual([]);
  });

  test("does not stop other pools of the store", async () => {
    const backend = memory();
    const [one, two] = [poolOf({ backend, length: MANY }), poolOf({ backend, length: MANY })];
    const filling = two.fill({ to: 3000 });
    await one.stop();
    expect(await filling).toBe(3000);
  });

  test("is called by `await using`", async () => {
    const pool = poolOf({ length: MANY, waitMs: 0 });
    await rejection(pool.issue());
    await advanceTime(1);
    expect((await pool.status()).isFilling).toBe(true);
    await pool[Symbol.asyncDispose]();
    expect((await pool.status()).isFilling).toBe(false);
    expect(Object.keys(pool)).toEqual(["type"]);
  });
});

describe("the process", () => {
  /** Returns a function that tells whether a timer keeps the process alive. */
  function watchTimers(): () => boolean {
    const live = new Set<ReturnType<typeof setTimeout>>();
    const { setTimeout: start, clearTimeout: end } = globalThis;
    vi.stubGlobal("setTimeout", (wake: () => void, ms: number) => {
      const timer = start(() => {
        live.delete(timer);
        wake();
      }, ms);
      live.add(timer);
      return timer;
    });
    vi.stubGlobal("clearTimeout", (timer: ReturnType<typeof setTimeout>) => {
      live.delete(timer);
      end(timer);
    });
    return () => [...live].some((timer) => timer.hasRef());
  }
  /** Returns a pool whose background refill waits for its next step. */
  async function poolWithRefill(): Promise<IdPool> {
    const pool = poolOf({ length: MANY, waitMs: 0 });
    await rejection(pool.issue());
    await advanceTime(1);
    expect((await pool.status()).isFilling).toBe(true);
    return pool;
  }
  const flushMicrotasks = async () => {
    for (let i = 0; i < 200; i++) await null;
  };
  beforeEach(freezeTime);
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test("stays alive while an issue waits for a refill", async () => {
    const isKept = watchTimers();
    const pool = poolOf({ length: MANY });
    const call = pool.issueIds(5000);
    for (let ms = 0; ms < 5; ms++) {
      await advanceTime(1);
      expect(isKept()).toBe(true);
    }
    await advanceTime(1000);
    expect((await call).length).toBe(5000);
  });

  // A caller that waits for a background refill waits for its timers. When they did not keep the process alive,
  // Node exited with code 13, because of an unsettled top-level await.
  test.each<[string, (pool: IdPool) => Promise<unknown>]>([
    ["stop()", (pool) => pool.stop()],
    ["fill()", (pool) => pool.fill()],
  ])("stays alive while a caller waits for %s", async (_, call) => {
    const isKept = watchTimers();
    const pool = await poolWithRefill();
    let isOver = false;
    void call(pool).then(() => {
      isOver = true;
    });
    await flushMicrotasks();
    expect(isOver || isKept()).toBe(true);
  });
});

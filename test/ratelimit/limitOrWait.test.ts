// limitOrWait: calls that wait for their quota, in turn, until their time is over or they are aborted.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { BackendError, RateLimit } from "../../src/ratelimit/index.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ["Date", "performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const make = (limit = 1, windowMs = 1000, onLimit: () => void = () => {}) => {
  const inner = memory();
  const backend = {
    change: ((name, change) => {
      if (name.startsWith("rate:")) onLimit();
      return inner.change(name, change);
    }) as typeof inner.change,
  };
  return new RateLimit({ backend, name: "api", limit, windowMs });
};

/** Notes the time at which each call ends, and whether it passed. */
function note(ends: string[]) {
  return async (name: string, call: Promise<{ readonly allowed: boolean }>) => {
    const outcome = await call.then(
      ({ allowed }) => (allowed ? "passed" : "denied"),
      (error) => `failed: ${error.message ?? error}`,
    );
    ends.push(`${name} ${outcome} at ${Date.now()}`);
  };
}

describe("limitOrWait", () => {
  test("passes at once within the limit, and else when the quota is available", async () => {
    const limiter = make();
    expect(await limiter.limitOrWait("ada", { maxWaitMs: 0 })).toEqual({
      allowed: true,
      remaining: 0,
      retryAfterMs: 0,
      resetMs: 1000,
    });
    const waiting = limiter.limitOrWait("ada", { maxWaitMs: 1000 });
    await vi.advanceTimersByTimeAsync(1000);
    expect(await waiting).toMatchObject({ allowed: true });
    expect(Date.now()).toBe(1000);
  });

  test("returns the denial at once if the time is too short", async () => {
    const limiter = make();
    await limiter.limit("ada");
    expect(await limiter.limitOrWait("ada", { maxWaitMs: 999 })).toEqual({
      allowed: false,
      remaining: 0,
      retryAfterMs: 1000,
      resetMs: 1000,
    });
    expect(Date.now()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("calls with one key pass in their order, also those of different costs, and other keys do not wait", async () => {
    const limiter = make(2, 2000);
    await limiter.limit("ada", 2);
    const ends: string[] = [];
    const all = [
      note(ends)("first", limiter.limitOrWait("ada", { maxWaitMs: 10_000, cost: 2 })),
      note(ends)("second", limiter.limitOrWait("ada", { maxWaitMs: 10_000 })),
      note(ends)("third", limiter.limitOrWait("ada", { maxWaitMs: 10_000 })),
      note(ends)("bob", limiter.limitOrWait("bob", { maxWaitMs: 10_000 })),
    ];
    await vi.advanceTimersByTimeAsync(10_000);
    await Promise.all(all);
    expect(ends).toEqual([
      "bob passed at 0",
      "first passed at 2000",
      "second passed at 3000",
      "third passed at 4000",
    ]);
  });

  test("a flood asks the store a few times for each call, not for each pair of them", async () => {
    let calls = 0;
    const limiter = make(1, 100, () => calls++);
    const all = Array.from({ length: 50 }, () => limiter.limitOrWait("ada", { maxWaitMs: 60_000 }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await Promise.all(all)).every(({ allowed }) => allowed)).toBe(true);
    expect(calls).toBeLessThanOrEqual(150);
  });

  test("a call whose time ends in the queue tries once more, and those behind it keep their turn", async () => {
    const limiter = make(2, 2000);
    await limiter.limit("ada", 2);
    const ends: string[] = [];
    const all = [
      note(ends)("first", limiter.limitOrWait("ada", { maxWaitMs: 5000, cost: 2 })),
      note(ends)("hasty", limiter.limitOrWait("ada", { maxWaitMs: 500 })),
      note(ends)("second", limiter.limitOrWait("ada", { maxWaitMs: 5000 })),
    ];
    await vi.advanceTimersByTimeAsync(600);
    const late = note(ends)("third", limiter.limitOrWait("ada", { maxWaitMs: 5000 }));
    await vi.advanceTimersByTimeAsync(6000);
    await Promise.all([...all, late]);
    expect(ends).toEqual([
      "hasty denied at 500",
      "first passed at 2000",
      "second passed at 3000",
      "third passed at 4000",
    ]);
  });

  test("waits again if another call was faster, as long as the time allows", async () => {
    const limiter = make(1, 1000);
    await limiter.limit("ada");
    const ends: string[] = [];
    const slow = note(ends)("slow", limiter.limitOrWait("ada", { maxWaitMs: 2500 }));
    const hasty = note(ends)("hasty", limiter.limitOrWait("bob", { maxWaitMs: 0 }));
    await vi.advanceTimersByTimeAsync(999);
    // A moment before the timer of the waiting call.
    vi.setSystemTime(1000);
    expect((await limiter.limit("ada")).allowed).toBe(true);
    await vi.advanceTimersByTimeAsync(3000);
    await Promise.all([slow, hasty]);
    expect(ends[0]).toBe("hasty passed at 0");
    expect(ends[1]).toMatch(/^slow passed at 20\d\d$/);
  });

  test("an abort ends the wait with its reason, takes nothing, and lets the next call have its turn", async () => {
    const limiter = make(1, 1000);
    await limiter.limit("ada");
    const ends: string[] = [];
    const [one, two] = [new AbortController(), new AbortController()];
    const all = [
      note(ends)("first", limiter.limitOrWait("ada", { maxWaitMs: 5000, signal: one.signal })),
      note(ends)("second", limiter.limitOrWait("ada", { maxWaitMs: 5000, signal: two.signal })),
      note(ends)("third", limiter.limitOrWait("ada", { maxWaitMs: 5000 })),
    ];
    await vi.advanceTimersByTimeAsync(100);
    two.abort(new Error("second gone"));
    await vi.advanceTimersByTimeAsync(100);
    one.abort(new Error("first gone"));
    await vi.advanceTimersByTimeAsync(5000);
    await Promise.all(all);
    expect(ends).toEqual([
      "second failed: second gone at 100",
      "first failed: first gone at 200",
      "third passed at 1000",
    ]);
    expect(vi.getTimerCount()).toBe(0);
    const aborted = limiter.limitOrWait("ada", { maxWaitMs: 5000, signal: AbortSignal.abort("no") });
    await expect(aborted).rejects.toBe("no");
    expect((await limiter.limit("ada")).allowed).toBe(true);
  });

  test("a store that fails ends the wait, and lets the next call have its turn", async () => {
    let isDown = false;
    const inner = make();
    const limiter = new RateLimit({
      backend: {
        change: ((name, change) => {
          if (isDown) throw new Error("down");
          return (inner.backend as ReturnType<typeof memory>).change(name, change);
        }) as ReturnType<typeof memory>["change"],
      },
      name: "api",
      limit: 1,
      windowMs: 1000,
    });
    await limiter.limit("ada");
    const ends: string[] = [];
    const all = [1, 2].map((call) => note(ends)(`${call}`, limiter.limitOrWait("ada", { maxWaitMs: 5000 })));
    isDown = true;
    await vi.advanceTimersByTimeAsync(5000);
    await Promise.all(all);
    expect(ends[0]).toMatch(/^1 failed: .*down at 1000$/);
    expect(ends[1]).toMatch(/^2 failed: .*down at 1000$/);
    await expect(limiter.limitOrWait("ada", { maxWaitMs: 1 })).rejects.toBeInstanceOf(BackendError);
  });

  test("a block that is too long is a denial at once", async () => {
    const limiter = make();
    await limiter.block("ada", 60_000);
    expect(await limiter.limitOrWait("ada", { maxWaitMs: 59_999 })).toMatchObject({ blockedMs: 60_000 });
    const waiting = limiter.limitOrWait("ada", { maxWaitMs: 60_000 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await waiting).allowed).toBe(true);
  });
});

// The rate limit rule: tables of single calls, and properties of call sequences.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toDecision } from "../../src/ratelimit/decision.ts";
import {
  block,
  consume,
  type Gcra,
  GRACE_US,
  gcraOf,
  isChange,
  isPlausible,
  peek,
  refund,
} from "../../src/ratelimit/rule.ts";
import { anyLimit, anyShare, NOW } from "./arbitraries.ts";

describe("gcraOf", () => {
  test.each([
    [10, 60_000, 6_000_000, 60_000_000],
    [1, 1, 1000, 1000],
    [1000, 1, 1, 1000],
    [3, 1, 334, 1002], // Rounded up, because rounding down would allow more than the limit.
    [700_000, 1000, 2, 1_400_000],
    [1_000_000_000, 1_000_000, 1, 1_000_000_000],
    [1_000_000_000, 2 ** 31 - 1, 2148, 2_148_000_000_000],
    [1, 2 ** 31 - 1, 2_147_483_647_000, 2_147_483_647_000],
  ])("%d in %d ms is one call every %d µs, at most %d µs ahead", (limit, windowMs, interval, tolerance) => {
    expect(gcraOf(limit, windowMs)).toEqual({ interval, tolerance });
  });
});

test("a burst is what may be ahead, and leaves the interval", () => {
  expect(gcraOf(10, 60_000, 3)).toEqual({ interval: 6_000_000, tolerance: 18_000_000 });
  expect(gcraOf(10, 60_000, 25)).toEqual({ interval: 6_000_000, tolerance: 150_000_000 });
});

/** 10 in 60 s. */
const TEN = gcraOf(10, 60_000);
const S = 1_000_000;

describe("consume", () => {
  test.each<[string, number, number | undefined, boolean, number]>([
    ["a new key", 1, undefined, true, 6 * S],
    ["a new key, the whole quota", 10, undefined, true, 60 * S],
    ["a TAT in the past", 1, -5 * S, true, 6 * S],
    ["a TAT of now", 1, 0, true, 6 * S],
    ["a TAT of 1970", 10, -NOW, true, 60 * S],
    ["quota left", 2, 20 * S, true, 32 * S],
    ["exactly enough quota left", 1, 54 * S, true, 60 * S],
    ["a microsecond too early", 1, 54 * S + 1, false, 54 * S + 1],
    ["no quota left", 1, 60 * S, false, 60 * S],
    ["cost 2, with quota for 1", 2, 54 * S, false, 54 * S],
    ["a clock that was set back within the grace", 1, 60 * S + GRACE_US, false, 60 * S + GRACE_US],
    ["a clock that was set back by more than the grace", 1, 60 * S + GRACE_US + 1, false, 60 * S],
    ["a clock that was set back by a year", 10, 31_536_000 * S, false, 60 * S],
  ])("%s", (_, cost, before, allowed, tat) => {
    const at = before === undefined ? undefined : NOW + before;
    expect(consume(TEN, cost * TEN.interval, at, NOW)).toEqual({ allowed, tat: NOW + tat, now: NOW });
  });
});

describe("a blocked key", () => {
  test.each<[string, number | undefined, number, boolean, number]>([
    ["that has used nothing", undefined, 1, false, 0],
    ["whose TAT has passed", -5 * S, 1, false, 0],
    ["with a TAT", 20 * S, 1, false, 20 * S],
    ["with a TAT that is implausibly far", 62 * S, 1, false, 60 * S],
    ["whose block ends now", 20 * S, 0, true, 26 * S],
    ["whose block has ended", undefined, -1, true, 6 * S],
  ])("%s", (_, before, blocked, allowed, tat) => {
    const at = before === undefined ? undefined : NOW + before;
    const result = consume(TEN, TEN.interval, at, NOW, GRACE_US, NOW + blocked);
    const wanted = { allowed, tat: NOW + tat, now: NOW };
    expect(result).toStrictEqual(allowed ? wanted : { ...wanted, blockedUntil: NOW + blocked });
    expect(isPlausible(TEN, TEN.interval, result)).toBe(true);
    expect(isChange(result, at)).toBe(allowed || before === 62 * S);
  });
});

describe("peek", () => {
  test.each([undefined, -5 * S, 0, 54 * S, 54 * S + 1, 60 * S, 62 * S])(
    "has the outcome of consume, with the TAT before it, from a TAT of %d",
    (before) => {
      const at = before === undefined ? undefined : NOW + before;
      const consumed = consume(TEN, TEN.interval, at, NOW);
      const tat = consumed.allowed ? Math.max(at ?? NOW, NOW) : consumed.tat;
      expect(peek(TEN, TEN.interval, at, NOW)).toStrictEqual({ ...consumed, tat });
      expect(peek(TEN, TEN.interval, at, NOW, GRACE_US, NOW + 1).allowed).toBe(false);
    },
  );

  test("of a cost that never passes is denied", () => {
    expect(peek(TEN, Infinity, undefined, NOW)).toStrictEqual({ allowed: false, tat: NOW, now: NOW });
  });
});

describe("refund", () => {
  const ANY = Number.MAX_SAFE_INTEGER;
  test.each<[string, number | undefined, number, number, number | undefined]>([
    ["of a key that has used nothing", undefined, 6 * S, ANY, undefined],
    ["of a key whose TAT has passed", -S, 6 * S, ANY, -S],
    ["of a key whose TAT is now", 0, 6 * S, ANY, 0],
    ["of a part", 30 * S, 6 * S, ANY, 24 * S],
    ["of all", 30 * S, 30 * S, ANY, 0],
    ["of more than all", 30 * S, 31 * S, ANY, 0],
    ["of a call that is over", 30 * S, 6 * S, NOW, 30 * S],
    ["of a call that was over long ago", 30 * S, 6 * S, NOW - 60 * S, 30 * S],
    ["of a call that is nearly over", 30 * S, 6 * S, NOW + 1, 30 * S - 1],
    ["of a call that has just been made", 30 * S, 6 * S, NOW + 6 * S, 24 * S],
  ])("%s", (_, before, costUs, callTat, after) => {
    const at = (offset: number | undefined) => (offset === undefined ? undefined : NOW + offset);
    expect(refund(at(before), costUs, callTat, NOW)).toBe(at(after));
  });
});

describe("block", () => {
  test.each<[number | undefined, number, number]>([
    [undefined, 5, 5],
    [-100, 5, 5],
    [3, 5, 5],
    [5, 5, 5],
    [7, 5, 7],
  ])("until %d, blocked for %d, ends at %d", (before, forUs, after) => {
    expect(block(before === undefined ? undefined : NOW + before, forUs, NOW)).toBe(NOW + after);
  });
});

describe("toDecision", () => {
  test.each([
    ["the first call", 1, true, 6 * S, [9, 0, 6000]],
    ["the whole quota", 1, true, 60 * S, [0, 0, 60_000]],
    ["a part of an interval counts as no call", 1, true, 54 * S + 1, [0, 0, 54_001]],
    ["a part of a millisecond counts as one", 1, true, 1, [9, 0, 1]],
    ["denied, no quota left", 1, false, 60 * S, [0, 6000, 60_000]],
    ["denied, no quota left, for the whole quota", 10, false, 60 * S, [0, 60_000, 60_000]],
    ["too early by a microsecond", 1, false, 54 * S + 1, [0, 1, 54_001]],
    ["too early by a millisecond and one", 1, false, 54 * S + 1001, [0, 2, 54_002]],
    ["denied, quota for a smaller cost", 5, false, 36 * S, [4, 6000, 36_000]],
    ["denied, past the tolerance", 1, false, 60 * S + GRACE_US, [0, 7000, 61_000]],
    ["denied, with quota again", 1, false, 12 * S, [8, 1, 12_000]],
    ["denied, and the key is gone", 10, false, -NOW, [10, 1, 0]],
  ] as const)("%s", (_, cost, allowed, tat, [remaining, retryAfterMs, resetMs]) => {
    const decision = toDecision(TEN, cost * TEN.interval, { allowed, tat: NOW + tat, now: NOW });
    expect(decision).toEqual({ allowed, remaining, retryAfterMs, resetMs });
  });
});

interface Call {
  /** Microseconds since the call before. */
  readonly wait: number;
  readonly cost: number;
}

const anyCalls = anyLimit.chain(({ limit, windowMs }) => {
  const { interval } = gcraOf(limit, windowMs);
  const wait = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: interval - 1, max: interval + 1 }),
    fc.integer({ min: 0, max: 2 * interval }),
    fc.integer({ min: 0, max: 2 * windowMs * 1000 }),
  );
  const cost = fc.oneof(
    { weight: 3, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.constant(limit) },
    { weight: 2, arbitrary: anyShare.map((share) => Math.max(1, Math.ceil(share * limit))) },
  );
  const calls = fc.array(fc.record({ wait, cost }), { minLength: 1, maxLength: 60, size: "max" });
  return fc.record({ limit: fc.constant(limit), windowMs: fc.constant(windowMs), calls });
});

/** Makes calls one after the other, and returns the TAT before each and its outcome. */
function play(gcra: Gcra, calls: readonly Call[]) {
  let tat: number | undefined;
  let now = NOW;
  return calls.map(({ wait, cost }) => {
    now += wait;
    const before = tat;
    const outcome = consume(gcra, cost * gcra.interval, tat, now);
    tat = outcome.tat;
    return { before, cost, outcome };
  });
}

/** Counts by trial how many calls of cost 1 pass at a moment. */
function countPassing(gcra: Gcra, stored: number | undefined, now: number, most: number): number {
  let tat = stored;
  for (let count = 0; count < most; count++) {
    const outcome = consume(gcra, gcra.interval, tat, now);
    if (!outcome.allowed) return count;
    tat = outcome.tat;
  }
  return most;
}

describe("the rule", () => {
  test("allows in any period at most the limit plus one call for each interval", () => {
    fc.assert(
      fc.property(anyCalls, ({ limit, windowMs, calls }) => {
        const gcra = gcraOf(limit, windowMs);
        const passed = play(gcra, calls).filter(({ outcome }) => outcome.allowed);
        let worst = -Infinity;
        for (const from of passed.keys()) {
          let count = 0;
          for (const { cost, outcome } of passed.slice(from)) {
            count += cost;
            const span = outcome.now - passed[from].outcome.now;
            worst = Math.max(worst, count - limit - Math.floor(span / gcra.interval));
          }
        }
        expect(worst).toBeLessThanOrEqual(0);
      }),
    );
  });

  test("denies only calls that would exceed that", () => {
    fc.assert(
      fc.property(anyCalls, ({ limit, windowMs, calls }) => {
        const gcra = gcraOf(limit, windowMs);
        const played = play(gcra, calls);
        for (const [at, { cost, outcome }] of played.entries()) {
          if (outcome.allowed) continue;
          // Some period that ends with this call would have exceeded it.
          let count = cost;
          const isTooMuch = played
            .slice(0, at)
            .reverse()
            .some((earlier) => {
              if (!earlier.outcome.allowed) return false;
              count += earlier.cost;
              return (count - limit) * gcra.interval > outcome.now - earlier.outcome.now;
            });
          expect(isTooMuch).toBe(true);
        }
      }),
    );
  });

  test("a denied call changes nothing, and each outcome is plausible", () => {
    fc.assert(
      fc.property(anyCalls, ({ limit, windowMs, calls }) => {
        const gcra = gcraOf(limit, windowMs);
        for (const { before, cost, outcome } of play(gcra, calls)) {
          if (!outcome.allowed) expect(outcome.tat).toBe(before);
          expect(isPlausible(gcra, cost * gcra.interval, outcome)).toBe(true);
        }
      }),
    );
  });

  test("a denied call passes after retryAfterMs, and not a millisecond earlier", () => {
    fc.assert(
      fc.property(anyCalls, ({ limit, windowMs, calls }) => {
        const gcra = gcraOf(limit, windowMs);
        for (const { cost, outcome } of play(gcra, calls)) {
          const costUs = cost * gcra.interval;
          const { allowed, retryAfterMs } = toDecision(gcra, costUs, outcome);
          expect(retryAfterMs === 0).toBe(allowed);
          if (allowed) continue;
          const passes = (ms: number) => consume(gcra, costUs, outcome.tat, outcome.now + ms * 1000).allowed;
          expect(passes(retryAfterMs)).toBe(true);
          expect(passes(retryAfterMs - 1)).toBe(false);
        }
      }),
    );
  });

  test("remaining and resetMs are exact", () => {
    fc.assert(
      fc.property(anyCalls, ({ limit, windowMs, calls }) => {
        const gcra = gcraOf(limit, windowMs);
        for (const { cost, outcome } of play(gcra, calls)) {
          const { remaining, resetMs } = toDecision(gcra, cost * gcra.interval, outcome);
          const most = Math.min(limit, 20);
          const pass = (count: number, ms: number) =>
            count === 0 || consume(gcra, count * gcra.interval, outcome.tat, outcome.now + ms * 1000).allowed;
          const isTrue =
            Math.min(remaining, most) === countPassing(gcra, outcome.tat, outcome.now, most) &&
            pass(remaining, 0) &&
            (remaining === limit || !pass(remaining + 1, 0)) &&
            pass(limit, resetMs) &&
            (resetMs === 0 || !pass(limit, resetMs - 1));
          if (!isTrue) expect.fail(`remaining ${remaining}, resetMs ${resetMs}: ${JSON.stringify(outcome)}`);
        }
      }),
    );
  });

  test("allows a steady client at each of its times, however many calls come too early", () => {
    fc.assert(
      fc.property(anyLimit, fc.integer({ min: 0, max: 20 }), ({ limit, windowMs }, tries) => {
        const gcra = gcraOf(limit, windowMs);
        let tat: number | undefined = consume(gcra, gcra.tolerance, undefined, NOW).tat;
        const tally = { early: 0, passed: 0 };
        for (let call = 1; call < 50; call++) {
          const now = NOW + call * gcra.interval;
          // Calls that come too early do not count.
          for (let early = 0; early < tries; early++) {
            const outcome = consume(gcra, gcra.interval, tat, now - 1);
            if (outcome.allowed) tally.early++;
            tat = outcome.tat;
          }
          const outcome = consume(gcra, gcra.interval, tat, now);
          if (outcome.allowed) tally.passed++;
          tat = outcome.tat;
        }
        expect(tally).toEqual({ early: 0, passed: 49 });
      }),
    );
  });

  test("denies for at most a window and a second, for any stored TAT", () => {
    fc.assert(
      fc.property(
        anyLimit,
        anyShare,
        fc.oneof(fc.integer({ min: 0, max: 2 * GRACE_US }), fc.integer({ min: 0, max: 6e15 })),
        ({ limit, windowMs }, share, ahead) => {
          const gcra = gcraOf(limit, windowMs);
          const costUs = Math.max(1, Math.ceil(share * limit)) * gcra.interval;
          const outcome = consume(gcra, costUs, NOW + ahead, NOW);
          expect(isPlausible(gcra, costUs, outcome)).toBe(true);
          if (outcome.allowed) return;
          const { retryAfterMs, resetMs } = toDecision(gcra, costUs, outcome);
          expect(resetMs).toBeLessThanOrEqual((gcra.tolerance + GRACE_US) / 1000);
          const passes = (ms: number) => consume(gcra, costUs, outcome.tat, NOW + ms * 1000).allowed;
          expect(passes(retryAfterMs)).toBe(true);
          expect(passes(retryAfterMs - 1)).toBe(false);
        },
      ),
    );
  });
});

describe("isPlausible", () => {
  test.each<[string, boolean, number, number]>([
    ["allowed at no cost", true, 0, NOW],
    ["allowed at too low a cost", true, 12 * S - 1, NOW],
    ["allowed past the tolerance", true, 60 * S + 1, NOW],
    ["denied with quota left", false, 48 * S, NOW],
    ["denied a key that has used nothing", false, -NOW, NOW],
    ["denied far past the tolerance", false, 60 * S + GRACE_US + 1, NOW],
    ["a TAT with a fraction", true, 12 * S + 0.5, NOW],
    ["a time with a fraction", true, 12 * S, NOW + 0.5],
    ["NaN as the time", true, 12 * S, Number.NaN],
    ["Infinity as the time", true, 12 * S, Infinity],
    ["a time past 2^53", true, 12 * S, 2 ** 60],
  ])("is false for %s", (_, allowed, ahead, now) => {
    expect(isPlausible(TEN, 2 * TEN.interval, { allowed, tat: now + ahead, now })).toBe(false);
  });

  test("is false for a time with a fraction, or past 2^53, beside a TAT that is a safe integer", () => {
    const tat = 2 ** 53 - 1;
    expect(isPlausible(TEN, 2 * TEN.interval, { allowed: true, tat, now: tat - 20 * S })).toBe(true);
    expect(isPlausible(TEN, 2 * TEN.interval, { allowed: true, tat: NOW + 20 * S, now: NOW + 0.5 })).toBe(
      false,
    );
    expect(isPlausible(TEN, 2 * TEN.interval, { allowed: false, tat, now: 2 ** 53 })).toBe(false);
  });

  test("is false for an allowed call with a block, and for a block that has ended", () => {
    const result = { tat: NOW + 12 * S, now: NOW };
    const check = (allowed: boolean, blockedUntil: number) =>
      isPlausible(TEN, 2 * TEN.interval, { ...result, allowed, blockedUntil });
    expect(check(false, NOW + 1)).toBe(true);
    for (const blockedUntil of [NOW, NOW - 1, NOW + 0.5, Number.NaN, Infinity, 2 ** 60]) {
      expect(check(false, blockedUntil)).toBe(false);
    }
    expect(check(true, NOW + 1)).toBe(false);
  });

  test.each<[boolean, number]>([
    [true, 12 * S],
    [true, 60 * S],
    [false, 48 * S + 1],
    [false, 60 * S + GRACE_US],
  ])("is true for allowed %s, %d µs ahead", (allowed, ahead) => {
    expect(isPlausible(TEN, 2 * TEN.interval, { allowed, tat: NOW + ahead, now: NOW })).toBe(true);
  });
});

// The rule of rate limits, as a table and as promises.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toDecision } from "../../src/ratelimit/decision.ts";
import { consume, type Gcra, GRACE_US, gcraOf, isPlausible } from "../../src/ratelimit/rule.ts";
import { anyLimit, anyShare, NOW } from "./arbitraries.ts";

describe("the rate", () => {
  test.each([
    [10, 60_000, 6_000_000, 60_000_000],
    [1, 1, 1000, 1000],
    [1000, 1, 1, 1000],
    [3, 1, 334, 1002], // Rounded up, and never down: no more may pass than was said.
    [700_000, 1000, 2, 1_400_000],
    [1_000_000_000, 1_000_000, 1, 1_000_000_000],
    [1_000_000_000, 2 ** 31 - 1, 2148, 2_148_000_000_000],
    [1, 2 ** 31 - 1, 2_147_483_647_000, 2_147_483_647_000],
  ])("%d in %d ms is one each %d µs, and %d µs ahead at most", (limit, windowMs, interval, tolerance) => {
    expect(gcraOf(limit, windowMs)).toEqual({ interval, tolerance });
  });
});

/** 10 in 60 s. */
const TEN = gcraOf(10, 60_000);
const S = 1_000_000;

describe("a step", () => {
  test.each<[string, number, number | undefined, boolean, number]>([
    ["of a key that is new", 1, undefined, true, 6 * S],
    ["of a key that is new, for all", 10, undefined, true, 60 * S],
    ["of a key that owes nothing any more", 1, -5 * S, true, 6 * S],
    ["of a key that owes nothing since now", 1, 0, true, 6 * S],
    ["of a key from 1970", 10, -NOW, true, 60 * S],
    ["with room", 2, 20 * S, true, 32 * S],
    ["with just enough room", 1, 54 * S, true, 60 * S],
    ["a microsecond too early", 1, 54 * S + 1, false, 54 * S + 1],
    ["of a key that is used up", 1, 60 * S, false, 60 * S],
    ["of cost 2, with room for 1", 2, 54 * S, false, 54 * S],
    ["after a clock that stepped back a little", 1, 60 * S + GRACE_US, false, 60 * S + GRACE_US],
    ["after a clock that was set back", 1, 60 * S + GRACE_US + 1, false, 60 * S],
    ["after a clock that was set back by a year", 10, 31_536_000 * S, false, 60 * S],
  ])("%s", (_, cost, held, allowed, ends) => {
    const at = held === undefined ? undefined : NOW + held;
    expect(consume(TEN, cost * TEN.interval, at, NOW)).toEqual({ allowed, ends: NOW + ends, now: NOW });
  });
});

describe("a decision", () => {
  test.each([
    ["all there was but one", 1, true, 6 * S, [9, 0, 6000]],
    ["all there was", 1, true, 60 * S, [0, 0, 60_000]],
    ["a part of an interval is none", 1, true, 54 * S + 1, [0, 0, 54_001]],
    ["a part of a millisecond is one", 1, true, 1, [9, 0, 1]],
    ["used up", 1, false, 60 * S, [0, 6000, 60_000]],
    ["used up, for all", 10, false, 60 * S, [0, 60_000, 60_000]],
    ["too early by a microsecond", 1, false, 54 * S + 1, [0, 1, 54_001]],
    ["too early by a millisecond and one", 1, false, 54 * S + 1001, [0, 2, 54_002]],
    ["room for less", 5, false, 36 * S, [4, 6000, 36_000]],
    ["more than there can be", 1, false, 60 * S + GRACE_US, [0, 7000, 61_000]],
    ["denied, and free by now", 1, false, 12 * S, [8, 1, 12_000]],
    ["denied, and gone by now", 10, false, -NOW, [10, 1, 0]],
  ] as const)("%s", (_, cost, allowed, ends, [remaining, retryAfterMs, resetMs]) => {
    const decision = toDecision(TEN, cost * TEN.interval, { allowed, ends: NOW + ends, now: NOW });
    expect(decision).toEqual({ allowed, remaining, retryAfterMs, resetMs });
  });
});

interface Call {
  /** Microseconds since the one before. */
  readonly wait: number;
  readonly cost: number;
}

const anyRun = anyLimit.chain(({ limit, windowMs }) => {
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

/** Makes calls one after the other. */
function play(rate: Gcra, calls: readonly Call[]) {
  let held: number | undefined;
  let now = NOW;
  return calls.map(({ wait, cost }) => {
    now += wait;
    const before = held;
    const outcome = consume(rate, cost * rate.interval, held, now);
    held = outcome.ends;
    return { before, cost, outcome };
  });
}

/** How many of cost 1 pass at a moment, by trying. */
function passing(rate: Gcra, held: number | undefined, now: number, most: number): number {
  let ends = held;
  for (let count = 0; count < most; count++) {
    const outcome = consume(rate, rate.interval, ends, now);
    if (!outcome.allowed) return count;
    ends = outcome.ends;
  }
  return most;
}

describe("the rule", () => {
  test("lets no more pass within any time than the limit, and one for each interval of it", () => {
    fc.assert(
      fc.property(anyRun, ({ limit, windowMs, calls }) => {
        const rate = gcraOf(limit, windowMs);
        const passed = play(rate, calls).filter(({ outcome }) => outcome.allowed);
        let worst = -Infinity;
        for (const from of passed.keys()) {
          let count = 0;
          for (const { cost, outcome } of passed.slice(from)) {
            count += cost;
            const span = outcome.now - passed[from].outcome.now;
            worst = Math.max(worst, count - limit - Math.floor(span / rate.interval));
          }
        }
        expect(worst).toBeLessThanOrEqual(0);
      }),
    );
  });

  test("denies only what would be more than that", () => {
    fc.assert(
      fc.property(anyRun, ({ limit, windowMs, calls }) => {
        const rate = gcraOf(limit, windowMs);
        const played = play(rate, calls);
        for (const [at, { cost, outcome }] of played.entries()) {
          if (outcome.allowed) continue;
          // Some time that ends here, with this call, would have had too much.
          let count = cost;
          const isTooMuch = played
            .slice(0, at)
            .reverse()
            .some((earlier) => {
              if (!earlier.outcome.allowed) return false;
              count += earlier.cost;
              return (count - limit) * rate.interval > outcome.now - earlier.outcome.now;
            });
          expect(isTooMuch).toBe(true);
        }
      }),
    );
  });

  test("changes nothing where it denies, and gives what can be", () => {
    fc.assert(
      fc.property(anyRun, ({ limit, windowMs, calls }) => {
        const rate = gcraOf(limit, windowMs);
        for (const { before, cost, outcome } of play(rate, calls)) {
          if (!outcome.allowed) expect(outcome.ends).toBe(before);
          expect(isPlausible(rate, cost * rate.interval, outcome)).toBe(true);
        }
      }),
    );
  });

  test("lets the same call pass when it said, and not a millisecond earlier", () => {
    fc.assert(
      fc.property(anyRun, ({ limit, windowMs, calls }) => {
        const rate = gcraOf(limit, windowMs);
        for (const { cost, outcome } of play(rate, calls)) {
          const price = cost * rate.interval;
          const { allowed, retryAfterMs } = toDecision(rate, price, outcome);
          expect(retryAfterMs === 0).toBe(allowed);
          if (allowed) continue;
          const passes = (ms: number) => consume(rate, price, outcome.ends, outcome.now + ms * 1000).allowed;
          expect(passes(retryAfterMs)).toBe(true);
          expect(passes(retryAfterMs - 1)).toBe(false);
        }
      }),
    );
  });

  test("says truly how many remain, and when all are there again", () => {
    fc.assert(
      fc.property(anyRun, ({ limit, windowMs, calls }) => {
        const rate = gcraOf(limit, windowMs);
        for (const { cost, outcome } of play(rate, calls)) {
          const { remaining, resetMs } = toDecision(rate, cost * rate.interval, outcome);
          const most = Math.min(limit, 20);
          const pass = (count: number, ms: number) =>
            count === 0 ||
            consume(rate, count * rate.interval, outcome.ends, outcome.now + ms * 1000).allowed;
          const isTrue =
            Math.min(remaining, most) === passing(rate, outcome.ends, outcome.now, most) &&
            pass(remaining, 0) &&
            (remaining === limit || !pass(remaining + 1, 0)) &&
            pass(limit, resetMs) &&
            (resetMs === 0 || !pass(limit, resetMs - 1));
          if (!isTrue)
            expect.fail(`${remaining} remain, and all in ${resetMs} ms: ${JSON.stringify(outcome)}`);
        }
      }),
    );
  });

  test("never keeps out who comes at the rate, whoever has come before", () => {
    fc.assert(
      fc.property(anyLimit, fc.integer({ min: 0, max: 20 }), ({ limit, windowMs }, tries) => {
        const rate = gcraOf(limit, windowMs);
        let held: number | undefined = consume(rate, rate.tolerance, undefined, NOW).ends;
        const tally = { early: 0, passed: 0 };
        for (let call = 1; call < 50; call++) {
          const now = NOW + call * rate.interval;
          // Those too early do not count.
          for (let early = 0; early < tries; early++) {
            const outcome = consume(rate, rate.interval, held, now - 1);
            if (outcome.allowed) tally.early++;
            held = outcome.ends;
          }
          const outcome = consume(rate, rate.interval, held, now);
          if (outcome.allowed) tally.passed++;
          held = outcome.ends;
        }
        expect(tally).toEqual({ early: 0, passed: 49 });
      }),
    );
  });

  test("keeps nobody out for longer than a window and a second, whatever the clock or the limit was before", () => {
    fc.assert(
      fc.property(
        anyLimit,
        anyShare,
        fc.oneof(fc.integer({ min: 0, max: 2 * GRACE_US }), fc.integer({ min: 0, max: 6e15 })),
        ({ limit, windowMs }, share, ahead) => {
          const rate = gcraOf(limit, windowMs);
          const price = Math.max(1, Math.ceil(share * limit)) * rate.interval;
          const outcome = consume(rate, price, NOW + ahead, NOW);
          expect(isPlausible(rate, price, outcome)).toBe(true);
          if (outcome.allowed) return;
          const { retryAfterMs, resetMs } = toDecision(rate, price, outcome);
          expect(resetMs).toBeLessThanOrEqual((rate.tolerance + GRACE_US) / 1000);
          const passes = (ms: number) => consume(rate, price, outcome.ends, NOW + ms * 1000).allowed;
          expect(passes(retryAfterMs)).toBe(true);
          expect(passes(retryAfterMs - 1)).toBe(false);
        },
      ),
    );
  });
});

describe("what a store says it did", () => {
  test.each<[string, boolean, number, number]>([
    ["allowed, and nothing paid", true, 0, NOW],
    ["allowed, and too little paid", true, 12 * S - 1, NOW],
    ["allowed, and beyond what there is", true, 60 * S + 1, NOW],
    ["denied, and there was room", false, 48 * S, NOW],
    ["denied, and there was nothing", false, -NOW, NOW],
    ["denied, and out of reach", false, 60 * S + GRACE_US + 1, NOW],
    ["no whole number", true, 12 * S + 0.5, NOW],
    ["a time that is no whole number", true, 12 * S, NOW + 0.5],
    ["a time that is none", true, 12 * S, Number.NaN],
    ["a time without an end", true, 12 * S, Infinity],
    ["a time too large to count in", true, 12 * S, 2 ** 60],
  ])("is not believed: %s", (_, allowed, ahead, now) => {
    expect(isPlausible(TEN, 2 * TEN.interval, { allowed, ends: now + ahead, now })).toBe(false);
  });

  test.each<[boolean, number]>([
    [true, 12 * S],
    [true, 60 * S],
    [false, 48 * S + 1],
    [false, 60 * S + GRACE_US],
  ])("is believed where it can be: %s, %d ahead", (allowed, ahead) => {
    expect(isPlausible(TEN, 2 * TEN.interval, { allowed, ends: NOW + ahead, now: NOW })).toBe(true);
  });
});

// The sweep: each number of a length once, from anywhere, in as many cuts as it takes.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DigitBuilder } from "../../src/numeric/digitBuilder.ts";
import type { Digits } from "../../src/numeric/draw.ts";
import { beginSweep, type ScanState, sweepOf, sweepOn, textOf } from "../../src/numeric/exhaustiveScan.ts";
import { NumericIdType } from "../../src/numeric/index.ts";
import { randomDigit } from "../../src/numeric/random.ts";
import { walkOf } from "../../src/numeric/type.ts";

/** The digits of the longest ID but its check digit. */
const LONGEST = 31;

const openg2p = (length: number) => new NumericIdType({ name: "t", length });

/** A type without rules: each number of its digits, with a check digit behind it, is an ID. So IDs say what was seen. */
function seeing(digits: number): DigitBuilder {
  const rules = {
    notStartWith: [],
    sequenceLimit: null,
    repeatingLimit: null,
    repeatingBlockLimit: null,
    evenDigitsLimit: null,
    digitsGroupLimit: null,
    reverseDigitsGroupLimit: null,
    cyclicNumbers: [],
  };
  return walkOf(new NumericIdType({ name: "t", length: digits + 1, rules }));
}

/** All that a sweep still finds, by so many IDs and numbers at a time. */
function rest(walk: DigitBuilder, from: ScanState, most = 500, looks = 20_000): string[] {
  const found: string[] = [];
  let sweep = from;
  while (sweep.left > 0n) {
    const [ids, next] = sweepOn(walk, sweep, most, looks);
    // Or it would not end.
    expect(next.left).toBeLessThan(sweep.left);
    for (const id of ids) found.push(id);
    sweep = next;
  }
  return found;
}

/** Digits from a list, which begins anew when it is over. */
function listed(...digits: number[]): Digits {
  let at = 0;
  return () => digits[at++ % digits.length] as number;
}

const anyStride = (digits: number) =>
  fc.bigInt(0n, 10n ** BigInt(digits) - 1n).filter((stride) => stride % 2n === 1n && stride % 5n !== 0n);
const anyStart = (digits: number) => fc.bigInt(0n, 10n ** BigInt(digits) - 1n);

/** A sweep of up to so many digits that begins anywhere, with any stride. */
const anySweep = (mostDigits: number) =>
  fc.integer({ min: 1, max: mostDigits }).chain((digits) =>
    fc.record({
      digits: fc.constant(digits),
      sweep: fc.record({
        at: anyStart(digits),
        stride: anyStride(digits),
        left: fc.constant(10n ** BigInt(digits)),
      }),
    }),
  );

describe("beginSweep", () => {
  test("has a stride without a factor of 10, and begins at a number, whatever is drawn", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: LONGEST }),
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 80 }),
        (digits, drawn) => {
          const { at, stride, left } = beginSweep(digits, listed(...drawn));
          expect([stride % 2n, stride % 5n === 0n]).toEqual([1n, false]);
          for (const number of [at, stride]) expect(String(number).length).toBeLessThanOrEqual(digits);
          expect(left).toBe(10n ** BigInt(digits));
        },
      ),
    );
  });

  test("draws each last digit of a stride as often as the others", () => {
    const counts = new Map<bigint, number>();
    for (let pair = 0; pair < 100; pair++) {
      const { stride } = beginSweep(1, listed(pair % 10, Math.floor(pair / 10)));
      counts.set(stride, (counts.get(stride) ?? 0) + 1);
    }
    expect([...counts].sort()).toEqual([1n, 3n, 7n, 9n].map((last) => [last, 25]));
  });

  test("begins elsewhere each time", () => {
    const begun = Array.from({ length: 100 }, () => beginSweep(LONGEST, randomDigit));
    expect(new Set(begun.map(({ at }) => at)).size).toBe(100);
    expect(new Set(begun.map(({ stride }) => stride)).size).toBe(100);
  });
});

describe("a whole sweep", () => {
  test.each([1, 2, 3])("comes by each number of %d digits once, from any start by any stride", (digits) => {
    const walk = seeing(digits);
    const size = 10n ** BigInt(digits);
    fc.assert(
      fc.property(anyStart(digits), anyStride(digits), (at, stride) => {
        const ids = rest(walk, { at, stride, left: size });
        expect(ids.length).toBe(Number(size));
        expect(new Set(ids.map((id) => id.slice(0, -1))).size).toBe(Number(size));
      }),
      { numRuns: 10 ** (4 - digits) },
    );
  });

  test.each([4, 5])("comes by each number of %d digits once, as it begins", (digits) => {
    const walk = seeing(digits);
    for (let again = 0; again < 3; again++) {
      const ids = rest(walk, beginSweep(digits, randomDigit));
      expect(ids.length).toBe(10 ** digits);
      expect(new Set(ids).size).toBe(10 ** digits);
    }
  });

  test("finds the 29,593 IDs of six digits, each once", () => {
    const type = openg2p(6);
    const ids = rest(walkOf(type), beginSweep(5, randomDigit));
    expect(ids.length).toBe(29_593);
    expect(new Set(ids).size).toBe(29_593);
    expect(ids.filter((id) => !type.validate(id).valid)).toEqual([]);
  });

  test("finds the same in whatever cuts", () => {
    const type = openg2p(4);
    const walk = walkOf(type);
    const all = rest(walk, { at: 0n, stride: 1n, left: 1000n }).sort();
    expect(all.length).toBe(465);
    const anyCut = fc.record({
      most: fc.integer({ min: 1, max: 50 }),
      looks: fc.integer({ min: 1, max: 200 }),
    });
    const anyCuts = fc.array(anyCut, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(anyStart(3), anyStride(3), anyCuts, (at, stride, cuts) => {
        const found: string[] = [];
        let sweep: ScanState = { at, stride, left: 1000n };
        for (let cut = 0; sweep.left > 0n; cut++) {
          const { most, looks } = cuts[cut % cuts.length];
          const [ids, next] = sweepOn(walk, sweep, most, looks);
          found.push(...ids);
          // By way of the store.
          sweep = sweepOf(textOf(next)) as ScanState;
        }
        expect(found.sort()).toEqual(all);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a step of it", () => {
  const walk = seeing(3);
  const begun = { at: 998n, stride: 1n, left: 1000n };

  test("ends with as many IDs as asked for, at the number after the last", () => {
    const [ids, next] = sweepOn(walk, begun, 4, 1000);
    expect(ids.map((id) => id.slice(0, -1))).toEqual(["998", "999", "000", "001"]);
    expect(next).toEqual({ at: 2n, stride: 1n, left: 996n });
  });

  test("ends with as many numbers as it may look at, whatever it has found", () => {
    const [ids, next] = sweepOn(walk, begun, 1000, 5);
    expect(ids.length).toBe(5);
    expect(next).toEqual({ at: 3n, stride: 1n, left: 995n });
    // Of these none is an ID, for each begins with 0.
    const [none, further] = sweepOn(walkOf(openg2p(4)), { ...begun, at: 0n }, 10, 100);
    expect([none, further]).toEqual([[], { at: 100n, stride: 1n, left: 900n }]);
  });

  test("goes on where the one before has ended", () => {
    const [first, between] = sweepOn(walk, begun, 7, 1000);
    const [second, end] = sweepOn(walk, between, 1000, 6);
    expect(sweepOn(walk, begun, 13, 1000)).toEqual([[...first, ...second], end]);
  });

  test("comes by the last number, and by none after it", () => {
    const [ids, next] = sweepOn(walk, { at: 5n, stride: 7n, left: 2n }, 1000, 1000);
    expect(ids.map((id) => id.slice(0, -1))).toEqual(["005", "012"]);
    expect(next.left).toBe(0n);
    expect(sweepOn(walk, next, 1000, 1000)).toEqual([[], next]);
  });

  test("leaves the sweep that it was given as it was", () => {
    const given = Object.freeze({ ...begun });
    sweepOn(walk, given, 10, 10);
    expect(given).toEqual(begun);
  });

  test("keeps all digits of the longest numbers", () => {
    const long = seeing(LONGEST);
    const last = 10n ** BigInt(LONGEST) - 1n;
    const [ids, next] = sweepOn(long, { at: last - 1n, stride: 3n, left: last + 1n }, 2, 2);
    expect(ids.map((id) => id.slice(0, -1))).toEqual([`${"9".repeat(30)}8`, `${"0".repeat(30)}1`]);
    expect(next).toEqual({ at: 4n, stride: 3n, left: last - 1n });
  });
});

describe("a sweep as text", () => {
  test("is read as it was written", () => {
    fc.assert(
      fc.property(anySweep(LONGEST), fc.bigInt(0n, 10n ** 31n), ({ sweep }, left) => {
        const now = { ...sweep, left };
        expect(sweepOf(textOf(now))).toEqual(now);
      }),
    );
  });

  test("is three numbers", () => {
    expect(textOf({ at: 5n, stride: 7n, left: 0n })).toBe("5 7 0");
    const nines = "9".repeat(31);
    expect(sweepOf(`${nines} ${nines} 1${"0".repeat(31)}`)).toEqual({
      at: 10n ** 31n - 1n,
      stride: 10n ** 31n - 1n,
      left: 10n ** 31n,
    });
  });

  test.each([
    ["nothing", ""],
    ["a word", "begun"],
    ["one number", "5"],
    ["two numbers", "5 7"],
  ])("is no sweep where it is %s", (_, text) => {
    expect(sweepOf(text)).toBeUndefined();
  });
});

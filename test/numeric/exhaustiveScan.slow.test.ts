// Exhaustive scan: visits each number of a length once, from any start, in steps of any size.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DigitBuilder } from "../../src/numeric/digitBuilder.ts";
import type { DigitSource } from "../../src/numeric/draw.ts";
import {
  continueScan,
  formatScan,
  parseScan,
  type Scan,
  startScan,
} from "../../src/numeric/exhaustiveScan.ts";
import { NumericIdType } from "../../src/numeric/index.ts";
import { randomDigit } from "../../src/numeric/random.ts";
import { createDigitBuilder } from "../../src/numeric/type.ts";

/** The digits of the longest ID without its check digit. */
const LONGEST = 31;

const openg2pType = (length: number) => new NumericIdType({ name: "t", length });

/** A builder without rules: each number with its check digit is an ID, so the found IDs are the visited numbers. */
function builderWithoutRules(digits: number): DigitBuilder {
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
  return createDigitBuilder(new NumericIdType({ name: "t", length: digits + 1, rules }));
}

/** Returns all IDs that the rest of a scan finds, in steps of that size. */
function finishScan(builder: DigitBuilder, from: Scan, maxIds = 500, maxNumbers = 20_000): string[] {
  const found: string[] = [];
  let scan = from;
  while (scan.remaining > 0n) {
    const [ids, next] = continueScan(builder, scan, maxIds, maxNumbers);
    // Otherwise it would not end.
    expect(next.remaining).toBeLessThan(scan.remaining);
    for (const id of ids) found.push(id);
    scan = next;
  }
  return found;
}

/** Returns a source of the given digits, over and over. */
function repeating(...digits: number[]): DigitSource {
  let at = 0;
  return () => digits[at++ % digits.length] as number;
}

const anyStride = (digits: number) =>
  fc.bigInt(0n, 10n ** BigInt(digits) - 1n).filter((stride) => stride % 2n === 1n && stride % 5n !== 0n);
const anyStart = (digits: number) => fc.bigInt(0n, 10n ** BigInt(digits) - 1n);

/** A scan of up to `maxDigits` digits with any start and any stride. */
const anyScan = (maxDigits: number) =>
  fc.integer({ min: 1, max: maxDigits }).chain((digits) =>
    fc.record({
      digits: fc.constant(digits),
      scan: fc.record({
        next: anyStart(digits),
        stride: anyStride(digits),
        remaining: fc.constant(10n ** BigInt(digits)),
      }),
    }),
  );

describe("startScan", () => {
  test("returns a stride without a factor of 10 and a start in range, whatever is drawn", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: LONGEST }),
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 80 }),
        (digits, drawn) => {
          const { next, stride, remaining } = startScan(digits, repeating(...drawn));
          expect([stride % 2n, stride % 5n === 0n]).toEqual([1n, false]);
          for (const number of [next, stride]) expect(String(number).length).toBeLessThanOrEqual(digits);
          expect(remaining).toBe(10n ** BigInt(digits));
        },
      ),
    );
  });

  test("draws each last digit of a stride equally often", () => {
    const counts = new Map<bigint, number>();
    for (let pair = 0; pair < 100; pair++) {
      const { stride } = startScan(1, repeating(pair % 10, Math.floor(pair / 10)));
      counts.set(stride, (counts.get(stride) ?? 0) + 1);
    }
    expect([...counts].sort()).toEqual([1n, 3n, 7n, 9n].map((last) => [last, 25]));
  });

  test("returns another start and stride each time", () => {
    const begun = Array.from({ length: 100 }, () => startScan(LONGEST, randomDigit));
    expect(new Set(begun.map(({ next }) => next)).size).toBe(100);
    expect(new Set(begun.map(({ stride }) => stride)).size).toBe(100);
  });
});

describe("a complete scan", () => {
  test.each([1, 2, 3])("visits each number of %d digits once, from any start by any stride", (digits) => {
    const builder = builderWithoutRules(digits);
    const size = 10n ** BigInt(digits);
    fc.assert(
      fc.property(anyStart(digits), anyStride(digits), (next, stride) => {
        const ids = finishScan(builder, { next, stride, remaining: size });
        expect(ids.length).toBe(Number(size));
        expect(new Set(ids.map((id) => id.slice(0, -1))).size).toBe(Number(size));
      }),
      { numRuns: 10 ** (4 - digits) },
    );
  });

  test.each([4, 5])("visits each number of %d digits once, with a random start and stride", (digits) => {
    const builder = builderWithoutRules(digits);
    for (let again = 0; again < 3; again++) {
      const ids = finishScan(builder, startScan(digits, randomDigit));
      expect(ids.length).toBe(10 ** digits);
      expect(new Set(ids).size).toBe(10 ** digits);
    }
  });

  test("finds the 29,593 IDs of six digits, each once", () => {
    const type = openg2pType(6);
    const ids = finishScan(createDigitBuilder(type), startScan(5, randomDigit));
    expect(ids.length).toBe(29_593);
    expect(new Set(ids).size).toBe(29_593);
    expect(ids.filter((id) => !type.validate(id).valid)).toEqual([]);
  });

  test("finds the same IDs in steps of any size", () => {
    const type = openg2pType(4);
    const builder = createDigitBuilder(type);
    const all = finishScan(builder, { next: 0n, stride: 1n, remaining: 1000n }).sort();
    expect(all.length).toBe(465);
    const anyStep = fc.record({
      maxIds: fc.integer({ min: 1, max: 50 }),
      maxNumbers: fc.integer({ min: 1, max: 200 }),
    });
    const anySteps = fc.array(anyStep, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(anyStart(3), anyStride(3), anySteps, (next, stride, steps) => {
        const found: string[] = [];
        let scan: Scan = { next, stride, remaining: 1000n };
        for (let step = 0; scan.remaining > 0n; step++) {
          const { maxIds, maxNumbers } = steps[step % steps.length];
          const [ids, after] = continueScan(builder, scan, maxIds, maxNumbers);
          found.push(...ids);
          // As text, as the store keeps it.
          scan = parseScan(formatScan(after)) as Scan;
        }
        expect(found.sort()).toEqual(all);
      }),
      { numRuns: 300 },
    );
  });
});

describe("continueScan", () => {
  const builder = builderWithoutRules(3);
  const begun = { next: 998n, stride: 1n, remaining: 1000n };

  test("stops after as many IDs as requested, at the number after the last one", () => {
    const [ids, next] = continueScan(builder, begun, 4, 1000);
    expect(ids.map((id) => id.slice(0, -1))).toEqual(["998", "999", "000", "001"]);
    expect(next).toEqual({ next: 2n, stride: 1n, remaining: 996n });
  });

  test("stops after as many numbers as requested, however many IDs it has found", () => {
    const [ids, next] = continueScan(builder, begun, 1000, 5);
    expect(ids.length).toBe(5);
    expect(next).toEqual({ next: 3n, stride: 1n, remaining: 995n });
    // None of these is an ID, because each begins with 0.
    const [none, further] = continueScan(createDigitBuilder(openg2pType(4)), { ...begun, next: 0n }, 10, 100);
    expect([none, further]).toEqual([[], { next: 100n, stride: 1n, remaining: 900n }]);
  });

  test("continues where the step before has stopped", () => {
    const [first, between] = continueScan(builder, begun, 7, 1000);
    const [second, end] = continueScan(builder, between, 1000, 6);
    expect(continueScan(builder, begun, 13, 1000)).toEqual([[...first, ...second], end]);
  });

  test("visits the last number, and none after it", () => {
    const [ids, next] = continueScan(builder, { next: 5n, stride: 7n, remaining: 2n }, 1000, 1000);
    expect(ids.map((id) => id.slice(0, -1))).toEqual(["005", "012"]);
    expect(next.remaining).toBe(0n);
    expect(continueScan(builder, next, 1000, 1000)).toEqual([[], next]);
  });

  test("does not change the scan that it is given", () => {
    const given = Object.freeze({ ...begun });
    continueScan(builder, given, 10, 10);
    expect(given).toEqual(begun);
  });

  test("keeps all digits of the longest numbers", () => {
    const long = builderWithoutRules(LONGEST);
    const last = 10n ** BigInt(LONGEST) - 1n;
    const [ids, next] = continueScan(long, { next: last - 1n, stride: 3n, remaining: last + 1n }, 2, 2);
    expect(ids.map((id) => id.slice(0, -1))).toEqual([`${"9".repeat(30)}8`, `${"0".repeat(30)}1`]);
    expect(next).toEqual({ next: 4n, stride: 3n, remaining: last - 1n });
  });
});

describe("a scan as text", () => {
  test("is parsed as it was formatted", () => {
    fc.assert(
      fc.property(anyScan(LONGEST), fc.bigInt(0n, 10n ** 31n), ({ scan }, remaining) => {
        const later = { ...scan, remaining };
        expect(parseScan(formatScan(later))).toEqual(later);
      }),
    );
  });

  test("is three numbers", () => {
    expect(formatScan({ next: 5n, stride: 7n, remaining: 0n })).toBe("5 7 0");
    const nines = "9".repeat(31);
    expect(parseScan(`${nines} ${nines} 1${"0".repeat(31)}`)).toEqual({
      next: 10n ** 31n - 1n,
      stride: 10n ** 31n - 1n,
      remaining: 10n ** 31n,
    });
  });

  test.each([
    ["an empty text", ""],
    ["a word", "begun"],
    ["one number", "5"],
    ["two numbers", "5 7"],
  ])("is undefined for %s", (_, text) => {
    expect(parseScan(text)).toBeUndefined();
  });
});

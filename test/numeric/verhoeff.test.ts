// Verhoeff's check digit: published values, the textbook tables, and the errors that it misses.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ArgumentError, verhoeff } from "../../src/numeric/index.ts";
import { invert, multiply, permute } from "../../src/numeric/verhoeff.ts";

/** The multiplication of the group D5. */
const D = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
  [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
  [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
  [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
  [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
  [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
  [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
  [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
  [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
] as const;

/** The permutation of each place. */
const P = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
  [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
  [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
  [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
  [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
  [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
  [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
] as const;

/** The inverses in D5. */
const INV = [0, 4, 3, 2, 1, 5, 6, 7, 8, 9] as const;

/** Returns the product of a string's digits by the tables, from the right. The last digit is at `place`. */
function folded(text: string, place: number): number {
  const at = (table: readonly (readonly number[])[], row: number, column: number) =>
    (table[row] as readonly number[])[column] as number;
  return [...text]
    .reverse()
    .reduce((sum, digit, i) => at(D, sum, at(P, (i + place) % 8, Number(digit))), 0 as number);
}

const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const anyText = fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: 60 });

describe("the arithmetic", () => {
  test("matches the textbook tables", () => {
    expect(DIGITS.map((a) => DIGITS.map((b) => multiply(a, b)))).toEqual(D);
    expect(DIGITS.slice(0, 8).map((place) => DIGITS.map((digit) => permute(digit, place)))).toEqual(P);
    expect(DIGITS.map(invert)).toEqual(INV);
  });

  test("repeats after eight places", () => {
    for (let place = 0; place < 60; place++) {
      expect(DIGITS.map((digit) => permute(digit, place))).toEqual(P[place % 8]);
    }
  });
});

describe("the check digit", () => {
  test.each([
    ["236", "3"],
    ["12345", "1"],
    ["142857", "0"],
    ["123456789012", "0"],
    ["8473643095483728456789", "2"],
    ["0", "4"],
  ])("of %s is %s", (text, digit) => {
    expect(verhoeff.checkDigit(text)).toBe(digit);
    expect(verhoeff.isValid(text + digit)).toBe(true);
  });

  test("matches the tables for any number, and no other digit does", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const digit = INV[folded(text, 1)];
        expect(verhoeff.checkDigit(text)).toBe(`${digit}`);
        expect(verhoeff.isValid(text)).toBe(folded(text, 0) === 0);
        expect(DIGITS.filter((each) => verhoeff.isValid(`${text}${each}`))).toEqual([digit]);
      }),
    );
  });

  test("of a million digits is computed at once", () => {
    const text = "8473643095".repeat(100_000);
    expect(verhoeff.checkDigit(text)).toBe(`${INV[folded(text, 1)]}`);
  });
});

describe("the check digit detects", () => {
  test("every wrong digit, and every swap of two neighbours", () => {
    fc.assert(
      fc.property(anyText, fc.nat(), fc.integer({ min: 1, max: 9 }), (text, place, by) => {
        const id = [...text, verhoeff.checkDigit(text)];
        const at = place % id.length;
        const wrong = id.with(at, `${(Number(id[at]) + by) % 10}`);
        expect(verhoeff.isValid(wrong.join(""))).toBe(false);
        const [a = "", b = ""] = id.slice(at, at + 2);
        if (b === "" || a === b) return;
        expect(
          verhoeff.isValid(
            id
              .with(at, b)
              .with(at + 1, a)
              .join(""),
          ),
        ).toBe(false);
      }),
    );
  });
});

describe("the check digit does not detect the length", () => {
  test("accepts a single 0", () => {
    expect(verhoeff.isValid("0")).toBe(true);
  });

  test("refuses any other single digit", () => {
    expect(DIGITS.filter((digit) => verhoeff.isValid(`${digit}`))).toEqual([0]);
  });

  // At every eighth place from the right the permutation is the identity, so a 0 adds nothing.
  test.each([
    ["87304103", true],
    ["3491572083491577", true],
    ["8349257232", false],
    ["472652573182", false],
  ])("keeps %s valid with a 0 before it: %s", (id, stays) => {
    expect(verhoeff.isValid(id)).toBe(true);
    expect(verhoeff.isValid(`0${id}`)).toBe(stays);
  });

  test("keeps every number of 8, 16 and 24 digits valid with a 0 before it, and no other", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const id = text + verhoeff.checkDigit(text);
        expect(verhoeff.isValid(`0${id}`)).toBe(id.length % 8 === 0);
      }),
    );
  });
});

describe("a string that is not a number", () => {
  test.each([
    ["nothing", ""],
    ["a letter", "12a"],
    ["a space before it", " 1"],
    ["a space after it", "2363 "],
    ["a line break after it", "2363\n"],
    ["a line break after a digit that is valid alone", "0\n"],
    ["full-width digits", "２３６３"],
    ["Arabic digits", "٢٣٦٣"],
    ["a sign", "-2363"],
    ["a fraction", "236.3"],
    ["a hyphen between groups", "23-63"],
    ["a zero byte", "2363\0"],
  ])("is invalid and has no check digit: %s", (_title, text) => {
    expect(verhoeff.isValid(text)).toBe(false);
    expect(() => verhoeff.checkDigit(text)).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", field: "text", rule: "a string of digits" }),
    );
  });

  test.each([
    ["a number", 2363],
    ["a bigint", 2363n],
    ["null", null],
    ["undefined", undefined],
    ["an array", ["2363"]],
    ["a String object", Object("2363")],
  ])("throws if it is not a string: %s", (_title, value) => {
    for (const call of [verhoeff.isValid, verhoeff.checkDigit]) {
      expect(() => call(value as string)).toThrow(ArgumentError);
      expect(() => call(value as string)).toThrow(
        expect.objectContaining({ field: "text", rule: "a string" }),
      );
    }
  });
});

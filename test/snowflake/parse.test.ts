// parseId and isId: the values that pass, and those that do not.

import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { type IdValue, InvalidIdError, isId, parseId } from "../../src/index.ts";

const MAX = 2n ** 63n - 1n;

describe("parseId and isId", () => {
  test.each<[unknown, bigint]>([
    [0n, 0n],
    [0, 0n],
    ["0", 0n],
    [MAX, MAX],
    ["9223372036854775807", MAX],
    [Number.MAX_SAFE_INTEGER, 9007199254740991n],
    ["9007199254740993", 9007199254740993n],
    ["175928847299117063", 175928847299117063n],
    [-0, 0n],
  ])("take %s", (value, id) => {
    expect(parseId(value)).toBe(id);
    expect(isId(value)).toBe(true);
  });

  test.each<[unknown]>([
    [""],
    [" "],
    [" 1"],
    ["1 "],
    ["1\n"],
    ["\u00a01"],
    ["+1"],
    ["-1"],
    ["-0"],
    ["0x10"],
    ["0b1"],
    ["01"],
    ["00"],
    ["1e3"],
    // The characters before 0 and after 9, in each of the pieces that a text is read in.
    ["1/3"],
    ["1:3"],
    ["12:4567890"],
    ["12/4567890"],
    ["1:34567890123456789"],
    ["1/34567890123456789"],
    ["1.0"],
    ["1_000"],
    ["1n"],
    ["١"],
    ["NaN"],
    ["9223372036854775808"],
    ["99999999999999999999"],
    ["9".repeat(100_000)],
    [-1n],
    [2n ** 63n],
    [2n ** 64n],
    [-1],
    [1.5],
    [2 ** 53],
    [Number.NaN],
    [Infinity],
    [undefined],
    [null],
    [true],
    [{}],
    [[1]],
    [new Date(5)],
    [Object(5n)],
    [Object("5")],
    [Symbol("5")],
    [() => 5n],
  ])("refuse %s", (value) => {
    expect(() => parseId(value)).toThrow(InvalidIdError);
    expect(isId(value)).toBe(false);
  });

  test("name the accepted forms in the error", () => {
    expect(() => parseId("0x10")).toThrow(
      'id must be a bigint, decimal string or safe integer from 0 to 2^63-1, got "0x10"',
    );
  });

  test("every ID passes in each of its forms, and comes back as itself", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, MAX), (id) => {
        expect(parseId(id)).toBe(id);
        expect(parseId(String(id))).toBe(id);
        if (id <= 2n ** 53n - 1n) expect(parseId(Number(id))).toBe(id);
        else expect(isId(Number(id))).toBe(false);
      }),
    );
  });

  test("a text of digits passes exactly when it is canonical and below 2^63", () => {
    const digit = fc.constantFrom(..."0123456789");
    const text = fc.oneof(
      fc.array(digit, { minLength: 1, maxLength: 21 }).map((digits) => digits.join("")),
      // Around the largest ID.
      fc.bigInt(MAX - 1_000_000n, MAX + 1_000_000n).map(String),
    );
    fc.assert(
      fc.property(text, (value) => {
        const isWanted = /^(0|[1-9]\d*)$/.test(value) && BigInt(value) <= MAX;
        expect(isId(value)).toBe(isWanted);
        if (isWanted) expect(parseId(value)).toBe(BigInt(value));
      }),
    );
  });

  test("whatever passes is canonical, and whatever does not is an InvalidIdError", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(..."0123456789+-. exn_") }),
      fc.bigInt().map(String),
      fc.double().map(String),
    );
    fc.assert(
      fc.property(fc.oneof(text, fc.anything({ withBigInt: true })), (value) => {
        if (isId(value)) {
          const id = parseId(value);
          expect(id >= 0n && id <= MAX).toBe(true);
          expect(String(value) === String(id) || Object.is(value, -0)).toBe(true);
        } else {
          expect(() => parseId(value)).toThrow(InvalidIdError);
        }
      }),
    );
  });
});

describe("the type of a value", () => {
  /** Takes the place of a value from outside: the compiler must not know more of it than its type. */
  const outside = <Value>(value: unknown): Value => value as Value;

  test("that isId refuses is not lost", () => {
    const text = outside<string>("x");
    if (!isId(text)) {
      expectTypeOf(text).toEqualTypeOf<string>();
      expect(text.length).toBe(1);
    }
    const parameter = outside<string | undefined>("x");
    if (!isId(parameter)) expectTypeOf(parameter).toEqualTypeOf<string | undefined>();
    const mixed = outside<string | bigint | null>("x");
    if (!isId(mixed)) expectTypeOf(mixed).toEqualTypeOf<string | bigint | null>();
    const field = outside<unknown>("x");
    if (!isId(field)) expectTypeOf(field).toEqualTypeOf<unknown>();
    expect(isId(text) || isId(parameter) || isId(mixed) || isId(field)).toBe(false);
  });

  test("that isId takes is its own and an ID's", () => {
    const text = outside<string | undefined>("5");
    if (isId(text)) {
      const kept: string = text;
      const id: IdValue = text;
      expect(BigInt(text) + BigInt(id) + BigInt(kept)).toBe(15n);
      const names: Record<string, string> = { "5": "five" };
      expect(text === "5" && names[text]).toBe("five");
    }
    const field = outside<unknown>(5n);
    if (isId(field)) {
      const kept: string | number | bigint = field;
      if (typeof field === "bigint") expect(field + 1n).toBe(6n);
      if (typeof field === "string") expect(field.length).toBe(1);
      expect(kept).toBe(5n);
    }
    const exact = outside<"5" | "6" | "x">("5");
    if (isId(exact)) expectTypeOf(exact).toExtend<"5" | "6" | "x">();
    const all: string[] = ["5", "x", "6"].filter(isId);
    expect(all).toEqual(["5", "6"]);
    expect.assertions(5);
  });
});

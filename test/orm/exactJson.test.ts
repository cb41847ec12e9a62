// parseExactJson: as JSON.parse, but for integers past 2^53.

import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExactJson } from "../../src/orm/exactJson.ts";

test.each([
  ["an ID", "911780371413233665", "911780371413233665"],
  ["a negative integer", "[-911780371413233665]", ["-911780371413233665"]],
  ["an integer up to 2^53 - 1", "[9007199254740991,-9007199254740991]", [2 ** 53 - 1, 1 - 2 ** 53]],
  ["2^53, to which 2^53 + 1 is rounded", "9007199254740992", "9007199254740992"],
  [
    "fractions and exponents",
    "[1152921504606846976.5,0.9117803714132336,1e911,2E+1000000000000000]",
    [2 ** 60, 0.9117803714132336, Infinity, Infinity],
  ],
  ["digits in a string", '{"a":"1,911780371413233665,2"}', { a: "1,911780371413233665,2" }],
  ["digits in a key", '{"911780371413233665":1}', { "911780371413233665": 1 }],
  [
    "quotation marks and backslashes in strings",
    String.raw`["\\",911780371413233665,"\"",911780371413233667,"\\\""]`,
    ["\\", "911780371413233665", '"', "911780371413233667", '\\"'],
  ],
  ["spaces", '{ "a" : 911780371413233665 }', { a: "911780371413233665" }],
])("%s", (_title, text, value) => {
  expect(parseExactJson(text)).toEqual(value);
});

test("text that is no JSON is an error, and a long string takes no longer than to read it", () => {
  expect(() => parseExactJson('{"id":911780371413233665')).toThrow(SyntaxError);
  const text = '\\"9'.repeat(1_000_000);
  expect(parseExactJson(`["${text}",911780371413233665]`)).toEqual([
    '"9'.repeat(1_000_000),
    "911780371413233665",
  ]);
});

test("any JSON: integers past 2^53 are their digits, the rest is as JSON.parse has it", () => {
  const leaf = fc.oneof(
    fc.string({ unit: fc.constantFrom('"', "\\", "9", "911780371413233665", ",", "n") }),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(null, true),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      leaf,
      fc.array(tie("value")),
      fc.dictionary(fc.string(), tie("value"), { noNullPrototype: true }),
    ),
  }));
  const isSafe = (id: bigint) => Number.isSafeInteger(Number(id));
  /** Writes JSON, with bigints as numbers. */
  const write = (one: unknown): string => {
    if (typeof one === "bigint") return String(one);
    // Of a double, the digits of an integer would be a long one.
    if (typeof one === "number" && Math.abs(one) >= 2 ** 53) return one.toExponential();
    if (Array.isArray(one)) return `[${one.map(write).join(",")}]`;
    if (one === null || typeof one !== "object") return JSON.stringify(one);
    const fields = Object.entries(one).map(([key, field]) => `${JSON.stringify(key)}:${write(field)}`);
    return `{${fields.join(",")}}`;
  };
  /** The value that is read. */
  const read = (one: unknown): unknown => {
    if (typeof one === "bigint") return isSafe(one) ? Number(one) : String(one);
    if (Array.isArray(one)) return one.map(read);
    if (one === null || typeof one !== "object") return Object.is(one, -0) ? 0 : one;
    return Object.fromEntries(Object.entries(one).map(([key, field]) => [key, read(field)]));
  };
  fc.assert(
    fc.property(value, (one) => {
      expect(parseExactJson(write(one))).toEqual(read(one));
    }),
  );
});

// IDs in JSON: round trips, and the values that are refused.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextIds } from "../../src/index.ts";
import { readIds, writeIds } from "../../src/text/index.ts";

describe("writeIds and readIds", () => {
  test("every ID survives JSON, at any depth", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(0n, 2n ** 63n - 1n)), (ids) => {
        const value = { id: ids[0] ?? null, deep: [{ ids, other: "7" }, { ids: [] }] };
        expect(JSON.parse(JSON.stringify(value, writeIds), readIds("id", "ids"))).toEqual(value);
      }),
    );
  });

  test("writeIds writes bigints as strings, and leaves all other values as they are", () => {
    const value = { id: 2n ** 53n + 1n, n: 5, text: "5", list: [1n, null, true], gone: undefined };
    expect(JSON.stringify(value, writeIds)).toBe(
      '{"id":"9007199254740993","n":5,"text":"5","list":["1",null,true]}',
    );
    expect(JSON.stringify(nextIds(1), writeIds)).toMatch(/^\["\d+"\]$/);
  });

  test("readIds reads only the named fields", () => {
    const read = (text: string) => JSON.parse(text, readIds("id"));
    expect(read('{"id":"5","other":"5","list":["5"]}')).toEqual({ id: 5n, other: "5", list: ["5"] });
    expect(read('{"id":5}')).toEqual({ id: 5n });
    expect(read('{"id":null}')).toEqual({ id: null });
    expect(read("5")).toBe(5);
    const names: string[] = ["id", "other"];
    expect(JSON.parse('{"other":"5"}', readIds(...names))).toEqual({ other: 5n });
  });

  test.each<[string, string]>([
    ["a number that has lost its last digits", '{"id":175928847299117063}'],
    ["an array with such a number", '{"id":["5",175928847299117063]}'],
    ["an array with null", '{"id":["5",null]}'],
    ["a number with a fraction", '{"id":1.5}'],
    ["text that is not an ID", '{"id":"05"}'],
    ["an object", '{"id":{}}'],
    ["a boolean", '{"id":true}'],
  ])("readIds throws on %s, and names the field", (_title, text) => {
    expect(() => JSON.parse(text, readIds("other", "id"))).toThrow(
      expect.objectContaining({
        code: "ERR_INVALID_ID",
        field: "id",
        rule: "an ID as a decimal string, or a safe integer",
      }),
    );
  });

  test("readIds throws when its names are missing, empty or not strings", () => {
    for (const names of [[], [""], [5], ["id", null], [["id"]]]) {
      expect(() => readIds(...(names as [string]))).toThrow(
        expect.objectContaining({ field: "names", rule: "one or more strings that are not empty" }),
      );
    }
  });
});

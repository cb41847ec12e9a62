// IDs in JSON: there and back, and what is refused on the way.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextIds } from "../../src/index.ts";
import { readIds, writeIds } from "../../src/text/index.ts";

describe("writeIds and readIds", () => {
  test("bring every ID through JSON, at any depth", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(0n, 2n ** 63n - 1n)), (ids) => {
        const value = { id: ids[0] ?? null, deep: [{ ids, other: "7" }, { ids: [] }] };
        expect(JSON.parse(JSON.stringify(value, writeIds), readIds("id", "ids"))).toEqual(value);
      }),
    );
  });

  test("write strings, and touch nothing but bigints", () => {
    const value = { id: 2n ** 53n + 1n, n: 5, text: "5", list: [1n, null, true], gone: undefined };
    expect(JSON.stringify(value, writeIds)).toBe(
      '{"id":"9007199254740993","n":5,"text":"5","list":["1",null,true]}',
    );
    expect(JSON.stringify(nextIds(1), writeIds)).toMatch(/^\["\d+"\]$/);
  });

  test("read the named fields only", () => {
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
    ["text that is no ID", '{"id":"05"}'],
    ["an object", '{"id":{}}'],
    ["a boolean", '{"id":true}'],
  ])("refuse %s, and name the field", (_title, text) => {
    expect(() => JSON.parse(text, readIds("other", "id"))).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ID", field: "id" }),
    );
  });

  test("want names", () => {
    for (const names of [[], [""], [5], ["id", null], [["id"]]]) {
      expect(() => readIds(...(names as [string]))).toThrow(expect.objectContaining({ field: "names" }));
    }
  });
});

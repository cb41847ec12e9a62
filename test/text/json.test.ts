// IDs in JSON: round trips, and the values that are refused.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidIdError, nextIds } from "../../src/index.ts";
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
    ["a number past 2^63", '{"id":9223372036854775808}'],
    ["a large number with a fraction", '{"id":175928847299117063.5}'],
    ["a large number with an exponent", '{"id":175928847299117063e0}'],
    ["a large negative number", '{"id":-175928847299117063}'],
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

  /** Whether this runtime passes the source text to a reviver: Node 21 and later do. */
  let hasSource = false;
  JSON.parse("1", (_key, _value, context?: { readonly source?: string }) => {
    hasSource = context?.source === "1";
  });

  test.each<[string, string, unknown]>([
    ["a field", '{"id":175928847299117063}', { id: 175928847299117063n }],
    ["the largest ID", '{"id":9223372036854775807}', { id: 2n ** 63n - 1n }],
    ["the first inexact number", '{"id": 9007199254740993 }', { id: 9007199254740993n }],
    ["an array", '{"id":["5",175928847299117063,6]}', { id: [5n, 175928847299117063n, 6n] }],
    [
      "arrays and fields of one name at several depths",
      '{"id":[{"id":175928847299117063},{"id":[175928847299117065]}]}',
      undefined,
    ],
  ])(
    "readIds reads numbers past 2^53 exactly where the runtime has their text, else throws: %s",
    (_title, text, wanted) => {
      const read = () => JSON.parse(text, readIds("id"));
      if (hasSource && wanted) expect(read()).toEqual(wanted);
      else expect(read).toThrow(expect.objectContaining({ code: "ERR_INVALID_ID", field: "id" }));
    },
  );

  /** Calls a reviver as JSON.parse does in a runtime with source texts. */
  function revive(
    reviver: ReturnType<typeof readIds>,
    holder: object,
    key: string,
    source?: string,
  ): unknown {
    return reviver.call(holder, key, Reflect.get(holder, key), { source });
  }

  test("readIds reads every ID from the source text of its number, in fields and in arrays", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(0n, 2n ** 63n - 1n), { minLength: 1 }), (ids) => {
        const reviver = readIds("id", "ids");
        const numbers = ids.map(Number);
        expect(revive(reviver, { id: numbers[0] }, "id", String(ids[0]))).toBe(ids[0]);
        for (const [index, id] of ids.entries()) revive(reviver, numbers, String(index), String(id));
        expect(revive(reviver, { ids: numbers }, "ids")).toEqual(ids);
      }),
    );
  });

  test("readIds keeps the source texts of one array apart from those of another", () => {
    const reviver = readIds("id");
    const one = [2 ** 60];
    const other = [2 ** 60];
    revive(reviver, one, "0", "1152921504606846977");
    expect(revive(reviver, { id: one }, "id")).toEqual([1152921504606846977n]);
    expect(() => revive(reviver, { id: other }, "id")).toThrow(InvalidIdError);
  });

  test("readIds throws on a number past 2^53 when there is no source text, or none of an ID", () => {
    for (const context of [
      undefined,
      {},
      { source: "" },
      { source: "1e19" },
      { source: 5 as unknown as string },
    ]) {
      const number = JSON.parse("175928847299117063");
      for (const value of [number, [number]]) {
        expect(() => readIds("id").call({ id: value }, "id", value, context)).toThrow(
          "id must be an ID as a decimal string, or a safe integer, got 175928847299117060",
        );
      }
    }
  });

  test("readIds reads safe integers by their value, however they are written", () => {
    expect(JSON.parse('{"id":[5.0,1e3,-0]}', readIds("id"))).toEqual({ id: [5n, 1000n, 0n] });
  });

  test("readIds throws when its names are missing, empty or not strings", () => {
    for (const names of [[], [""], [5], ["id", null], [["id"]]]) {
      expect(() => readIds(...(names as [string]))).toThrow(
        expect.objectContaining({ field: "names", rule: "one or more strings that are not empty" }),
      );
    }
  });
});

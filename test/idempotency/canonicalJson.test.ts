// Canonical JSON: texts that read as the same value are one text, and all others stay different.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/idempotency/canonicalJson.ts";
import { fingerprint, jsonFingerprint } from "../../src/idempotency/index.ts";

describe("canonicalJson", () => {
  test.each([
    [' { "b" : [ 1 , 2 ] ,\n\t"a" : null }\r\n', '{"a":null,"b":[1,2]}'],
    ["[]", "[]"],
    ["{}", "{}"],
    ["[[],{},[{}]]", "[[],{},[{}]]"],
    ["true", "true"],
    [" false ", "false"],
    ["null", "null"],
    ['""', '""'],
    // Strings: escapes do not count, and every character does.
    ['"\\u0061\\/\\u000a"', '"a/\\n"'],
    ['"\\u00e9"', '"é"'],
    ['"e\\u0301"', '"e\u0301"'],
    ['"\\ud83e\\udda9"', '"🦩"'],
    ['"\\ud83e"', '"\\ud83e"'],
    ['"\\uDDA9"', '"\\udda9"'],
    ['"\\"\\\\"', '"\\"\\\\"'],
    ['"\\\\\\""', '"\\\\\\""'],
    ['["\\\\","]"]', '["\\\\","]"]'],
    ['"{[,:]}"', '"{[,:]}"'],
    // Keys are sorted by code units: the flamingo begins with U+D83E, which is below U+FF5E.
    ['{"～":1,"🦩":2,"é":3,"a":4,"B":5,"":6}', '{"":6,"B":5,"a":4,"é":3,"🦩":2,"～":1}'],
    ['{"10":1,"9":2,"a":3}', '{"10":1,"9":2,"a":3}'],
    ['{"\\u0062":1,"a":2}', '{"a":2,"b":1}'],
    ['{"b":{"d":1,"c":2},"a":[{"f":1,"e":2}]}', '{"a":[{"e":2,"f":1}],"b":{"c":2,"d":1}}'],
    ['{"__proto__":{"x":1},"a":1}', '{"__proto__":{"x":1},"a":1}'],
    ['{"constructor":1,"__proto__":null}', '{"__proto__":null,"constructor":1}'],
  ])("of %j is %j", (text, canonical) => {
    expect(canonicalJson(text)).toBe(canonical);
    expect(canonicalJson(new TextEncoder().encode(text))).toBe(canonical);
    expect(canonicalJson(canonical)).toBe(canonical);
  });

  test.each([
    // Read exactly, so that the notation does not count.
    ["1.0", "1"],
    ["1e0", "1"],
    ["10E-1", "1"],
    ["0.10", "0.1"],
    ["1e2", "100"],
    ["1E+2", "100"],
    ["-5.50", "-5.5"],
    ["0e99999999999999999999", "0"],
    ["0.000", "0"],
    ["1e21", "1e+21"],
    ["1000000000000000000000", "1e+21"],
    ["0.0000001", "1e-7"],
    ["9007199254740992", "9007199254740992"],
    ["9007199254740994.0", "9007199254740994"],
    ["1.7976931348623157e308", "1.7976931348623157e+308"],
    ["5e-324", "5e-324"],
    // Programs can see the sign of a zero.
    ["-0", "-0"],
    ["-0.0", "-0"],
    ["-0e5", "-0"],
    // Not read exactly, so kept as written.
    ["9007199254740993", "9007199254740993"],
    ["9007199254740993.0", "9007199254740993.0"],
    ["1234567890123456789", "1234567890123456789"],
    ["0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"],
    ["3.14159265358979323846", "3.14159265358979323846"],
    ["1e400", "1e400"],
    ["1E400", "1E400"],
    ["-1e400", "-1e400"],
    ["1e-400", "1e-400"],
    ["2.4703282292062327e-324", "2.4703282292062327e-324"],
    [`1${"0".repeat(400)}`, `1${"0".repeat(400)}`],
    [`1.${"0".repeat(400)}`, `1.${"0".repeat(400)}`],
  ])("of the number %s is %s", (text, canonical) => {
    expect(canonicalJson(text)).toBe(canonical);
    expect(canonicalJson(`[${text},{"a":${text}}]`)).toBe(`[${canonical},{"a":${canonical}}]`);
  });

  test.each([
    ["nothing", ""],
    ["white space", " "],
    ["a word", "undefined"],
    ["a comma at the end", "[1,]"],
    ["a comment", "[1] // one"],
    ["two values", "1 2"],
    ["a leading zero", "01"],
    ["a leading plus", "+1"],
    ["NaN", "NaN"],
    ["single quotes", "{'a':1}"],
    ["a control character in a string", '"\n"'],
    ["white space that JSON does not have", "[\u00a01]"],
    ["a key twice", '{"a":1,"a":1}'],
    ["a key twice, once with an escape", '{"a":1,"\\u0061":2}'],
    ["a key twice, deeper", '[{"x":{"__proto__":1,"__proto__":1}}]'],
    ["101 levels", "[".repeat(101) + "]".repeat(101)],
    ["a million levels", "[".repeat(1_000_000) + "]".repeat(1_000_000)],
  ])("there is none of %s", (_, text) => {
    expect(canonicalJson(text)).toBeUndefined();
  });

  test("100 levels have one", () => {
    const text = `${"[".repeat(100)}${"]".repeat(100)}`;
    expect(canonicalJson(text)).toBe(text);
  });

  test.each([
    ["UTF-8 that breaks off", [0x22, 0xc3]],
    ["a lone surrogate in UTF-8", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["UTF-16", [0xff, 0xfe, 0x31, 0x00]],
  ])("there is none of bytes that are %s", (_, bytes) => {
    expect(canonicalJson(Uint8Array.from(bytes))).toBeUndefined();
  });

  test("a byte order mark does not count, as for request.json()", () => {
    expect(canonicalJson(Uint8Array.from([0xef, 0xbb, 0xbf, 0x31]))).toBe("1");
  });

  test("of a long string of backslashes, of many keys and of a long number ends quickly", () => {
    const text = JSON.stringify({ a: "\\".repeat(500_000), b: '"'.repeat(500_000) });
    expect(canonicalJson(text)).toBe(text);
    const keys = Object.fromEntries(
      Array.from({ length: 50_000 }, (_, at) => [`k${(at * 7919) % 50_000}`, at]),
    );
    expect(canonicalJson(JSON.stringify(keys))?.length).toBe(JSON.stringify(keys).length);
    const digits = "9".repeat(1_000_000);
    expect(canonicalJson(digits)).toBe(digits);
  });

  /** A value as text, with keys in any order, any white space and any escapes. */
  const anySpace = fc.constantFrom("", "", " ", "\n\t", "\r ");
  const write = (value: unknown, draw: <T>(arbitrary: fc.Arbitrary<T>) => T): string => {
    const space = () => draw(anySpace);
    const writeString = (text: string) => {
      const units = Array.from({ length: text.length }, (_, at) => {
        const escaped = `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`;
        return draw(fc.boolean()) ? escaped : JSON.stringify(text[at]).slice(1, -1);
      });
      return `"${units.join("")}"`;
    };
    if (typeof value === "string") return writeString(value);
    if (Array.isArray(value)) return `[${space()}${value.map((item) => space() + write(item, draw)).join()}]`;
    if (value !== null && typeof value === "object") {
      const keys = draw(fc.shuffledSubarray(Object.keys(value), { minLength: Object.keys(value).length }));
      const fields = keys.map(
        (key) =>
          `${space()}${writeString(key)}${space()}:${space()}${write((value as Record<string, unknown>)[key], draw)}`,
      );
      return `{${fields.join()}${space()}}`;
    }
    if (Object.is(value, -0)) return "-0.0";
    if (typeof value === "number" && draw(fc.boolean())) return value.toExponential();
    return JSON.stringify(value);
  };

  test("is equal for two texts of one value, and reads as that value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.gen(), (value, generate) => {
        const draw = <T>(arbitrary: fc.Arbitrary<T>) => generate(() => arbitrary);
        const [one, other] = [write(value, draw), write(value, draw)];
        const canonical = canonicalJson(one);
        expect(canonicalJson(other)).toBe(canonical);
        expect(JSON.parse(canonical as string)).toEqual(JSON.parse(one));
        expect(canonicalJson(canonical as string)).toBe(canonical);
      }),
    );
  });

  test("is different for two values that differ", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (one, other) => {
        const [a, b] = [canonicalJson(JSON.stringify(one)), canonicalJson(JSON.stringify(other))];
        const isEqual = sorted(one) === sorted(other);
        expect(a === b).toBe(isEqual);
      }),
    );
  });

  /** Returns JSON with sorted keys, in another way. */
  const sorted = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(sorted)}]`;
    if (Object(value) !== value) return JSON.stringify(value);
    const fields = Object.entries(value as object).map(([key, field]) => [
      JSON.stringify(key),
      sorted(field),
    ]);
    return `{${fields.sort(([one = ""], [other = ""]) => (one < other ? -1 : 1))}}`;
  };

  test("is undefined exactly for texts that JSON.parse refuses, but for duplicate keys and depth", () => {
    const anyText = fc.string({
      unit: fc.constantFrom('"', "\\", "{", "}", "[", "]", ":", ",", "1", "0", "-", ".", "e", "a", "u", " "),
    });
    fc.assert(
      fc.property(anyText, (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        const canonical = canonicalJson(text);
        if (!isJson) expect(canonical).toBeUndefined();
        else if (canonical !== undefined) expect(JSON.parse(canonical)).toEqual(JSON.parse(text));
        else expect(text).toMatch(/"(.*)".*"\1"/s);
      }),
    );
  });
});

describe("jsonFingerprint", () => {
  test("is the fingerprint of the canonical JSON", async () => {
    const canonical = '{"a":[1,null,"é"],"b":{"c":0.1}}';
    const expected = await fingerprint(canonical);
    expect(await jsonFingerprint({ b: { c: 0.1, d: undefined }, a: [1.0, null, "\u00e9"] })).toBe(expected);
    expect(await jsonFingerprint(JSON.parse('{"__proto__":1}'))).toBe(await fingerprint('{"__proto__":1}'));
    expect(await jsonFingerprint("\ud83e")).toBe(await fingerprint('"\\ud83e"'));
  });

  test.each([
    ["undefined", undefined],
    ["a bigint", 1n],
    ["NaN", Number.NaN],
    ["-0", [-0]],
    ["a date", { at: new Date(0) }],
    ["a hole", [1, undefined]],
    ["a function", () => 1],
    ["101 levels", JSON.parse("[".repeat(101) + "]".repeat(101))],
  ])("refuses %s", async (_, value) => {
    await expect(jsonFingerprint(value)).rejects.toMatchObject({ code: "ERR_ARGUMENT", field: "value" });
  });
});

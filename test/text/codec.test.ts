// All text forms: compared with long division in BigInt, their order, and the texts that they refuse.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinHalves, splitId } from "../../src/internal.ts";
import { charCodes, digitTable, NO_DIGIT } from "../../src/text/codec.ts";
import { base32, base58, base62, hex, type TextCodec } from "../../src/text/index.ts";
import { anyId, MAX, refused } from "./ids.ts";

const forms: [string, TextCodec, string, string[]][] = [
  ["base32", base32, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", ["0000000000000", "04W86BB0G4007", "7ZZZZZZZZZZZZ"]],
  [
    "base58",
    base58,
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    ["11111111111", "1QgmVVkniES", "NQm6nKp8qFC"],
  ],
  [
    "base62",
    base62,
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    ["00000000000", "0Czks0tP37X", "AzL8n0Y58m7"],
  ],
  ["hex", hex, "0123456789abcdef", ["0000000000000000", "0271065ac1020007", "7fffffffffffffff"]],
];

/** Writes one character after the other by BigInt division: slow, and simple enough to trust. */
function model(alphabet: string, width: number): (id: bigint) => string {
  const base = BigInt(alphabet.length);
  return (id) => {
    let text = "";
    for (let rest = id; text.length < width; rest /= base) text = alphabet[Number(rest % base)] + text;
    return text;
  };
}

describe.each(forms)("%s", (_name, codec, alphabet, [zero, discord, last]) => {
  test("writes and reads the known texts", () => {
    for (const [id, text] of [
      [0n, zero],
      [175928847299117063n, discord],
      [MAX, last],
    ] as const) {
      expect(codec.encode(id)).toBe(text);
      expect(codec.decode(text as string)).toBe(id);
    }
    expect(codec.width).toBe(zero?.length);
  });

  test("writes the same text as long division, and reads it back", () => {
    const plain = model(alphabet, codec.width);
    fc.assert(
      fc.property(anyId, (id) => {
        const text = codec.encode(id);
        expect(text).toBe(plain(id));
        expect(codec.decode(text)).toBe(id);
      }),
    );
  });

  test("sorts as the IDs do", () => {
    fc.assert(
      fc.property(anyId, anyId, (one, two) => {
        expect(codec.encode(one) < codec.encode(two)).toBe(one < two);
      }),
    );
  });

  test("encode accepts an ID in every form that parseId accepts, and throws on the rest", () => {
    expect(codec.encode("42")).toBe(codec.encode(42n));
    expect(codec.encode(42)).toBe(codec.encode(42n));
    for (const wrong of [
      -1n,
      2n ** 63n,
      2n ** 64n,
      2n ** 64n + 5n,
      -(2n ** 64n),
      "042",
      2 ** 53,
      1.5,
      null,
      {},
    ]) {
      expect(refused(() => codec.encode(wrong as bigint))?.field).toBe("id");
    }
  });

  test("decode and the pattern accept only texts that encode writes", () => {
    const near = fc
      .tuple(anyId, fc.nat(15), fc.string({ maxLength: 2, unit: "binary" }))
      .map(([id, at, piece]) => {
        const text = codec.encode(id);
        const cut = at % codec.width;
        return text.slice(0, cut) + piece + text.slice(cut + 1);
      });
    const alike = fc.string({
      unit: fc.constantFrom(...alphabet),
      minLength: codec.width,
      maxLength: codec.width,
    });
    const pattern = new RegExp(`^${codec.pattern}$`);
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(near, alike, anyId.map(codec.encode), fc.string()), (text) => {
        const isRead = refused(() => expect(codec.encode(codec.decode(text))).toBe(text)) === undefined;
        if (isRead) read++;
        expect(pattern.test(text)).toBe(isRead);
      }),
    );
    // At least a quarter of them are IDs. Without any, the property would assert nothing.
    expect(read).toBeGreaterThan(0);
  });

  test("the error names the form, and echoes at most 64 characters", () => {
    const long = alphabet.repeat(10);
    const error = refused(() => codec.decode(long));
    expect(error?.message).toMatch(/^text must be .*, got "/);
    expect(error?.rule).toContain(`, up to ${last}`);
    expect(error?.value.length).toBeLessThanOrEqual(64);
  });

  test.each<[string, unknown]>([
    ["empty", ""],
    ["zero with an invalid last character", `${zero?.slice(0, -1)}!`],
    ["zero with an invalid first character", `!${zero?.slice(1)}`],
    ["the first characters that are not ASCII", "\u0080".repeat(zero?.length ?? 0)],
    ["too short", last?.slice(1)],
    ["too long", `${zero}${zero?.[0]}`],
    [
      "one past the last ID",
      (last as string).slice(0, -1) + alphabet[alphabet.indexOf((last as string).at(-1) as string) + 1],
    ],
    ["only the last character", (alphabet.at(-1) as string).repeat((zero as string).length)],
    ["with a space", ` ${discord?.slice(1)}`],
    ["with a line break", `${discord?.slice(0, -1)}\n`],
    ["with a letter outside of ASCII", `${discord?.slice(0, -1)}é`],
    ["with a character past all tables", `${discord?.slice(0, -1)}\u{ffff}`],
    // 0x130 is "0" in its lower seven bits.
    ["with a character that is a digit modulo 128", `${discord?.slice(0, -1)}\u{130}`],
    ["with a lone surrogate", `\ud830${discord?.slice(1)}`],
    ["a number", 5],
    ["an array with a text", [discord]],
    ["a String object", Object(discord)],
    ["null", null],
  ])("decode refuses a text that is %s", (_title, text) => {
    expect(refused(() => codec.decode(text as string))?.code).toBe("ERR_INVALID_ID");
  });
});

describe("halves", () => {
  test.each([
    [0n, 0, 0],
    [1n, 0, 1],
    [2n ** 32n - 1n, 0, 0xffff_ffff],
    [2n ** 32n, 1, 0],
    [0x1234_5678_9abc_def0n, 0x1234_5678, 0x9abc_def0],
    [MAX, 0x7fff_ffff, 0xffff_ffff],
  ])("of %d are %d and %d", (id, high, low) => {
    expect(splitId(id)).toEqual({ high, low });
    expect(splitId(String(id))).toEqual({ high, low });
    expect(joinHalves(high, low)).toBe(id);
  });

  test("joinHalves returns undefined when the upper half has more than 31 bits", () => {
    for (const high of [0x8000_0000, 0x8000_0001, 0xffff_ffff, 2 ** 34])
      expect(joinHalves(high, 0)).toBeUndefined();
  });

  test("splitId throws when a bigint is not an ID", () => {
    for (const value of [
      2n ** 63n,
      2n ** 64n - 1n,
      2n ** 64n,
      2n ** 64n + 1n,
      -1n,
      -(2n ** 64n),
      -(2n ** 64n) + 5n,
    ]) {
      expect(refused(() => splitId(value))?.field).toBe("id");
    }
  });
});

describe("a digit table", () => {
  test("has the digit of each character, and NO_DIGIT everywhere else", () => {
    const table = digitTable("aZ0");
    expect(table.length).toBe(128);
    expect([...charCodes("aZ0")].map((code) => table[code])).toEqual([0, 1, 2]);
    expect(table.filter((digit) => digit === NO_DIGIT).length).toBe(125);
  });
});

// The text forms: against long division in BigInt, their order, and all that they refuse.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidIdError } from "../../src/index.ts";
import { base32, base58, base62, hex, prefixed, type TextCodec } from "../../src/text/index.ts";

const MAX = 2n ** 63n - 1n;
const anyId = fc.oneof(
  fc.bigInt(0n, MAX),
  fc.bigInt(0n, 5000n),
  fc.bigInt(0n, 5000n).map((n) => MAX - n),
  // Around the powers of two, where one half ends and the other begins.
  fc
    .tuple(fc.bigInt(0n, 62n), fc.bigInt(-2n, 2n))
    .map(([bits, by]) => 2n ** bits + by)
    .filter((id) => id >= 0n),
);

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

/** Obviously right: one character after the other, by BigInt division. */
function model(alphabet: string, width: number): (id: bigint) => string {
  const base = BigInt(alphabet.length);
  return (id) => {
    let text = "";
    for (let rest = id; text.length < width; rest /= base) text = alphabet[Number(rest % base)] + text;
    return text;
  };
}

/** What is left of a refusal, for whatever throws must be one. */
function refused(act: () => unknown): InvalidIdError | undefined {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidIdError);
    return error as InvalidIdError;
  }
  return undefined;
}

describe.each(forms)("%s", (_name, codec, alphabet, [zero, discord, last]) => {
  test("writes the known texts, and reads them", () => {
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

  test("writes what long division does, and reads back what it wrote", () => {
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

  test("takes an ID in every form that parseId takes, and refuses the rest", () => {
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

  test("reads no text but the ones it writes", () => {
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
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(near, alike, anyId.map(codec.encode), fc.string()), (text) => {
        if (refused(() => expect(codec.encode(codec.decode(text))).toBe(text)) === undefined) read++;
      }),
    );
    // A quarter of them and more are IDs: with none, the property would say nothing.
    expect(read).toBeGreaterThan(0);
  });

  test("says what it wants, and never echoes more than 64 characters", () => {
    const long = alphabet.repeat(10);
    const error = refused(() => codec.decode(long));
    expect(error?.message).toMatch(/^text must be .*, got "/);
    expect(error?.value.length).toBeLessThanOrEqual(64);
  });

  test.each<[string, unknown]>([
    ["empty", ""],
    ["too short", last?.slice(1)],
    ["too long", `${zero}${zero?.[0]}`],
    [
      "one past the last ID",
      (last as string).slice(0, -1) + alphabet[alphabet.indexOf((last as string).at(-1) as string) + 1],
    ],
    ["all of the last character", (alphabet.at(-1) as string).repeat((zero as string).length)],
    ["with a space", ` ${discord?.slice(1)}`],
    ["with a line break", `${discord?.slice(0, -1)}\n`],
    ["with a letter from elsewhere", `${discord?.slice(0, -1)}é`],
    ["with a character past all tables", `${discord?.slice(0, -1)}\u{ffff}`],
    ["no string", 5],
    ["an array of a text", [discord]],
    ["null", null],
  ])("refuses a text that is %s", (_title, text) => {
    expect(refused(() => codec.decode(text as string))?.code).toBe("ERR_INVALID_ID");
  });
});

describe("base32.lenient", () => {
  test("reads what base32 writes, in any case and with the letters that look like digits", () => {
    fc.assert(
      fc.property(anyId, fc.infiniteStream(fc.boolean()), (id, coin) => {
        const text = base32.encode(id).replace(/./g, (character) => {
          const { value } = coin.next();
          if (character === "0") return value ? "o" : "O";
          if (character === "1") return value ? "i" : "L";
          return value ? character.toLowerCase() : character;
        });
        expect(base32.lenient.decode(text)).toBe(id);
      }),
    );
  });

  test.each([
    "0000000000I",
    "000000000000U",
    "000000000000u",
    "00000-0000000",
    "800000000000o",
    "zzzzzzzzzzzzz",
    "",
  ])("refuses %j all the same", (text) => {
    expect(refused(() => base32.lenient.decode(text))).toBeDefined();
  });

  test("base32 itself refuses every alias, and hex its capitals", () => {
    expect(refused(() => hex.decode("0271065AC1020007"))).toBeDefined();
    for (const alias of "IiLlOoaz")
      expect(refused(() => base32.decode(`000000000000${alias}`))).toBeDefined();
  });

  test("writes as base32 does", () => {
    expect(base32.lenient.encode(MAX)).toBe("7ZZZZZZZZZZZZ");
    expect(base32.lenient.width).toBe(13);
  });
});

describe("prefixed", () => {
  const users = prefixed("user", base32);
  const orders = prefixed("order", base62);

  test("writes and reads IDs behind its prefix", () => {
    const id = users.encode(175928847299117063n);
    expect(id).toBe("user_04W86BB0G4007");
    expect(users.decode(id)).toBe(175928847299117063n);
    expect(users.width).toBe(id.length);
    expect(users.prefix).toBe("user");
    const text: string = id;
    expect(users.decode(text)).toBe(175928847299117063n);
    expect(users.decode(users.parse("user_04W86BB0G4007"))).toBe(175928847299117063n);
  });

  test("keeps apart, in types, what has another prefix", () => {
    const order = orders.encode(1n);
    // @ts-expect-error: an order's ID does not pass for a user's
    expect(refused(() => users.decode(order))).toBeDefined();
    // @ts-expect-error: nor does a string, before parse has seen it
    const user: ReturnType<typeof users.encode> = "user_04W86BB0G4007";
    expect(users.parse(user)).toBe(user);
  });

  test.each<unknown>([
    "user_",
    "user04W86BB0G4007",
    "User_04W86BB0G4007",
    "order_04W86BB0G4007",
    "04W86BB0G4007",
    "user_04w86bb0g4007",
    "user_04W86BB0G40070",
    "user_user_04W86BB0G4007",
    "",
    5,
    null,
    ["user_04W86BB0G4007"],
  ])("refuses %j", (text) => {
    expect(refused(() => users.decode(text as string))).toBeDefined();
    expect(refused(() => users.parse(text))).toBeDefined();
  });

  test.each(["u", "user", "a1", "a_b", `a${"b".repeat(62)}`])("takes the prefix %j", (prefix) => {
    const codec = prefixed(prefix, hex);
    expect(codec.decode(codec.encode(MAX))).toBe(MAX);
  });

  test.each<unknown>([
    "",
    "User",
    "1a",
    "_a",
    "a_",
    "a-b",
    "a b",
    "é",
    `a${"b".repeat(63)}`,
    "a\n",
    5,
    undefined,
  ])("refuses the prefix %j", (prefix) => {
    expect(() => prefixed(prefix as string, hex)).toThrow(expect.objectContaining({ field: "prefix" }));
  });

  test("refuses a codec whose width is none", () => {
    for (const width of [0, -5, 1.5, 65, undefined]) {
      const field = "codec.width";
      expect(() => prefixed("user", { ...hex, width: width as number })).toThrow(
        expect.objectContaining({ field }),
      );
    }
  });

  test("refuses what is no codec", () => {
    for (const wrong of [undefined, null, "base32", {}, { encode: 5 }, () => ""]) {
      expect(() => prefixed("user", wrong as never)).toThrow(expect.objectContaining({ field: "codec" }));
    }
  });

  test("behind aliases, reads what a person typed and makes it the one text of its ID", () => {
    const typed = prefixed("user", base32.lenient);
    expect(typed.decode("user_o4w86bbog4oo7")).toBe(175928847299117063n);
    expect(typed.parse("user_o4w86bbog4oo7")).toBe("user_04W86BB0G4007");
  });

  test("says the whole of what it got, and what it wants", () => {
    expect(refused(() => users.parse("user_04w86bb0g4007"))?.message).toBe(
      'text must be user_ and 13 characters of Crockford\'s base32 in capitals, up to 7ZZZZZZZZZZZZ, got "user_04w86bb0g4007"',
    );
  });

  test("lets a codec of one's own through, and calls its refusals by name", () => {
    const bytes: TextCodec = {
      encode: (id) => String.fromCharCode(Number(id)),
      decode: (text) => BigInt(`${text.charCodeAt(0)}`) / (text === "?" ? 0n : 1n),
      width: 1,
    };
    const codes = prefixed("code", bytes);
    expect(codes.decode(codes.encode(65n))).toBe(65n);
    expect(refused(() => codes.decode("code_?"))?.field).toBe("text");
  });
});

// prefixed: texts with a prefix, their types, and the texts and prefixes that are refused.

import { describe, expect, test } from "vitest";
import { base32, base62, hex, prefixed, type TextCodec } from "../../src/text/index.ts";
import { MAX, refused } from "./ids.ts";

describe("prefixed", () => {
  // Made within the tests: an error here would be one of the file, which mutation tests do not count.
  const makeUsers = () => prefixed("user", base32);

  test("writes and reads IDs with its prefix", () => {
    const users = makeUsers();
    const id = users.encode(175928847299117063n);
    expect(id).toBe("user_04W86BB0G4007");
    expect(users.decode(id)).toBe(175928847299117063n);
    expect(users.width).toBe(id.length);
    expect(users.prefix).toBe("user");
    const text: string = id;
    expect(users.decode(text)).toBe(175928847299117063n);
    expect(users.decode(users.parse("user_04W86BB0G4007"))).toBe(175928847299117063n);
  });

  test("types of different prefixes are not assignable to each other", () => {
    const users = makeUsers();
    const order = prefixed("order", base62).encode(1n);
    // @ts-expect-error: an order's ID is not a user's
    expect(refused(() => users.decode(order))).toBeDefined();
    // @ts-expect-error: a string has to go through parse first
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
    const users = makeUsers();
    expect(refused(() => users.decode(text as string))).toBeDefined();
    expect(refused(() => users.parse(text))).toBeDefined();
  });

  test.each(["u", "user", "a1", "a_b", `a${"b".repeat(62)}`])("accepts the prefix %j", (prefix) => {
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
    const rule = "1 to 63 characters of a-z, 0-9 and _ that begin with a letter and do not end with _";
    expect(() => prefixed(prefix as string, hex)).toThrow(expect.objectContaining({ field: "prefix", rule }));
  });

  test("refuses a codec with an invalid width", () => {
    for (const width of [0, -5, 1.5, 65, undefined]) {
      const field = "codec.width";
      expect(() => prefixed("user", { ...hex, width: width as number })).toThrow(
        expect.objectContaining({ field }),
      );
    }
  });

  test("refuses a value that is not a codec", () => {
    const rule = "base32, base58, base62, hex or another TextCodec";
    const { encode, decode } = hex;
    for (const wrong of [
      undefined,
      null,
      "base32",
      {},
      { encode: 5, decode },
      { encode, width: 5 },
      () => "",
    ]) {
      expect(() => prefixed("user", wrong as never)).toThrow(
        expect.objectContaining({ field: "codec", rule }),
      );
    }
  });

  test("with base32.lenient, parse returns the canonical text of what a person typed", () => {
    const typed = prefixed("user", base32.lenient);
    expect(typed.decode("user_o4w86bbog4oo7")).toBe(175928847299117063n);
    expect(typed.parse("user_o4w86bbog4oo7")).toBe("user_04W86BB0G4007");
  });

  test("the error has the whole text and the whole rule", () => {
    const users = makeUsers();
    expect(refused(() => users.parse("user_04w86bb0g4007"))?.message).toBe(
      'text must be user_ and 13 characters of Crockford\'s base32 in capitals, up to 7ZZZZZZZZZZZZ, got "user_04w86bb0g4007"',
    );
    expect(refused(() => users.parse("user_04W86BB0G40071"))?.message).toBe(
      'text must be user_ and 13 characters, got "user_04W86BB0G40071"',
    );
  });

  test("accepts a custom codec, and throws InvalidIdError when its decode throws", () => {
    const bytes: TextCodec = {
      encode: (id) => String.fromCharCode(Number(id)),
      decode: (text) => BigInt(`${text.charCodeAt(0)}`) / (text === "?" ? 0n : 1n),
      width: 1,
    };
    const codes = prefixed("code", bytes);
    expect(codes.decode(codes.encode(65n))).toBe(65n);
    const error = refused(() => codes.decode("code_?"));
    expect(error).toMatchObject({ field: "text", rule: "code_ and a text of its codec" });
    // Its decode would take a text of two characters.
    expect(refused(() => codes.decode("code_AB"))).toBeDefined();
  });
});

// base32.lenient: the aliases that it reads, and the texts that it refuses.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base32, hex } from "../../src/text/index.ts";
import { anyId, MAX, refused } from "./ids.ts";

describe("base32.lenient", () => {
  test("reads the texts of base32 in any case, and with letters in place of similar digits", () => {
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
  ])("refuses %j", (text) => {
    expect(refused(() => base32.lenient.decode(text))).toBeDefined();
  });

  test("base32 refuses every alias, and hex refuses capitals", () => {
    expect(refused(() => hex.decode("0271065AC1020007"))).toBeDefined();
    for (const alias of "IiLlOoaz")
      expect(refused(() => base32.decode(`000000000000${alias}`))).toBeDefined();
  });

  test("writes the same texts as base32", () => {
    expect(base32.lenient.encode(MAX)).toBe("7ZZZZZZZZZZZZ");
    expect(base32.lenient.width).toBe(13);
  });
});

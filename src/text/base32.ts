// Crockford's base32: 13 characters without I, L, O and U, five bits each.

import { charCodes, digitTable, idOrThrow, joinId, splitId, type TextCodec } from "./codec.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const WIDTH = 13;
const FORM = "13 characters of Crockford's base32 in capitals, up to 7ZZZZZZZZZZZZ";

const codes = /* @__PURE__ */ charCodes(ALPHABET);

function encode(given: bigint | string | number): string {
  const { high, low } = splitId(given);
  // One call with all the characters makes a flat string; adding up pieces takes twice as long, and leaves a tree.
  return String.fromCharCode(
    codes[high >>> 28] as number,
    codes[(high >>> 23) & 31] as number,
    codes[(high >>> 18) & 31] as number,
    codes[(high >>> 13) & 31] as number,
    codes[(high >>> 8) & 31] as number,
    codes[(high >>> 3) & 31] as number,
    codes[((high & 7) << 2) | (low >>> 30)] as number,
    codes[(low >>> 25) & 31] as number,
    codes[(low >>> 20) & 31] as number,
    codes[(low >>> 15) & 31] as number,
    codes[(low >>> 10) & 31] as number,
    codes[(low >>> 5) & 31] as number,
    codes[low & 31] as number,
  );
}

/** The ID that a text stands for under a table of digits, if it does. */
function read(text: string, table: Uint8Array): bigint | undefined {
  if (typeof text !== "string" || text.length !== WIDTH) return undefined;
  let high = 0;
  let low = 0;
  for (let at = 0; at < WIDTH; at++) {
    const digit = table[text.charCodeAt(at)] ?? 255;
    // 13 characters have 65 bits: the first may use three of its five.
    if (digit > (at === 0 ? 7 : 31)) return undefined;
    high = (high << 5) | (low >>> 27);
    low = ((low << 5) | digit) >>> 0;
  }
  return joinId(high, low);
}

const strict = /* @__PURE__ */ digitTable(ALPHABET);

/** Lower case, and the letters that are easily taken for a digit. */
function aliases(): Uint8Array {
  const table = digitTable(ALPHABET);
  for (let digit = 10; digit < 32; digit++) table[ALPHABET.charCodeAt(digit) | 32] = digit;
  for (const letter of "OoIiLl") table[letter.charCodeAt(0)] = "Oo".includes(letter) ? 0 : 1;
  return table;
}

const lenient = /* @__PURE__ */ aliases();

/** {@link base32}, and its forgiving reader. */
export interface Base32 extends TextCodec {
  /** Writes the same, and reads what a person typed: lower case as well, `O` for 0, `I` and `L` for 1. */
  readonly lenient: TextCodec;
}

/**
 * Crockford's base32: 13 characters of `0-9A-Z` without I, L, O and U, so that it survives being read aloud.
 * Texts sort as the IDs do where characters compare by their codes; see {@link TextCodec}.
 *
 * Reading is strict; `base32.lenient` also reads Crockford's aliases (lower case, O for 0, I and L for 1), but no
 * hyphens or spaces.
 *
 * @example
 * ```ts
 * import { base32 } from "bitflake/text";
 *
 * base32.encode(175928847299117063n); // => '04W86BB0G4007'
 * base32.decode("04W86BB0G4007"); // => 175928847299117063n
 * base32.lenient.decode("o4w86bbOg4oo7"); // => 175928847299117063n
 * ```
 */
export const base32: Base32 = /* @__PURE__ */ Object.freeze({
  encode,
  decode: (text: string) => idOrThrow(read(text, strict), text, FORM),
  width: WIDTH,
  lenient: /* @__PURE__ */ Object.freeze({
    encode,
    decode: (text: string) => idOrThrow(read(text, lenient), text, FORM),
    width: WIDTH,
  }),
});

// Crockford's base32: 13 characters of five bits each, without I, L, O and U.

import { charCode, joinHalves, splitId } from "../internal.ts";
import { charCodes, digitTable, idOrThrow, NO_DIGIT, TABLE_SIZE, type TextCodec } from "./codec.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const WIDTH = 13;
const FORM = "13 characters of Crockford's base32 in capitals, up to 7ZZZZZZZZZZZZ";

const codes = /* @__PURE__ */ charCodes(ALPHABET);

function encode(id: bigint | string | number): string {
  const { high, low } = splitId(id);
  // One call with all the characters makes a flat string. Concatenation takes twice as long and leaves a tree of
  // pieces.
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

/**
 * Reads a text by a digit table. Returns `undefined` if the text is not an ID.
 *
 * Without a loop and without branches per character, because both cost more than the lookups. The codes and the digits
 * are collected by OR: one comparison each finds a character outside of ASCII or outside of the alphabet.
 */
function read(text: string, table: Uint8Array): bigint | undefined {
  if (typeof text !== "string" || text.length !== WIDTH) return undefined;
  const c0 = charCode(text, 0);
  const c1 = charCode(text, 1);
  const c2 = charCode(text, 2);
  const c3 = charCode(text, 3);
  const c4 = charCode(text, 4);
  const c5 = charCode(text, 5);
  const c6 = charCode(text, 6);
  const c7 = charCode(text, 7);
  const c8 = charCode(text, 8);
  const c9 = charCode(text, 9);
  const c10 = charCode(text, 10);
  const c11 = charCode(text, 11);
  const c12 = charCode(text, 12);
  if ((c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7 | c8 | c9 | c10 | c11 | c12) >= TABLE_SIZE) return undefined;
  const d0 = table[c0] as number;
  const d1 = table[c1] as number;
  const d2 = table[c2] as number;
  const d3 = table[c3] as number;
  const d4 = table[c4] as number;
  const d5 = table[c5] as number;
  const d6 = table[c6] as number;
  const d7 = table[c7] as number;
  const d8 = table[c8] as number;
  const d9 = table[c9] as number;
  const d10 = table[c10] as number;
  const d11 = table[c11] as number;
  const d12 = table[c12] as number;
  if ((d0 | d1 | d2 | d3 | d4 | d5 | d6 | d7 | d8 | d9 | d10 | d11 | d12) >= NO_DIGIT) return undefined;
  // 13 characters have 65 bits: the first may use only three of its five.
  if (d0 > 7) return undefined;
  return joinHalves(
    (d0 << 28) | (d1 << 23) | (d2 << 18) | (d3 << 13) | (d4 << 8) | (d5 << 3) | (d6 >> 2),
    (d6 << 30) | (d7 << 25) | (d8 << 20) | (d9 << 15) | (d10 << 10) | (d11 << 5) | d12,
  );
}

const strict = /* @__PURE__ */ digitTable(ALPHABET);

/** Returns a digit table that also has Crockford's aliases: lower case, O for 0, I and L for 1. */
function lenientTable(): Uint8Array {
  const table = digitTable(ALPHABET);
  for (let digit = 10; digit < 32; digit++) table[ALPHABET.charCodeAt(digit) | 32] = digit;
  for (const letter of "OoIiLl") table[letter.charCodeAt(0)] = "Oo".includes(letter) ? 0 : 1;
  return table;
}

const lenient = /* @__PURE__ */ lenientTable();

/** {@link base32}, and a codec that reads its aliases. */
export interface Base32 extends TextCodec {
  /** Writes the same texts, and also reads texts in lower case, with `O` for 0, or with `I` or `L` for 1. */
  readonly lenient: TextCodec;
}

/**
 * Crockford's base32: 13 characters of `0-9A-Z` without I, L, O and U, so that a person can read it aloud.
 * Texts sort as their IDs do if characters compare by their codes: see {@link TextCodec}.
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
  pattern: "[0-7][0-9A-HJKMNP-TV-Z]{12}",
  lenient: /* @__PURE__ */ Object.freeze({
    encode,
    decode: (text: string) => idOrThrow(read(text, lenient), text, FORM),
    width: WIDTH,
    pattern: "[0-7OoIiLl][0-9A-TV-Za-tv-z]{12}",
  }),
});

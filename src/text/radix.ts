// base58 and base62: eleven characters, by long division.

import { charCode, joinHalves, splitId } from "../internal.ts";
import { charCodes, digitTable, idOrThrow, NO_DIGIT, TABLE_SIZE, type TextCodec } from "./codec.ts";
import { patternUpTo } from "./pattern.ts";

const WIDTH = 11;
/** Two to the power of 32: the values of a half of an ID. */
const HALF = 4_294_967_296;

const PER_HALF = 1 / HALF;

/**
 * Creates a codec of eleven characters for an alphabet of 53 to 62 characters: eleven digits of radix 53 hold 63 bits.
 *
 * Encoding divides in groups of 2, 3, 3 and 3 digits, because the cube of the radix has 18 bits: the product of a
 * 32-bit half and a cube, plus a remainder, is still an exact double.
 */
function createRadixCodec(alphabet: string, name: string): TextCodec {
  const base = alphabet.length;
  const cube = base ** 3;
  const codes = charCodes(alphabet);
  const table = digitTable(alphabet);

  function encode(id: bigint | string | number): string {
    const { high, low } = splitId(id);
    // The ID divided by the cube, half by half. The quotient has at most 46 bits, so it is an exact double.
    const above = Math.floor(high / cube);
    const rest = (high - above * cube) * HALF + low;
    const below = Math.floor(rest / cube);
    const d = rest - below * cube;
    const quotient = above * HALF + below;
    const ab = Math.floor(quotient / cube);
    const c = quotient - ab * cube;
    const a = Math.floor(ab / cube);
    const b = ab - a * cube;
    // These numbers have 18 bits, so integer divisions do: they are several times as fast.
    const b2 = (b / base) | 0;
    const b1 = (b2 / base) | 0;
    const c2 = (c / base) | 0;
    const c1 = (c2 / base) | 0;
    const d2 = (d / base) | 0;
    const d1 = (d2 / base) | 0;
    const a1 = (a / base) | 0;
    return String.fromCharCode(
      codes[a1] as number,
      codes[a - a1 * base] as number,
      codes[b1] as number,
      codes[b2 - b1 * base] as number,
      codes[b - b2 * base] as number,
      codes[c1] as number,
      codes[c2 - c1 * base] as number,
      codes[c - c2 * base] as number,
      codes[d1] as number,
      codes[d2 - d1 * base] as number,
      codes[d - d2 * base] as number,
    );
  }

  /** Reads a text. Returns `undefined` if the text is not an ID. Unrolled for the same reasons as in base32.ts. */
  function read(text: string): bigint | undefined {
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
    if ((c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7 | c8 | c9 | c10) >= TABLE_SIZE) return undefined;
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
    if ((d0 | d1 | d2 | d3 | d4 | d5 | d6 | d7 | d8 | d9 | d10) >= NO_DIGIT) return undefined;
    // Five digits and three have less than 31 bits, so these are integer operations.
    const ab = (((d0 * base + d1) * base + d2) * base + d3) * base + d4;
    const c = (d5 * base + d6) * base + d7;
    const d = (d8 * base + d9) * base + d10;
    // The quotient has at most 48 bits and the rest 50, so both are exact doubles. Math.floor of a product with 2^-32
    // is several times as fast as `%`.
    const quotient = ab * cube + c;
    const above = Math.floor(quotient * PER_HALF);
    const rest = (quotient - above * HALF) * cube + d;
    const carry = Math.floor(rest * PER_HALF);
    return joinHalves(above * cube + carry, rest - carry * HALF);
  }

  const last = encode(2n ** 63n - 1n);
  const form = `${WIDTH} characters of ${name}, up to ${last}`;
  return Object.freeze({
    encode,
    decode: (text: string) => idOrThrow(read(text), text, form),
    width: WIDTH,
    // Computed when it is read, because few programs do.
    get pattern() {
      return patternUpTo(last, alphabet);
    },
  });
}

/**
 * Base58 in Bitcoin's alphabet, without `0`, `O`, `I` and `l`: 11 characters.
 *
 * Texts sort as their IDs do if characters compare by their codes: see {@link TextCodec}. Under a collation that puts
 * `a` before `B` they do not.
 *
 * @example
 * ```ts
 * import { base58 } from "bitflake/text";
 *
 * base58.encode(175928847299117063n); // => '1QgmVVkniES'
 * base58.decode("1QgmVVkniES"); // => 175928847299117063n
 * ```
 */
export const base58: TextCodec = /* @__PURE__ */ createRadixCodec(
  "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
  "base58",
);

/**
 * Base62, `0-9A-Za-z`: 11 characters, for URLs.
 *
 * Texts sort as their IDs do if characters compare by their codes: see {@link TextCodec}. Under a collation that puts
 * `a` before `B` they do not.
 *
 * @example
 * ```ts
 * import { base62 } from "bitflake/text";
 *
 * base62.encode(175928847299117063n); // => '0Czks0tP37X'
 * base62.decode("0Czks0tP37X"); // => 175928847299117063n
 * ```
 */
export const base62: TextCodec = /* @__PURE__ */ createRadixCodec(
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
  "base62",
);

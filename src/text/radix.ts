// base58 and base62: eleven characters, by long division.

import { charCodes, digitTable, idOrThrow, joinId, splitId, type TextCodec } from "./codec.ts";

const WIDTH = 11;
const HALF = 4_294_967_296;

/**
 * An alphabet of at least 53 characters, of which eleven hold 63 bits. They are worked off in groups of 2, 3, 3 and 3:
 * the third power of the radix is the largest by which a half of an ID and a remainder still make an exact double.
 */
function createRadixCodec(alphabet: string, name: string): TextCodec {
  const base = alphabet.length;
  const cube = base ** 3;
  const codes = charCodes(alphabet);
  const table = digitTable(alphabet);

  function encode(given: bigint | string | number): string {
    const { high, low } = splitId(given);
    // The ID divided by the cube, half by half: the quotient has at most 46 bits, and is exact from here on.
    const above = Math.floor(high / cube);
    const rest = (high - above * cube) * HALF + low;
    const below = Math.floor(rest / cube);
    const d = rest - below * cube;
    const quotient = above * HALF + below;
    const ab = Math.floor(quotient / cube);
    const c = quotient - ab * cube;
    const a = Math.floor(ab / cube);
    const b = ab - a * cube;
    // From here on whole numbers of 18 bits, and an integer division is several times as fast.
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

  /** Some characters of a text as a number; NaN if one is not of the alphabet. */
  function group(text: string, from: number, to: number): number {
    let value = 0;
    for (let at = from; at < to; at++) {
      const digit = table[text.charCodeAt(at)] ?? 255;
      value = digit === 255 ? Number.NaN : value * base + digit;
    }
    return value;
  }

  function read(text: string): bigint | undefined {
    if (typeof text !== "string" || text.length !== WIDTH) return undefined;
    const quotient = group(text, 0, 8);
    const rest = (quotient % HALF) * cube + group(text, 8, 11);
    const high = Math.floor(quotient / HALF) * cube + Math.floor(rest / HALF);
    return Number.isNaN(high) ? undefined : joinId(high, rest % HALF);
  }

  const last = encode(2n ** 63n - 1n);
  const form = `${WIDTH} characters of ${name}, up to ${last}`;
  return Object.freeze({
    encode,
    decode: (text: string) => idOrThrow(read(text), text, form),
    width: WIDTH,
  });
}

/**
 * Base58 in Bitcoin's alphabet, without `0`, `O`, `I` and `l`: 11 characters.
 *
 * Texts sort as the IDs do where characters compare by their codes; see {@link TextCodec}. Under any other collation,
 * which puts `a` before `B`, they do not.
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
 * Texts sort as the IDs do where characters compare by their codes; see {@link TextCodec}. Under any other collation,
 * which puts `a` before `B`, they do not.
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

// What every text form has in common: how an ID is split into halves and put together again, and what is refused.

import { InvalidIdError, parseId } from "../internal.ts";

/**
 * A text form of IDs: one text for each ID, and all of one width, so that texts sort as their IDs do.
 *
 * That is the order by character codes: `<` and `sort()` in JavaScript, `COLLATE "C"` in Postgres, a `_bin` collation in
 * MySQL, the default in SQLite. Not that of `localeCompare` or of a language: Danish sorts `aa` behind `z`, Estonian
 * `z` behind `s`.
 */
export interface TextCodec {
  /**
   * Writes an ID.
   *
   * @param id a bigint, a canonical decimal string or a safe integer
   * @throws {@link InvalidIdError} if it is not an ID
   */
  encode(id: bigint | string | number): string;
  /**
   * Reads an ID. Only what {@link TextCodec.encode} writes is accepted.
   *
   * @throws {@link InvalidIdError} for any other length, character or case, and beyond 2^63 - 1
   */
  decode(text: string): bigint;
  /** How many characters a text has. */
  readonly width: number;
}

/** An ID in two halves, of 31 and 32 bits. */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

/** A 64-bit word to write an ID to and read its halves from: several times as fast as shifting it. */
interface Scratch {
  readonly word: BigUint64Array<ArrayBuffer>;
  readonly halves: Uint32Array<ArrayBuffer>;
  /** Which half is the low one: 0 on a little-endian machine, 1 on a big-endian one. */
  readonly lowAt: number;
}

function createScratch(): Scratch {
  const word = BigUint64Array.of(1n);
  const halves = new Uint32Array(word.buffer);
  return { word, halves, lowAt: halves.indexOf(1) };
}

const scratch: Scratch = /* @__PURE__ */ createScratch();

/** Takes an ID into halves. */
export function splitId(given: bigint | string | number): Halves {
  const { word, halves, lowAt } = scratch;
  const id = typeof given === "bigint" ? given : parseId(given);
  word[0] = id;
  const high = halves[1 - lowAt] as number;
  // What does not fit has lost its upper bits on the way, or has its highest set: parseId says why it is no ID.
  if (high >= 0x8000_0000 || word[0] !== id) parseId(id);
  return { high, low: halves[lowAt] as number };
}

/** Puts an ID together; undefined if the upper half has more than 31 bits. */
export function joinId(high: number, low: number): bigint | undefined {
  if (high >= 0x8000_0000) return undefined;
  const { word, halves, lowAt } = scratch;
  halves[1 - lowAt] = high;
  halves[lowAt] = low;
  return word[0];
}

/** The characters of an alphabet by digit, as codes. */
export function charCodes(alphabet: string): Uint8Array {
  return Uint8Array.from(alphabet, (character) => character.charCodeAt(0));
}

/** Which digit each character stands for, by its code; 255 for none. */
export function digitTable(alphabet: string): Uint8Array {
  const table = new Uint8Array(128).fill(255);
  for (let digit = 0; digit < alphabet.length; digit++) table[alphabet.charCodeAt(digit)] = digit;
  return table;
}

/** The ID that a text gave, if it gave one. */
export function idOrThrow(id: bigint | undefined, text: string, form: string): bigint {
  if (id !== undefined) return id;
  throw new InvalidIdError("text", form, text);
}

// Shared parts of the text forms: the codec interface, digit tables and the refusal.

import { InvalidIdError } from "../internal.ts";

/**
 * A text form of IDs: one text for each ID, all of one width, so that texts sort as their IDs do.
 *
 * That is the order by character codes: `<` and `sort()` in JavaScript, `COLLATE "C"` in PostgreSQL, a `_bin` collation
 * in MySQL, the default in SQLite. It is not the order of `localeCompare` or of a language: Danish sorts `aa` after
 * `z`, Estonian `z` after `s`.
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
   * Reads an ID. Accepts only texts that {@link TextCodec.encode} writes.
   *
   * @throws {@link InvalidIdError} for any other length, character or case, and beyond 2^63 - 1
   */
  decode(text: string): bigint;
  /** The number of characters of a text. */
  readonly width: number;
  /**
   * A regular expression for exactly the texts of the form, without anchors, in the syntax of JSON Schema. Without it, the
   * JSON Schema of a prefixed text says only how long the text is.
   */
  readonly pattern?: string | undefined;
}

/** Returns the character codes of an alphabet, by digit. */
export function charCodes(alphabet: string): Uint8Array {
  return Uint8Array.from(alphabet, (character) => character.charCodeAt(0));
}

/** The table's value for a character that is not in the alphabet: larger than every digit, and a bit of its own. */
export const NO_DIGIT = 0x80;

/** The number of entries of a digit table: one for each ASCII code. */
export const TABLE_SIZE = 128;

/** Returns the digit of each ASCII character, by its code; {@link NO_DIGIT} for characters outside of the alphabet. */
export function digitTable(alphabet: string): Uint8Array {
  const table = new Uint8Array(TABLE_SIZE).fill(NO_DIGIT);
  charCodes(alphabet).forEach((code, digit) => {
    table[code] = digit;
  });
  return table;
}

/** Returns the ID of a text, or throws if the text has none. */
export function idOrThrow(id: bigint | undefined, text: string, form: string): bigint {
  if (id !== undefined) return id;
  throw new InvalidIdError("text", form, text);
}

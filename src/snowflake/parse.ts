// parseId and isId: which values from outside are IDs.

import { InvalidIdError } from "../errors.ts";
import { joinHalves } from "./halves.ts";

const ZERO = 48;

/** Reads digits of a text, from one index up to another, as a number; NaN if there is another character. */
function readDigits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/**
 * Reads a canonical decimal text. The upper 10 and the lower 9 digits are one number each, so that no BigInt is created
 * but the result: that takes less time than `BigInt(text)`, and half of what it takes behind a regular expression.
 */
function readText(text: string): bigint | undefined {
  const { length } = text;
  if (length === 0 || length > 19 || (length > 1 && text.charCodeAt(0) === ZERO)) return undefined;
  const split = Math.max(length - 9, 0);
  const upper = readDigits(text, 0, split);
  const lower = readDigits(text, split, length);
  // upper × 10^9 in pieces of at most 50 bits, which are exact.
  const upperLow = upper % 0x1_0000;
  const upperHigh = (upper - upperLow) / 0x1_0000;
  const middle = upperHigh * 1e9;
  const middleLow = middle % 0x1_0000;
  const low = middleLow * 0x1_0000 + upperLow * 1e9 + lower;
  const high = (middle - middleLow) / 0x1_0000 + Math.floor(low / 0x1_0000_0000);
  return Number.isNaN(low) ? undefined : joinHalves(high, low);
}

/** Reads a value; returns `undefined` if it is no ID. */
function readId(value: unknown): bigint | undefined {
  if (typeof value === "string") return readText(value);
  if (typeof value === "bigint") return BigInt.asUintN(63, value) === value ? value : undefined;
  return Number.isSafeInteger(value) && (value as number) >= 0 ? BigInt(value as number) : undefined;
}

/**
 * Reads an ID from outside: a bigint, a canonical decimal string or a safe integer, from 0 to 2^63 - 1.
 * Nothing else passes: no sign, space, exponent, hexadecimal or leading zero, no unsafe number.
 *
 * @param value what came in, from a URL, a JSON body, a database row
 * @returns the ID as a bigint
 * @throws {@link InvalidIdError} for everything else
 *
 * @example
 * ```ts
 * import { parseId } from "bitflake";
 *
 * parseId("175928847299117063"); // => 175928847299117063n
 * ```
 */
export function parseId(value: unknown): bigint {
  const id = readId(value);
  if (id !== undefined) return id;
  throw new InvalidIdError("id", "a bigint, decimal string or safe integer from 0 to 2^63-1", value);
}

/**
 * Whether {@link parseId} would take the value.
 *
 * @param value anything
 *
 * @example
 * ```ts
 * import { isId } from "bitflake";
 *
 * isId("42"); // => true
 * isId("042"); // => false
 * isId(2 ** 53); // => false
 * ```
 */
export function isId(value: unknown): value is bigint | string | number {
  return readId(value) !== undefined;
}

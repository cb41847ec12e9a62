// IDs from outside: what may pass for one, and nothing else.

import { InvalidIdError } from "../errors.ts";

/** The ID that a value stands for, if it does. */
function readId(value: unknown): bigint | undefined {
  const exact =
    typeof value === "string"
      ? /^(0|[1-9]\d{0,18})$/.test(value)
      : typeof value === "bigint" || Number.isSafeInteger(value);
  if (exact) {
    const id = BigInt(value as bigint | string | number);
    if (BigInt.asUintN(63, id) === id) return id;
  }
  return undefined;
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

// storedId: reads an ID as a driver returned it.

import { InvalidIdError, readId } from "../internal.ts";

/**
 * Reads the value of a column with IDs.
 *
 * @param field the column, for the message
 * @param remedy how to get exact values, for the message about a rounded one
 * @throws {@link InvalidIdError} if it is a number past 2^53, which has lost digits, or no ID
 */
export function readStoredId(field: string, value: unknown, remedy: string): bigint {
  const id = readId(value);
  if (id !== undefined) return id;
  const isRounded = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
  const rule = isRounded
    ? `exact, and not a number that has lost digits (${remedy})`
    : "an ID from 0 to 2^63-1, as a bigint, decimal string or safe integer";
  throw new InvalidIdError(field, rule, value);
}

// IDs in JSON: written as strings and read as bigints, never through a number that has lost digits.

import { ArgumentError, InvalidIdError, isId } from "../internal.ts";

/**
 * Writes each bigint as a decimal string. A replacer for `JSON.stringify`, which throws on a bigint without one.
 *
 * @example
 * ```ts
 * import { writeIds } from "bitflake/text";
 *
 * JSON.stringify({ id: 175928847299117063n, name: "Ada" }, writeIds); // => '{"id":"175928847299117063","name":"Ada"}'
 * ```
 */
export function writeIds(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

/**
 * Creates a reviver for `JSON.parse` that reads fields with the given names as IDs, at any depth. A field may hold an
 * ID, an array of IDs, or null, which stays null. The reviver does not check which of these it is, or that it is there.
 *
 * @param names the names of the fields
 * @returns the reviver. It throws an {@link InvalidIdError} that names the field if the value is not an ID, also for a
 *   number past 2^53, because `JSON.parse` has already lost its last digits
 * @throws {@link ArgumentError} if there are no names, or one of them is not a string or is empty
 *
 * @example
 * ```ts
 * import { readIds } from "bitflake/text";
 *
 * const text = '{"id":"175928847299117063","friends":["1","2"],"boss":null}';
 * JSON.parse(text, readIds("id", "friends", "boss")); // => { id: 175928847299117063n, friends: [ 1n, 2n ], boss: null }
 * ```
 */
export function readIds(...names: readonly string[]): (key: string, value: unknown) => unknown {
  // JSON.parse calls the reviver with the key "" for the root, so a field of that name cannot be told from it.
  if (names.length === 0 || !names.every((name) => typeof name === "string" && name !== "")) {
    throw new ArgumentError("names", "one or more strings that are not empty", names);
  }
  const wanted = new Set(names);
  return (key, value) => {
    if (!wanted.has(key) || value === null) return value;
    const read = (id: unknown): bigint => {
      if (isId(id)) return BigInt(id);
      throw new InvalidIdError(key, "an ID as a decimal string, or a safe integer", id);
    };
    return Array.isArray(value) ? value.map(read) : read(value);
  };
}

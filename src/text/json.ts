// IDs in JSON: written as strings, read back as bigints, and never through a number that has lost digits.

import { ArgumentError, InvalidIdError, isId } from "../internal.ts";

/**
 * A replacer for `JSON.stringify`, which by itself throws on a bigint: writes each as a decimal string.
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
 * Makes a reviver for `JSON.parse` that reads the fields of some names as IDs, wherever they stand. A field may hold an
 * ID, an array of IDs, or null, which stays null; which of these it is, and whether it is there, is yours to check.
 *
 * @param names the fields
 * @returns the reviver. It throws an {@link InvalidIdError} that names the field if the value is no ID; so it does for
 *   a number past 2^53, whose last digits `JSON.parse` has already lost
 * @throws {@link ArgumentError} if no name is given, or one is no string
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
  // The root's key is "", and JSON.parse does not say which is which.
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

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
 * IDs are strings in JSON. A number past 2^53 has lost its last digits when `JSON.parse` has read it: where the runtime
 * gives the reviver its text (Node 21 and later, Deno, current browsers), the ID is read from there. Elsewhere it is an
 * error.
 *
 * @param names the names of the fields
 * @returns the reviver. It throws an {@link InvalidIdError} that names the field if the value is not an ID
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
export function readIds(
  ...names: readonly string[]
): (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) => unknown {
  // JSON.parse calls the reviver with the key "" for the root, so a field of that name cannot be told from it.
  if (names.length === 0 || !names.every((name) => typeof name === "string" && name !== "")) {
    throw new ArgumentError("names", "one or more strings that are not empty", names);
  }
  const wanted = new Set(names);
  /** The exact IDs of numbers in arrays, by array and index: the reviver gets the elements before the array. */
  const exact = new WeakMap<object, Map<number, bigint>>();
  return function (key, value, context) {
    const id = exactId(value, context?.source);
    if (id !== undefined && Array.isArray(this)) {
      if (!exact.has(this)) exact.set(this, new Map());
      exact.get(this)?.set(Number(key), id);
    }
    if (!wanted.has(key) || value === null) return value;
    const read = (one: unknown, oneId: bigint | undefined): bigint => {
      if (oneId !== undefined) return oneId;
      if (isId(one)) return BigInt(one);
      throw new InvalidIdError(key, "an ID as a decimal string, or a safe integer", one);
    };
    if (!Array.isArray(value)) return read(value, id);
    const ids = exact.get(value);
    return value.map((one, index) => read(one, ids?.get(index)));
  };
}

/** Returns the ID that the source text of a number is, if the number is too large to be exact. */
function exactId(value: unknown, source: string | undefined): bigint | undefined {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return undefined;
  return typeof source === "string" && isId(source) ? BigInt(source) : undefined;
}

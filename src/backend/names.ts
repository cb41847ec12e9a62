// Assertions for names and keys, so that every store keeps them unchanged.

import { ArgumentError } from "../internal.ts";

/**
 * Asserts that a value is a name: 1 to 100 characters of one line, without braces.
 *
 * @returns the name
 */
export function assertName(field: string, name: unknown): string {
  // Braces would move a key to another slot of a Redis Cluster. Stores treat control characters differently.
  if (typeof name !== "string" || !/^[^\p{C}\p{Zl}\p{Zp}{}]{1,100}$/u.test(name)) {
    throw new ArgumentError(field, "a string of 1 to 100 characters in one line, without braces", name);
  }
  // Two processes whose names look equal but differ in their code points would share nothing, unnoticed.
  if (name.normalize() !== name) {
    throw new ArgumentError(
      field,
      "a string in Unicode normalization form C, as normalize() returns it",
      name,
    );
  }
  return name;
}

/**
 * Asserts that a value is a client's key: 1 to 255 characters that every store keeps unchanged. Two normalization forms
 * are two keys, because programs make keys and people do not type them.
 *
 * @returns the key
 */
export function assertKey(field: string, key: unknown): string {
  if (typeof key === "string" && /^[^\0\p{Cs}]{1,255}$/u.test(key)) return key;
  throw new ArgumentError(field, "a string of 1 to 255 characters, without U+0000 and lone surrogates", key);
}

// Assertions for names and keys, so that every store keeps them unchanged.

import { ArgumentError } from "../internal.ts";

export { assertName } from "../internal.ts";

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

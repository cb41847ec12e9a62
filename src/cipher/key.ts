// AES keys as users pass them: bytes, or the same in hexadecimal.

import { ArgumentError } from "../internal.ts";

/** Returns whether a value is an array of bytes, also one of another realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && {}.toString.call(value) === "[object Uint8Array]";
}

/**
 * Asserts that a value is an AES key; returns a copy of its bytes, so that later changes of the caller's array have no effect.
 *
 * @throws {@link ArgumentError} if it is not. The message has the length and never the key
 */
export function assertKey(field: string, key: Uint8Array | string): Uint8Array {
  const isHex = typeof key === "string" && /^(?:[0-9a-f]{32}|[0-9a-f]{48}|[0-9a-f]{64})$/i.test(key);
  if (isHex) return Uint8Array.from(key.match(/../g) as string[], (byte) => Number.parseInt(byte, 16));
  if (isBytes(key) && [16, 24, 32].includes(key.length)) return Uint8Array.from(key);
  throw new ArgumentError(field, "16, 24 or 32 bytes, or as many in hexadecimal", lengthOf(key));
}

/** Returns the length of a key, which is all that an error may show of it; of any other value its type. */
export function lengthOf(key: unknown): string {
  if (typeof key === "string") return `${key.length} characters`;
  return isBytes(key) ? `${key.length} bytes` : typeof key;
}

// Fingerprints: a digest of the input that a key is used with.

import { ArgumentError, UnsupportedError } from "../internal.ts";
import { canonicalJson } from "./canonicalJson.ts";
import { writeJson } from "./json.ts";

/**
 * Returns the SHA-256 of bytes, or of a string in UTF-8, as 64 hexadecimal digits: a fingerprint for `once`.
 *
 * @throws {@link ArgumentError} if `data` is neither bytes nor a string, or the string has lone surrogates
 * @throws {@link UnsupportedError} if the runtime has no `crypto.subtle`, like pages on insecure origins
 *
 * @example
 * ```ts
 * import { fingerprint } from "bitflake/idempotency";
 *
 * await fingerprint("abc"); // => 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
 * ```
 */
export async function fingerprint(data: string | Uint8Array): Promise<string> {
  // Lone surrogates have no UTF-8, so different strings would get the same bytes.
  if (typeof data === "string" ? /\p{Cs}/u.test(data) : !(data instanceof Uint8Array)) {
    throw new ArgumentError("data", "a Uint8Array, or a string without lone surrogates", data);
  }
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) throw new UnsupportedError("crypto.subtle");
  // Copied, because digest refuses memory that threads share.
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data);
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Returns the fingerprint of a value by its canonical JSON: the order of keys does not count. It is that of a request with the
 * same JSON and no query, with `fingerprint: "json"`.
 *
 * @param value a value that JSON preserves: no `Date`, no bigint, no `undefined` but in a field of an object
 * @throws {@link ArgumentError} if JSON would change the value, or if it is nested more than 100 levels deep
 * @throws {@link UnsupportedError} if the runtime has no `crypto.subtle`
 *
 * @example
 * ```ts
 * import { jsonFingerprint } from "bitflake/idempotency";
 *
 * const [one, other] = [await jsonFingerprint({ a: 1, b: 2 }), await jsonFingerprint({ b: 2, a: 1 })];
 * one === other; // => true
 * ```
 */
export async function jsonFingerprint(value: unknown): Promise<string> {
  const text = canonicalJson(writeJson("value", value));
  if (text === undefined)
    throw new ArgumentError("value", "a value of at most 100 levels, and not undefined", value);
  return fingerprint(text);
}

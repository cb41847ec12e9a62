// Fingerprints: a digest of the input that a key is used with.

import { ArgumentError, UnsupportedError } from "../internal.ts";

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

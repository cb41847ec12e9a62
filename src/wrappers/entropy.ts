// Randomness from the runtime's own CSPRNG: bytes of a call's own, and small numbers out of a batch.

import { UnsupportedError } from "../errors.ts";

/** How many 16-bit numbers a batch holds: 8 KiB, well under the 65,536 bytes that one call may ask for. */
const BATCH = 4096;

/** How many bytes in a row are never one value: by chance they are once in 2^120. */
const SPAN = 16;

let batch: Uint16Array<ArrayBuffer> | undefined;
let used = BATCH;

/** What a call of `crypto` throws, as an error of ours: some runtimes have it, and refuse it while they load modules. */
export function refusal(cause: unknown): UnsupportedError {
  return new UnsupportedError("randomness here", { cause });
}

/** The runtime's `crypto`. */
export function webCrypto(): Crypto {
  const { crypto } = globalThis as { crypto?: Crypto };
  if (!crypto) throw new UnsupportedError("crypto");
  return crypto;
}

/** Whether the bytes of a span are all the same. */
function isOneValue(bytes: Uint8Array, from: number): boolean {
  const value = bytes[from];
  for (let at = from + 1; at < from + SPAN; at++) if (bytes[at] !== value) return false;
  return true;
}

/**
 * Draws random bytes from `crypto.getRandomValues`.
 *
 * It asks for bytes and takes the array that is returned, because a stub may fill one byte of a larger element or
 * return an array of its own. It refuses bytes that repeat one value, as a stub leaves them: random ones do that once
 * in 2^120 for each 16 bytes.
 *
 * @param count a multiple of 16, at most 65,536
 * @throws {@link UnsupportedError} if there is no `crypto`, or what it returns is not random bytes
 */
export function randomBytes(count: number): Uint8Array {
  const crypto = webCrypto();
  let bytes: unknown;
  try {
    bytes = crypto.getRandomValues(new Uint8Array(count));
  } catch (cause) {
    throw refusal(cause);
  }
  // By its tag, not its class: test environments have a realm of their own.
  const isBytes = {}.toString.call(bytes) === "[object Uint8Array]";
  if (!isBytes || (bytes as Uint8Array).length !== count)
    throw new UnsupportedError("crypto.getRandomValues");
  for (let at = 0; at < count; at += SPAN) {
    if (isOneValue(bytes as Uint8Array, at)) throw new UnsupportedError("fair randomness");
  }
  return bytes as Uint8Array;
}

/**
 * Draws a name that nothing else has: 128 random bits as 32 characters of `0-9a-f`, drawn at the call, so that two
 * copies of one process never have the same.
 *
 * @throws {@link UnsupportedError} as {@link randomBytes}
 */
export function freshToken(): string {
  return Array.from(randomBytes(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A random whole number from 0 to 65,535. */
export function random16(): number {
  if (used === BATCH) {
    batch = new Uint16Array(new Uint8Array(randomBytes(2 * BATCH)).buffer);
    used = 0;
  }
  return (batch as Uint16Array)[used++] as number;
}

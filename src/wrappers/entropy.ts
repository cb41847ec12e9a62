// Randomness from the runtime's own CSPRNG, drawn in batches: a call costs about 1 µs, however few bytes it returns.

import { UnsupportedError } from "../errors.ts";

/** How many 16-bit numbers a batch holds: 8 KiB, well under the 65,536 bytes that one call may ask for. */
const BATCH = 4096;

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

/** A random whole number from 0 to 65,535. */
export function random16(): number {
  if (used === BATCH) {
    const fresh = batch ?? new Uint16Array(BATCH);
    const crypto = webCrypto();
    try {
      crypto.getRandomValues(fresh);
    } catch (cause) {
      throw refusal(cause);
    }
    batch = fresh;
    used = 0;
  }
  return (batch as Uint16Array)[used++] as number;
}

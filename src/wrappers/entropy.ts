// Randomness from the runtime's own CSPRNG, drawn in batches: a call costs about 1 µs, however few bytes it returns.

import { UnsupportedError } from "../errors.ts";

/** How many 16-bit numbers a batch holds: 8 KiB, well under the 65,536 bytes that one call may ask for. */
const BATCH = 4096;

let batch: Uint16Array<ArrayBuffer> | undefined;
let used = BATCH;

/** Runs a call of `crypto`. Some runtimes lack it; some have it and refuse it while they load modules. */
export function withCrypto<T>(call: (crypto: Crypto) => T): T {
  const { crypto } = globalThis as { crypto?: Crypto };
  if (crypto === undefined) throw new UnsupportedError("crypto");
  try {
    return call(crypto);
  } catch (cause) {
    throw new UnsupportedError("randomness to give here (Workers have none at module scope)", { cause });
  }
}

/** A random whole number from 0 to 65,535. */
export function random16(): number {
  if (used === BATCH) {
    const fresh = batch ?? new Uint16Array(BATCH);
    withCrypto((crypto) => crypto.getRandomValues(fresh));
    batch = fresh;
    used = 0;
  }
  return (batch as Uint16Array)[used++] as number;
}

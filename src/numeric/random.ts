// What is drawn at random, from the runtime's CSPRNG.

import { randomUint16, UnsupportedError } from "../internal.ts";

/** Ranks go up to this, exclusive. */
export const RANKS: number = 2 ** 32;

/** A random digit, each equally likely. */
export function randomDigit(): number {
  // Nearly every draw counts; only a stub, which always says the same, gets to the end.
  for (let draws = 0; draws < 64; draws++) {
    const drawn = randomUint16();
    if (drawn < 65_530) return drawn % 10;
  }
  throw new UnsupportedError("fair randomness");
}

/** A place in the order of issue. */
export function randomRank(): number {
  return randomUint16() * 2 ** 16 + randomUint16();
}

// Random digits and ranks from the runtime's CSPRNG.

import { randomUint16, UnsupportedError } from "../internal.ts";

/** The upper limit of ranks, exclusive. */
export const RANK_LIMIT: number = 2 ** 32;

/** Returns a random digit, each equally likely. */
export function randomDigit(): number {
  // Reject draws from 65,530 on to avoid modulo bias. 64 rejections in a row mean that `crypto` is a stub.
  for (let draws = 0; draws < 64; draws++) {
    const drawn = randomUint16();
    if (drawn < 65_530) return drawn % 10;
  }
  throw new UnsupportedError("fair randomness");
}

/** Returns a random rank: the random position of an ID in a pool, or the position that an issue starts at. */
export function randomRank(): number {
  return randomUint16() * 2 ** 16 + randomUint16();
}

// Seeded random numbers, so that a failed run can be repeated.

/** A source of random numbers. */
export interface Random {
  /** Returns a whole number from 0 up to, but not including, `end`. */
  below(end: number): number;
  /** Returns one of the items. */
  pick<T>(items: readonly T[]): T;
}

/** Returns a source with a state of 32 bits (mulberry32): the same seed gives the same numbers. */
export function makeRandom(seed: number): Random {
  let state = seed | 0;
  const below = (end: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  };
  return { below, pick: <T>(items: readonly T[]) => items[below(items.length)] as T };
}

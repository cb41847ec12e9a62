// Capacity of a type: how many IDs it has, counted one by one up to 9 digits, otherwise estimated from random paths.

import type { DigitBuilder } from "./digitBuilder.ts";

/** How many IDs a type has. */
export interface IdCapacity {
  /** The number of IDs, or an estimate of it. */
  readonly ids: bigint;
  /** Whether the number is exact. */
  readonly isExact: boolean;
  /** The relative error of the estimate, with 95 % confidence. 0 if `ids` is exact. */
  readonly error: number;
}

/** The longest IDs that are counted: that takes about half a second. */
const MAX_COUNTED_LENGTH = 9;

/** How many paths an estimate samples. */
const PATHS = 10_000;

/** Counts all IDs by following every digit that is allowed. */
function countAll(builder: DigitBuilder): number {
  if (builder.size === builder.length - 1) {
    if (!builder.pushCheckDigit()) return 0;
    builder.pop();
    return 1;
  }
  let count = 0;
  for (let digit = 0; digit < 10; digit++) {
    if (!builder.push(digit)) continue;
    count += countAll(builder);
    builder.pop();
  }
  return count;
}

/**
 * Returns a generator of pseudorandom numbers from 0 to 1 with a fixed seed, so that an estimate is always the same: a
 * linear congruential generator modulo 2^32, of which the high bits are used.
 */
function createFixedRandom(): () => number {
  let state = 20200101;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Follows one random path, at each place by one of the allowed digits, and returns the product of how many were allowed.
 * The mean of that product over all paths is the number of IDs (Knuth 1975). A path that ends early counts as 0.
 */
function samplePathWeight(builder: DigitBuilder, random: () => number): number {
  let weight = 1;
  builder.clear();
  while (builder.size < builder.length - 1) {
    const allowed: number[] = [];
    for (let digit = 0; digit < 10; digit++) {
      if (!builder.push(digit)) continue;
      builder.pop();
      allowed.push(digit);
    }
    if (allowed.length === 0) return 0;
    builder.push(allowed[Math.floor(random() * allowed.length)] as number);
    weight *= allowed.length;
  }
  return builder.pushCheckDigit() ? weight : 0;
}

/** Counts the IDs, or estimates their number if they are long. */
export function computeCapacity(builder: DigitBuilder): IdCapacity {
  builder.clear();
  if (builder.length <= MAX_COUNTED_LENGTH) {
    return { ids: BigInt(countAll(builder)), isExact: true, error: 0 };
  }
  const random = createFixedRandom();
  let [sum, squares] = [0, 0];
  for (let path = 0; path < PATHS; path++) {
    const weight = samplePathWeight(builder, random);
    sum += weight;
    squares += weight * weight;
  }
  const mean = sum / PATHS;
  // Rounding can make the variance slightly negative.
  const deviation = Math.sqrt(Math.max(0, squares / PATHS - mean * mean) / PATHS);
  return { ids: BigInt(Math.round(mean)), isExact: false, error: mean > 0 ? (1.96 * deviation) / mean : 1 };
}

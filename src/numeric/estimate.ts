// How many IDs there are: counted one by one where they are few, else estimated from paths drawn at random.

import type { DigitBuilder } from "./digitBuilder.ts";

/** How many IDs a type has. */
export interface IdCapacity {
  /** The number of IDs, or the estimate of it. */
  readonly ids: bigint;
  /** Whether they were counted. */
  readonly isExact: boolean;
  /** How far off the estimate may be, as a share of it, in 95 of 100 types. 0 if they were counted. */
  readonly error: number;
}

/** The longest ID whose kind is counted: that takes half a second. */
const LONGEST_COUNTED = 9;

/** How many paths an estimate is made of. */
const PATHS = 10_000;

/** All IDs, by following each digit that fits. */
function countAll(walk: DigitBuilder): number {
  if (walk.size === walk.length - 1) {
    if (!walk.finish()) return 0;
    walk.pop();
    return 1;
  }
  let count = 0;
  for (let digit = 0; digit < 10; digit++) {
    if (!walk.push(digit)) continue;
    count += countAll(walk);
    walk.pop();
  }
  return count;
}

/**
 * Numbers from 0 to 1 that look random and are always the same, so that an estimate is always the same: a linear
 * congruence modulo 2^32, of which the high bits are used.
 */
function steady(): () => number {
  let state = 20200101;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Follows one path, at each place by a digit that fits, drawn among those. The product of how many did fit is, on the
 * average over all paths, the number of IDs (Knuth 1975); a path that ends early counts 0.
 */
function pathWeight(walk: DigitBuilder, random: () => number): number {
  let weight = 1;
  walk.clear();
  while (walk.size < walk.length - 1) {
    const fits: number[] = [];
    for (let digit = 0; digit < 10; digit++) {
      if (!walk.push(digit)) continue;
      walk.pop();
      fits.push(digit);
    }
    if (fits.length === 0) return 0;
    walk.push(fits[Math.floor(random() * fits.length)] as number);
    weight *= fits.length;
  }
  return walk.finish() ? weight : 0;
}

/** Counts, or estimates. */
export function capacityOf(walk: DigitBuilder): IdCapacity {
  walk.clear();
  if (walk.length <= LONGEST_COUNTED) return { ids: BigInt(countAll(walk)), isExact: true, error: 0 };
  const random = steady();
  let [sum, squares] = [0, 0];
  for (let path = 0; path < PATHS; path++) {
    const weight = pathWeight(walk, random);
    sum += weight;
    squares += weight * weight;
  }
  const mean = sum / PATHS;
  // Rounding can make the variance a little less than 0.
  const deviation = Math.sqrt(Math.max(0, squares / PATHS - mean * mean) / PATHS);
  return { ids: BigInt(Math.round(mean)), isExact: false, error: mean > 0 ? (1.96 * deviation) / mean : 1 };
}

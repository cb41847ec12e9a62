// IdSet: every ID that one side of a migration can have issued, and the smallest ID that two sets have in common.

/** A range of numbers, both ends included. */
export type IdRange = readonly [first: bigint, last: bigint];

/**
 * The IDs from `low` to `high` whose lowest `bits` bits, as a number, lie in one of the ranges. Every layout has this form: the
 * timestamp is the highest field, so its limits are those of the ID, and the nodes are ranges of the bits below. A field below
 * the nodes makes the ranges longer, and one above them is not among the `bits`.
 */
export interface IdSet {
  readonly low: bigint;
  readonly high: bigint;
  readonly bits: bigint;
  /** Ascending, and at least one. */
  readonly ranges: readonly IdRange[];
}

/** Returns the larger one of two. Math.max takes no bigints. */
function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** Returns the smallest number from `least` on whose lowest bits are in a range of the set. */
function ceiling(least: bigint, { bits, ranges }: IdSet): bigint {
  const size = 1n << bits;
  const rest = least & (size - 1n);
  const base = least - rest;
  // The first range that ends at or after the rest.
  let at = 0;
  for (let end = ranges.length; at < end; ) {
    const middle = (at + end) >> 1;
    if ((ranges[middle] as IdRange)[1] < rest) at = middle + 1;
    else end = middle;
  }
  const [first] = ranges[at] ?? [size + (ranges[0] as IdRange)[0]];
  return larger(base + first, least);
}

/** Returns the smallest ID that is in both sets; `undefined` if there is none. Its time depends on the number of ranges, not of IDs. */
export function smallestCommon(a: IdSet, b: IdSet): bigint | undefined {
  const [fine, coarse] = a.bits <= b.bits ? [a, b] : [b, a];
  const low = larger(a.low, b.low);
  const size = 1n << coarse.bits;
  // The lowest bits repeat with this period, so a value that one whole period lacks is nowhere.
  let base = low - (low & (size - 1n));
  for (let period = 0; period < 2; period++, base += size) {
    for (const [first, last] of coarse.ranges) {
      const id = ceiling(larger(base + first, low), fine);
      if (id <= base + last) return id <= a.high && id <= b.high ? id : undefined;
    }
  }
  return undefined;
}

// The rule of counters, as one pure step: memory runs it, Redis and SQL say the same in their own language, and what
// they answer is held against it.

/** The last value that there is: what a BIGINT of SQL and an integer of Redis hold at most. */
export const LAST: bigint = 2n ** 63n - 1n;

/** Stands for no value at all, of a counter or of who asks. It is below every value. */
export const NONE = -1n;

/** What is asked of a counter. */
export interface Reservation {
  /** How many values, at least 1. Only where the counter ends it gives fewer. */
  readonly count: bigint;
  /** The smallest value that may come. */
  readonly floor: bigint;
  /** The highest value that the asker has had: a counter below it has lost data. {@link NONE} before the first. */
  readonly highest: bigint;
}

/** Values that are the asker's: all from the first to the last, at least one. */
export interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

/** What comes of it. A refusal changes nothing. */
export type Outcome = Range | "backwards" | "exhausted";

/**
 * Takes values from a counter.
 *
 * @param at the last value that it has given out, {@link NONE} if there was none or the store does not know the counter
 * @returns the same afterwards, and what comes of it
 */
export function reserve(at: bigint, { count, floor, highest }: Reservation): readonly [bigint, Outcome] {
  if (at < highest) return [at, "backwards"];
  if (at === LAST) return [at, "exhausted"];
  const before = at < floor ? floor - 1n : at;
  const last = before > LAST - count ? LAST : before + count;
  return [last, { first: before + 1n, last }];
}

/** What a step of a store has come to, which says where it was before and after; `undefined` if that is not the rule. */
export function outcomeOf(request: Reservation, before: bigint, after: bigint): Outcome | undefined {
  const [last, outcome] = reserve(before, request);
  return last === after ? outcome : undefined;
}

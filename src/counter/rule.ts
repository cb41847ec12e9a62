// Rule of counters, as a pure step. Memory runs it; Redis and SQL implement the same step in their own language, and
// each of their answers is checked against it.

/** The largest value: the maximum of a BIGINT in SQL and of an integer in Redis. */
export const MAX_VALUE: bigint = 2n ** 63n - 1n;

/** Stands for "no value yet", of a counter or of a client. It is below every value. */
export const NO_VALUE = -1n;

/** A request for values. */
export interface Reservation {
  /** How many values, at least 1. A counter grants fewer only at its end. */
  readonly count: bigint;
  /** The smallest value that may be granted. */
  readonly floor: bigint;
  /** The highest value that the client has had, {@link NO_VALUE} before the first. A counter below it has lost data. */
  readonly highest: bigint;
}

/** The values from `first` to `last`, at least one. */
export interface ValueRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** The values that are granted, or a refusal, which changes nothing. */
export type ReservationResult = ValueRange | "backwards" | "exhausted";

/**
 * Reserves values of a counter.
 *
 * @param current the last value that the counter has granted, {@link NO_VALUE} if the store does not know the counter
 * @returns the counter's last value afterwards, and the result
 */
export function reserve(
  current: bigint,
  { count, floor, highest }: Reservation,
): readonly [bigint, ReservationResult] {
  if (current < highest) return [current, "backwards"];
  if (current === MAX_VALUE) return [current, "exhausted"];
  const before = current < floor ? floor - 1n : current;
  const last = before > MAX_VALUE - count ? MAX_VALUE : before + count;
  return [last, { first: before + 1n, last }];
}

/**
 * Returns the result of a step that a store has run, from the counter's last values before and after it; `undefined` if
 * the rule leads from `before` to another value.
 */
export function checkOutcome(
  request: Reservation,
  before: bigint,
  after: bigint,
): ReservationResult | undefined {
  const [last, result] = reserve(before, request);
  return last === after ? result : undefined;
}

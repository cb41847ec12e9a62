// The rate limit rule as one pure step: GCRA, the generic cell rate algorithm. Memory runs it. Redis and SQL implement
// it in their own language, and their answers are checked against it.
//
// A key has one number, its theoretical arrival time (TAT): the moment at which everything that the key has used is
// available again. An allowed call moves it forward by the cost of the
// call. Callers count a cost in calls; the rule counts it in time, as `costUs`. All times are whole microseconds.

/** A limit in the terms of GCRA. */
export interface Gcra {
  /** How far a call of cost 1 moves the TAT: GCRA's emission interval. */
  readonly interval: number;
  /** How far ahead of the time a TAT may be: the whole quota. */
  readonly tolerance: number;
}

/**
 * Returns a limit in the terms of GCRA.
 *
 * @param windowMs the time in which `limit` calls may pass. The interval is rounded up to a whole microsecond
 */
export function gcraOf(limit: number, windowMs: number): Gcra {
  const interval = Math.ceil((windowMs * 1000) / limit);
  return { interval, tolerance: limit * interval };
}

/**
 * How far a TAT may be past the tolerance before it is pulled back: a second. Concurrent statements of PostgreSQL do
 * not agree on the time, because each takes its own, and that must not pull a TAT back.
 */
export const GRACE_US = 1_000_000;

/** The outcome of a call. */
export interface ConsumeResult {
  readonly allowed: boolean;
  /** The key's TAT after the call. */
  readonly tat: number;
  /** The store's time of the call. */
  readonly now: number;
}

/**
 * Allows a call and adds its cost to the TAT, or denies it.
 *
 * A denied call changes nothing, so a client that keeps calling is not locked out. One exception: a TAT that is
 * implausibly far ahead comes from a clock that was set back, or from a larger window. It is pulled back to the
 * tolerance, because the key would be locked until the clock gets there.
 *
 * @param tat the key's TAT, `undefined` for a key that has used nothing
 * @param costUs the cost of the call times the interval, at most the tolerance
 * @param graceUs how far past the tolerance a TAT may be before it is pulled back
 */
export function consume(
  { tolerance }: Gcra,
  costUs: number,
  tat: number | undefined,
  now: number,
  graceUs: number = GRACE_US,
): ConsumeResult {
  const start = Math.max(tat ?? now, now);
  if (start + costUs - now <= tolerance) return { allowed: true, tat: start + costUs, now };
  const isFar = isImplausiblyFar(tolerance, start, now, graceUs);
  return { allowed: false, tat: isFar ? now + tolerance : start, now };
}

/** Whether a TAT is further ahead than the rule and the disagreement of clocks explain. */
export function isImplausiblyFar(
  tolerance: number,
  tat: number,
  now: number,
  graceUs: number = GRACE_US,
): boolean {
  return tat - now > tolerance + graceUs;
}

/** Whether the rule can have this outcome. */
export function isPlausible(
  { tolerance }: Gcra,
  costUs: number,
  { allowed, tat, now }: ConsumeResult,
): boolean {
  if (!Number.isSafeInteger(tat) || !Number.isSafeInteger(now)) return false;
  const ahead = tat - now;
  if (allowed) return ahead >= costUs && ahead <= tolerance;
  return ahead + costUs > tolerance && !isImplausiblyFar(tolerance, tat, now);
}

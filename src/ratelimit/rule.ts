// The rule of rate limits, as one pure step: memory runs it, Redis and SQL say the same in their own language, and what
// they answer is held against it.
//
// It is GCRA, the generic cell rate algorithm. A key has one number, the moment at which all that it has used is paid
// off: each call moves it on by its price, and time passes it by. Times and prices are whole microseconds.

/** What a limit comes to. */
export interface Gcra {
  /** What a call of cost 1 costs. */
  readonly interval: number;
  /** How far ahead of now a key may get: what the whole quota costs. */
  readonly tolerance: number;
}

/** @param windowMs in which as many calls as the limit may pass; rounded up, so that a call costs whole microseconds */
export function gcraOf(limit: number, windowMs: number): Gcra {
  const interval = Math.ceil((windowMs * 1000) / limit);
  return { interval, tolerance: limit * interval };
}

/**
 * How far a key may be beyond what the rule can have led to before it is pulled back. Statements of PostgreSQL that run
 * at once do not agree on the time, and each takes its own for now: a key is pulled back for none of that.
 */
export const GRACE_US = 1_000_000;

/** What a call has come to. */
export interface ConsumeResult {
  readonly allowed: boolean;
  /** The key's number afterwards. */
  readonly ends: number;
  /** The store's time at the call. */
  readonly now: number;
}

/**
 * Takes a call's price, if the key may get that far ahead.
 *
 * A denied call changes nothing, so whoever keeps asking is not kept out by that. One exception: a number that is out
 * of all reach comes of a clock that was set back since, or of a larger window before. It is pulled back to the
 * furthest that there is, or the key would be kept out until the clock is there again.
 *
 * @param held the key's number, `undefined` for a key that owes nothing
 * @param price at most the tolerance
 */
export function consume(
  { tolerance }: Gcra,
  price: number,
  held: number | undefined,
  now: number,
): ConsumeResult {
  const ends = Math.max(held ?? now, now);
  if (ends + price - now <= tolerance) return { allowed: true, ends: ends + price, now };
  return { allowed: false, ends: isImplausiblyFar(tolerance, ends, now) ? now + tolerance : ends, now };
}

/** Whether a number is one that neither the rule nor the disagreement of clocks can have led to. */
export function isImplausiblyFar(tolerance: number, ends: number, now: number): boolean {
  return ends - now > tolerance + GRACE_US;
}

/** Whether this is an outcome that the rule can have. */
export function isPlausible(
  { tolerance }: Gcra,
  price: number,
  { allowed, ends, now }: ConsumeResult,
): boolean {
  if (!Number.isSafeInteger(ends) || !Number.isSafeInteger(now)) return false;
  const ahead = ends - now;
  if (allowed) return ahead >= price && ahead <= tolerance;
  return ahead + price > tolerance && !isImplausiblyFar(tolerance, ends, now);
}

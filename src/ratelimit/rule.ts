// The rate limit rule as pure steps: GCRA, the generic cell rate algorithm. Memory and cells run them. Redis and SQL
// implement them in their own language, and their answers are checked against them.
//
// A key has one number, its theoretical arrival time (TAT): the moment at which everything that the key has used is
// available again. An allowed call moves it forward by the cost of the call, a refund moves it back. A blocked key has a
// second number, the end of the block, which does not change the TAT: time gives the quota back during a block too.
// Callers count a cost in calls; the rule counts it in time, as `costUs`. All times are whole microseconds.

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
 * @param burst how many calls may pass at once
 */
export function gcraOf(limit: number, windowMs: number, burst: number = limit): Gcra {
  const interval = Math.ceil((windowMs * 1000) / limit);
  return { interval, tolerance: burst * interval };
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
  /** The end of the block that denied the call. */
  readonly blockedUntil?: number | undefined;
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
 * @param blockedUntil the end of the key's block, if it has one
 */
export function consume(
  { tolerance }: Gcra,
  costUs: number,
  tat: number | undefined,
  now: number,
  graceUs: number = GRACE_US,
  blockedUntil: number = -Infinity,
): ConsumeResult {
  const start = Math.max(tat ?? now, now);
  const isBlocked = blockedUntil > now;
  if (!isBlocked && start + costUs - now <= tolerance) return { allowed: true, tat: start + costUs, now };
  const isFar = isImplausiblyFar(tolerance, start, now, graceUs);
  const denied = { allowed: false, tat: isFar ? now + tolerance : start, now };
  return isBlocked ? { ...denied, blockedUntil } : denied;
}

/** Returns the outcome that a call would have, with the TAT as it is before the call. */
export function peek(
  gcra: Gcra,
  costUs: number,
  tat: number | undefined,
  now: number,
  graceUs?: number,
  blockedUntil?: number,
): ConsumeResult {
  const result = consume(gcra, costUs, tat, now, graceUs, blockedUntil);
  return result.allowed ? { ...result, tat: Math.max(tat ?? now, now) } : result;
}

/**
 * Whether an outcome of {@link consume} has to be stored: the call was counted, or the TAT was pulled back.
 *
 * @param tat the key's TAT before the call
 */
export function isChange({ allowed, tat: after }: ConsumeResult, tat: number | undefined): boolean {
  return allowed || (tat !== undefined && after < tat);
}

/**
 * Returns the TAT after a refund. It is never before the present, so a refund gives at most the whole quota.
 *
 * @param costUs how much to give back
 * @param callTat the TAT after the call that is refunded, or a time that is far ahead. When that moment has come, time
 *   itself has given the call back, and a refund would give it back twice
 */
export function refund(
  tat: number | undefined,
  costUs: number,
  callTat: number,
  now: number,
): number | undefined {
  const backUs = Math.min(costUs, callTat - now);
  return tat !== undefined && tat > now && backUs > 0 ? Math.max(tat - backUs, now) : tat;
}

/** Returns the end of a block of some length. It never shortens a block. */
export function block(blockedUntil: number | undefined, forUs: number, now: number): number {
  return Math.max(blockedUntil ?? now, now + forUs);
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

/** Whether the rule can have this outcome of a call that was counted if it was allowed. */
export function isPlausible({ tolerance }: Gcra, costUs: number, result: ConsumeResult): boolean {
  const { allowed, tat, now, blockedUntil } = result;
  if (!Number.isSafeInteger(tat) || !Number.isSafeInteger(now)) return false;
  const ahead = tat - now;
  if (allowed) return ahead >= costUs && ahead <= tolerance && blockedUntil === undefined;
  if (isImplausiblyFar(tolerance, tat, now)) return false;
  if (blockedUntil === undefined) return ahead + costUs > tolerance;
  return Number.isSafeInteger(blockedUntil) && blockedUntil > now;
}

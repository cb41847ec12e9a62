// The decision on a call, as the caller gets it.

import type { BackendError } from "../internal.ts";
import type { ConsumeResult, Gcra } from "./rule.ts";

/** The result of {@link RateLimit.limit}, {@link RateLimit.limitOrWait} and {@link RateLimit.peek}. */
export interface Decision {
  /** Whether the call may pass. */
  readonly allowed: boolean;
  /** How many more calls of cost 1 would pass at this moment. */
  readonly remaining: number;
  /**
   * In how many milliseconds a call of this cost passes if there are no other calls with this key. 0 if this call may
   * pass, else at least 1. `Infinity` if the cost is above the burst, so that it never passes. With `wouldDeny` it is that
   * of the denial.
   */
  readonly retryAfterMs: number;
  /**
   * In how many milliseconds the whole quota is available again, and a block has ended, if there are no other calls with
   * this key.
   */
  readonly resetMs: number;
  /** In how many milliseconds the block of the key ends. Left out if the key is not blocked. */
  readonly blockedMs?: number;
  /** `true` if the limit would have denied the call, and allowed it because of its option `shadow`. Otherwise left out. */
  readonly wouldDeny?: true;
  /**
   * The store's error, if the call was decided without the store: see `onStoreError` and `insurance`. The numbers then
   * carry no information, or are those of the insurance.
   */
  readonly error?: BackendError;
}

/**
 * Returns the decision for an outcome.
 *
 * SQL reads a denied key in a second statement, in which the quota may be available already. Then the call passes in a
 * millisecond.
 *
 * @param costUs the cost of the call times the interval; `Infinity` if it is above the burst
 */
export function toDecision(
  { interval, tolerance }: Gcra,
  costUs: number,
  { allowed, tat, now, blockedUntil }: ConsumeResult,
): Decision {
  const ahead = Math.max(tat - now, 0);
  const blockedUs = blockedUntil === undefined ? 0 : Math.max(blockedUntil - now, 0);
  const decision = {
    allowed,
    remaining: blockedUs > 0 ? 0 : Math.max(0, Math.floor((tolerance - ahead) / interval)),
    retryAfterMs: allowed ? 0 : Math.max(1, ceilMs(Math.max(ahead + costUs - tolerance, blockedUs))),
    resetMs: ceilMs(Math.max(ahead, blockedUs)),
  };
  return blockedUs > 0 ? { ...decision, blockedMs: ceilMs(blockedUs) } : decision;
}

/** Returns whole milliseconds, rounded up so that a client never comes too early. */
function ceilMs(microseconds: number): number {
  return Math.ceil(microseconds / 1000);
}

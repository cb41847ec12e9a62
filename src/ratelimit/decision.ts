// The decision on a call, as the caller gets it.

import type { BackendError } from "../internal.ts";
import type { ConsumeResult, Gcra } from "./rule.ts";

/** The result of {@link RateLimit.limit}. */
export interface Decision {
  /** Whether the call may pass. */
  readonly allowed: boolean;
  /** How many more calls of cost 1 would pass at this moment. */
  readonly remaining: number;
  /**
   * In how many milliseconds a call of this cost passes if there are no other calls with this key. 0 if this call may
   * pass, else at least 1.
   */
  readonly retryAfterMs: number;
  /** In how many milliseconds the whole quota is available again if there are no other calls with this key. */
  readonly resetMs: number;
  /**
   * The store's error, if the call was allowed in spite of it: see `onStoreError`. The numbers then carry no
   * information.
   */
  readonly error?: BackendError;
}

/**
 * Returns the decision for an outcome.
 *
 * SQL reads a denied key in a second statement, in which the quota may be available already. Then the call passes in a
 * millisecond.
 */
export function toDecision(
  { interval, tolerance }: Gcra,
  costUs: number,
  { allowed, tat, now }: ConsumeResult,
): Decision {
  const ahead = Math.max(tat - now, 0);
  return {
    allowed,
    remaining: Math.max(0, Math.floor((tolerance - ahead) / interval)),
    retryAfterMs: allowed ? 0 : Math.max(1, ceilMs(ahead + costUs - tolerance)),
    resetMs: ceilMs(ahead),
  };
}

/** Returns whole milliseconds, rounded up so that a client never comes too early. */
function ceilMs(microseconds: number): number {
  return Math.ceil(microseconds / 1000);
}

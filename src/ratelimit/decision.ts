// What whoever asked is told.

import type { BackendError } from "../internal.ts";
import type { ConsumeResult, Gcra } from "./rule.ts";

/** What {@link RateLimit.limit} resolves to. */
export interface Decision {
  /** Whether the call may pass. */
  readonly allowed: boolean;
  /** How many more calls of cost 1 would pass right now. */
  readonly remaining: number;
  /**
   * When a call of this cost passes if nobody else calls with this key, in milliseconds from now. 0 if this one may
   * pass, else at least 1.
   */
  readonly retryAfterMs: number;
  /** When the whole quota is there again if nobody calls with this key, in milliseconds from now. */
  readonly resetMs: number;
  /** Why the store could not be asked, where calls pass all the same: see `onFailure`. The numbers say nothing then. */
  readonly error?: BackendError;
}

/** Says what an outcome means. What is denied and free by now, as another statement saw it, passes in a moment. */
export function toDecision(
  { interval, tolerance }: Gcra,
  price: number,
  { allowed, ends, now }: ConsumeResult,
): Decision {
  const ahead = Math.max(ends - now, 0);
  return {
    allowed,
    remaining: Math.max(0, Math.floor((tolerance - ahead) / interval)),
    retryAfterMs: allowed ? 0 : Math.max(1, ceilMs(ahead + price - tolerance)),
    resetMs: ceilMs(ahead),
  };
}

/** Never too early: a millisecond that has begun counts. */
function ceilMs(microseconds: number): number {
  return Math.ceil(microseconds / 1000);
}

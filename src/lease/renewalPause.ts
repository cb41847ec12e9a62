// Pauses between the renewals of a lease.

/**
 * The longest pause before the first renewal of a grant. A grant that the store forgot is then detected within a second,
 * and so is a copy of the process.
 */
const FIRST_RENEWAL_MS = 1000;

/** The longest pause after 0 failures, before it is randomized. It doubles with each failure. */
const BASE_RETRY_MS = 100;

/** After a failed renewal with no more time left than this, the next attempt comes when the lease has ended. */
const LAST_RETRY_MS = 10;

/** Returns the pause before the first renewal of a new grant. */
export function firstRenewalPause(ttlMs: number): number {
  return Math.min(renewalPause(ttlMs), FIRST_RENEWAL_MS);
}

/** Returns the pause after a renewal. */
export function renewalPause(ttlMs: number): number {
  return ttlMs / 3;
}

/**
 * Returns the pause before the next attempt to renew or acquire: exponential backoff, randomized so that processes do not
 * try at the same time.
 *
 * @param failures the failures since the last success: 0 after a loss (50 to 100 ms), 1 after the first failed renewal (100
 *   to 200 ms)
 */
export function retryPause(failures: number, ttlMs: number): number {
  return Math.min(BASE_RETRY_MS * 2 ** failures, ttlMs / 6) * (0.5 + Math.random() / 2);
}

/**
 * Returns the pause after a failed renewal or acquire; `undefined` if the lease has ended.
 *
 * @param leftMs the time until the lease ends; Infinity after a failed acquire
 */
export function pauseAfterFailure(failures: number, ttlMs: number, leftMs: number): number | undefined {
  if (leftMs <= 0) return undefined;
  // Too late for another renewal: the next attempt finds that the lease has ended.
  if (leftMs <= LAST_RETRY_MS) return leftMs;
  // More often near the end, so that a store that recovers just in time renews the lease.
  return Math.min(retryPause(failures, ttlMs), leftMs / 2);
}

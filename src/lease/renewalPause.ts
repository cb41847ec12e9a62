// Pauses between the renewals of a lease.

/**
 * The longest pause before the first renewal of a grant. A grant that the store forgot is then detected within a second,
 * and so is a copy of the process.
 */
const FIRST_RENEWAL_MS = 1000;

/**
 * The longest pause before the first new acquire. It doubles with each failure, so the pause after the first failed renewal
 * is 100 to 200 ms.
 */
const FIRST_RETRY_MS = 100;

/** When less time than this is left of a lease, no renewal is tried. */
const LAST_RETRY_MS = 10;

/** Returns the pause before the first renewal of a new grant. */
export function firstRenewalPause(ttlMs: number): number {
  return Math.min(renewalPause(ttlMs), FIRST_RENEWAL_MS);
}

/** Returns the pause after a renewal. */
export function renewalPause(ttlMs: number): number {
  return ttlMs / 3;
}

/** Returns the pause before a new acquire: exponential backoff, randomized so that processes do not try at the same time. */
export function retryPause(failures: number, ttlMs: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** failures, ttlMs / 6) * (0.5 + Math.random() / 2);
}

/**
 * Returns the pause after a failed renewal, `undefined` if the lease has ended.
 *
 * @param leftMs the time until the lease ends
 */
export function renewalRetryPause(failures: number, ttlMs: number, leftMs: number): number | undefined {
  if (leftMs <= 0) return undefined;
  // Too late for a renewal: the next attempt finds that the lease has ended.
  if (leftMs <= LAST_RETRY_MS) return leftMs;
  // More often near the end, so that a store that recovers just in time renews the lease.
  return Math.min(retryPause(failures, ttlMs), leftMs / 2);
}

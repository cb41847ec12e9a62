// Which failures may pass, and how long to wait before the next attempt.

import type { ServiceFailure } from "../internal.ts";

/** The longest pause before the first repetition. It doubles with each round of attempts. */
const FIRST_PAUSE_MS = 50;

/** The longest pause without a `Retry-After`. */
const MAX_PAUSE_MS = 2000;

/** Statuses below 500 that may pass: the request came too slowly, too early, or after too many others. */
const TRANSIENT_STATUSES: readonly (number | undefined)[] = [408, 425, 429];

/** Statuses from 500 that do not pass: the server does not know the method, or the version of HTTP. */
const LASTING_STATUSES: readonly (number | undefined)[] = [501, 505];

/** Codes of a 503 that lasts until an operator does something. */
const LASTING_CODES: readonly (string | undefined)[] = ["ERR_COUNTER_BACKWARDS"];

/**
 * Returns whether a failure may have passed at the next attempt. All requests of the client can be repeated: new IDs of a
 * lost answer are lost, and the issue of a numeric ID has a request key.
 */
export function mayPass({ reason, status = 0, serviceCode }: ServiceFailure): boolean {
  if (reason !== "status") return reason !== "closed";
  if (status < 500) return TRANSIENT_STATUSES.includes(status);
  return !LASTING_STATUSES.includes(status) && !LASTING_CODES.includes(serviceCode);
}

/** Returns whether another service would answer the same: the services of a store share their rate limit. */
export function isShared({ status }: ServiceFailure): boolean {
  return status === 429;
}

/**
 * Returns the pause before the next attempt: exponential backoff with full jitter, after the time of the service's
 * `Retry-After`. The jitter comes on top of that time, because all clients of the service may have got the same.
 *
 * @param rounds how many rounds of attempts have failed, at least 1
 * @param random a number from 0 to 1, exclusive
 */
export function retryPause(rounds: number, retryAfterMs: number, random: number): number {
  return retryAfterMs + random * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (rounds - 1));
}

/**
 * Parses a `Retry-After`, in seconds or as a date.
 *
 * @returns milliseconds from now, at least 0; `undefined` if the header is missing or malformed
 */
export function parseRetryAfter(text: string | null, nowMs: number): number | undefined {
  if (text === null) return undefined;
  // Digits without limit are allowed (RFC 9110, 10.2.3). Infinity is a wait that no call has time for.
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Only the form that HTTP has, because Date.parse also accepts others, such as "1".
  if (!/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

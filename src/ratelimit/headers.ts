// Response headers of a rate limit.

import { wholeSeconds } from "../http/problem.ts";
import type { Decision } from "./decision.ts";
import type { RateLimit } from "./limiter.ts";
import { gcraOf } from "./rule.ts";

/** Writes a name as a string of structured fields (RFC 9651), which may have only printable ASCII. */
function quoteName(name: string): string {
  // The percent sign too, because a name with one could not be told from an encoded name.
  const ascii = name.replace(/[^ -~]|%/gu, encodeURIComponent);
  return `"${ascii.replace(/["\\]/g, "\\$&")}"`;
}

/**
 * Returns the response headers of a limit, by the IETF draft `draft-ietf-httpapi-ratelimit-headers`:
 *
 * - `ratelimit-policy` has the limit's name, the quota `q` and the window `w` in seconds, rounded up;
 * - `ratelimit` has the name, the remaining quota `r`, and the seconds `t` until one more call is available. `t` is
 *   left out when the quota is full;
 * - `retry-after`, only after a denied call, has the seconds until the client should try again, never less than `t`.
 *
 * A decision with an `error` has only the policy. In the name, the percent sign and characters that are not printable
 * ASCII are percent-encoded. Several limits of one response belong in the same headers: append them.
 *
 * @returns values by names in lower case
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { RateLimit, rateLimitHeaders } from "bitflake/ratelimit";
 *
 * const limiter = new RateLimit({ backend: memory(), name: "api", limit: 10, windowMs: 60_000 });
 * const headers = rateLimitHeaders(limiter, await limiter.limit("client-1"));
 * headers["ratelimit-policy"]; // => '"api";q=10;w=60'
 * headers["ratelimit"]; // => '"api";r=9;t=6'
 * ```
 */
export function rateLimitHeaders(limiter: RateLimit, decision: Decision): Record<string, string> {
  const name = quoteName(limiter.name);
  const policy = { "ratelimit-policy": `${name};q=${limiter.quota};w=${wholeSeconds(limiter.windowMs)}` };
  const { allowed, remaining, retryAfterMs, error } = decision;
  if (error) return policy;
  const moreMs = nextCallInMs(limiter, decision);
  return {
    ...policy,
    ratelimit: `${name};r=${remaining}${moreMs > 0 ? `;t=${wholeSeconds(moreMs)}` : ""}`,
    ...(allowed ? {} : { "retry-after": wholeSeconds(Math.max(retryAfterMs, moreMs)) }),
  };
}

/** Returns the milliseconds until one more call may pass than now; 0 if the quota is full. */
function nextCallInMs({ quota, windowMs }: RateLimit, { remaining, resetMs }: Decision): number {
  if (remaining >= quota) return 0;
  // Used calls become available one by one. The next one is available when all but the others are.
  const intervalMs = gcraOf(quota, windowMs).interval / 1000;
  return resetMs - (quota - remaining - 1) * intervalMs;
}

// What clients are told of a limit in the headers of a response.

import { wholeSeconds } from "../http/problem.ts";
import type { Decision } from "./decision.ts";
import type { RateLimit } from "./limiter.ts";
import { gcraOf } from "./rule.ts";

/** A name as a string of structured fields (RFC 9651), which has printable ASCII and nothing else. */
function quoteName(name: string): string {
  // The percent sign too, or a name that has one could not be told from one that was encoded.
  const ascii = name.replace(/[^ -~]|%/gu, encodeURIComponent);
  return `"${ascii.replace(/["\\]/g, "\\$&")}"`;
}

/**
 * The headers that tell a client of a limit, after the IETF draft `draft-ietf-httpapi-ratelimit-headers`:
 *
 * - `ratelimit-policy` has the limit's name, the quota `q` and the window `w` in seconds, rounded up;
 * - `ratelimit` has the name, what remains `r`, and in how many seconds one more is available `t`, which is left out
 *   when the quota is full;
 * - `retry-after`, if the call was denied, says in how many seconds to come again, which is never before `t`.
 *
 * After a decision with an `error` nothing is known but the policy. In the name, the percent sign and characters that
 * are not printable ASCII are percent-encoded. Several limits of one response belong in the same headers: append them.
 *
 * @returns names in small letters, and values
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

/** In how many milliseconds one more call may pass than now; 0 when the quota is full. */
function nextCallInMs({ quota, windowMs }: RateLimit, { remaining, resetMs }: Decision): number {
  if (remaining >= quota) return 0;
  // What is used comes back one by one, and all but one of it after the next one.
  const intervalMs = gcraOf(quota, windowMs).interval / 1000;
  return resetMs - (quota - remaining - 1) * intervalMs;
}

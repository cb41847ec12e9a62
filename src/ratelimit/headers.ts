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

/** The quoted name and the policy of each limit, which are the same in all its responses. */
const constants = /* @__PURE__ */ new WeakMap<
  RateLimit,
  { readonly name: string; readonly policy: string }
>();

function constantsOf(limiter: RateLimit): { readonly name: string; readonly policy: string } {
  const known = constants.get(limiter);
  if (known) return known;
  const name = quoteName(limiter.name);
  const created = { name, policy: `${name};q=${limiter.quota};w=${wholeSeconds(limiter.windowMs)}` };
  constants.set(limiter, created);
  return created;
}

/**
 * Returns the response headers of a limit, by the IETF draft `draft-ietf-httpapi-ratelimit-headers`:
 *
 * - `ratelimit-policy` has the limit's name, the quota `q` and the window `w` in seconds, rounded up;
 * - `ratelimit` has the name, the remaining calls `r`, and the seconds `t` until one more call is available. `t` is
 *   left out when the whole burst is available. With a `burst` of its own, `r` counts down from that;
 * - `retry-after`, only after a denied call, has the seconds until the client should try again, never less than `t`. It is
 *   left out if the call can never pass.
 *
 * A decision with an `error` has only the policy, and `retry-after` if an insurance has denied the call. A limit with
 * `shadow` has no headers, because clients would obey a limit that is not enforced. In the name, the percent sign and
 * characters that are not printable ASCII are percent-encoded. Several limits of one response belong in the same headers:
 * append them.
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
  if (limiter.shadow) return {};
  const { name, policy } = constantsOf(limiter);
  if (decision.error) return { "ratelimit-policy": policy, ...retryAfter(decision, 0) };
  const moreMs = nextCallInMs(limiter, decision);
  return {
    "ratelimit-policy": policy,
    ratelimit: `${name};r=${decision.remaining}${moreMs > 0 ? `;t=${wholeSeconds(moreMs)}` : ""}`,
    ...retryAfter(decision, moreMs),
  };
}

/**
 * Returns the response headers of a limit as servers sent them before the IETF draft, without names:
 *
 * - `x-ratelimit-limit` has how many calls may pass at once;
 * - `x-ratelimit-remaining` has how many of them remain;
 * - `x-ratelimit-reset` has the time at which all of them are available again, in seconds since 1970, rounded up;
 * - `retry-after` is that of {@link rateLimitHeaders}.
 *
 * A decision with an `error` has only `retry-after` if an insurance has denied the call, and a limit with `shadow` has no
 * headers. One response can have these headers of one limit only.
 *
 * @param nowMs the time, in milliseconds since 1970. Default: that of this process
 * @returns values by names in lower case
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { legacyRateLimitHeaders, RateLimit } from "bitflake/ratelimit";
 *
 * const limiter = new RateLimit({ backend: memory(), name: "api", limit: 10, windowMs: 60_000 });
 * const decision = await limiter.limit("client-1");
 * legacyRateLimitHeaders(limiter, decision, 1_800_000_000_000);
 * // => { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '9', 'x-ratelimit-reset': '1800000006' }
 * ```
 */
export function legacyRateLimitHeaders(
  limiter: RateLimit,
  decision: Decision,
  nowMs: number = Date.now(),
): Record<string, string> {
  if (limiter.shadow) return {};
  if (decision.error) return retryAfter(decision, 0);
  return {
    "x-ratelimit-limit": String(limiter.burst),
    "x-ratelimit-remaining": String(decision.remaining),
    "x-ratelimit-reset": wholeSeconds(nowMs + decision.resetMs),
    ...retryAfter(decision, nextCallInMs(limiter, decision)),
  };
}

/** The headers that a response can have of one limit only. */
const ONE_LIMIT = /^x-ratelimit-/;

/**
 * Returns the headers of a limit to set on a response that may have those of another one: lists with an item for each limit, and
 * the others of the stricter limit.
 *
 * @param before returns a header that the response has
 */
export function mergeHeaders(
  before: (name: string) => unknown,
  added: Readonly<Record<string, string>>,
): Record<string, string> {
  const remaining = before("x-ratelimit-remaining") ?? Infinity;
  const isStricter = Number(added["x-ratelimit-remaining"]) < Number(remaining);
  const merged: Record<string, string> = {};
  for (const [name, value] of Object.entries(added)) {
    const old = before(name) ?? undefined;
    if (!ONE_LIMIT.test(name)) merged[name] = old === undefined ? value : `${String(old)}, ${value}`;
    else if (isStricter) merged[name] = value;
  }
  return merged;
}

/** Returns the header of a denied call that may pass later. */
function retryAfter({ allowed, retryAfterMs }: Decision, moreMs: number): Record<string, string> {
  if (allowed || retryAfterMs === Infinity) return {};
  return { "retry-after": wholeSeconds(Math.max(retryAfterMs, moreMs)) };
}

/** Returns the milliseconds until one more call may pass than now; 0 if the whole burst is available. */
function nextCallInMs({ quota, windowMs, burst }: RateLimit, decision: Decision): number {
  const { remaining, resetMs, blockedMs } = decision;
  if (blockedMs !== undefined) return blockedMs;
  if (remaining >= burst) return 0;
  // Used calls become available one by one. The next one is available when all but the others are.
  const intervalMs = gcraOf(quota, windowMs).interval / 1000;
  return resetMs - (burst - remaining - 1) * intervalMs;
}

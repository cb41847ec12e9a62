// The cases of peers that fail on bitflake, each with the reason.

export interface Reason {
  /** The cases, by their full titles. */
  readonly cases: readonly RegExp[];
  /** `"argued"`: bitflake promises something else. `"internal"`: the case is about the inside of the peer. */
  readonly kind: "argued" | "internal";
  readonly why: string;
  /** Whether a slow machine lets the case pass. */
  readonly mayPass?: boolean;
}

export const argued: Readonly<Record<string, readonly Reason[]>> = {
  "hono-idempotency": [
    {
      cases: [/409 when store\.get\(\) finds a processing record/],
      kind: "argued",
      why: "The record has another fingerprint than the request: 422, also while the first request is in progress.",
    },
    {
      cases: [/completed record without response deletes corrupt record/],
      kind: "argued",
      why: "A completed record without a response says that the work is done. It is not done again: 409, ERR_NOT_KEPT.",
    },
    {
      cases: [/exposes idempotency key via c\.get/],
      kind: "argued",
      why: "Handlers read the header of the request; the hooks get the key without its quotes.",
    },
    {
      cases: [/async hooks are awaited/],
      kind: "argued",
      why: "Nothing waits for a hook, so that a slow log cannot hold a lock.",
    },
    {
      cases: [/maxKeyLength: 0 rejects any non-empty key/],
      kind: "argued",
      why: "A longest key of 0 characters is an ArgumentError when the middleware is created.",
    },
    {
      cases: [/UTF-8 byte length/, /special characters in key/],
      kind: "argued",
      why: "A key is visible ASCII, or a quoted string of printable ASCII, as in the IETF draft. Other bytes mean other characters to each proxy.",
    },
    {
      cases: [/lock\(\) fails due to race condition/, /out-of-range stored status/],
      kind: "internal",
      why: "A mock of the peer's store. Two requests at once are the case E7; a status comes from our own record.",
    },
  ],
  "node-idempotency": [
    {
      cases: [/should allow overriding cacheKeyPrefix/],
      kind: "internal",
      why: "Reads the stored record as the peer writes it. The prefix itself, two tenants with one key, holds until there.",
    },
  ],
  "express-idempotency": [
    {
      cases: [/returns same response for same idempotency key/],
      kind: "argued",
      why: "Expects that a replay also calls next(), with the response sent. A replay runs no handler.",
    },
    {
      cases: [/removes resource if error reported/],
      kind: "argued",
      why: "Work that fails answers with 500 or above, or passes its error on, and the key is free. No call reports it.",
    },
  ],
  "express-rate-limit": [
    {
      cases: [/\((modern|legacy|compat) store\)/, /`resetTime` with `skipSuccessfulRequests`/],
      kind: "internal",
      why: "A mock of the peer's store. The store of a limit is a backend.",
    },
    {
      cases: [
        /should call `init`/,
        /async store init/,
        /stores that do not provide reset time/,
        /window has just expired for draft-6/,
        /store throws an error/,
        /passOnStoreError causes/,
        /options that are set to `undefined`/,
        /pre-6\.x headers/,
        /the use of the `(max|limit)` option/,
      ],
      kind: "internal",
      why: "A mock of the peer's store. Our own tests of a store that fails are in test/integration/web.",
    },
    {
      cases: [
        /request\.headersSent is true/,
        /instead of the console on validation errors/,
        /invalid logger/,
      ],
      kind: "internal",
      why: "Functions for the peer's headers and its logger.",
    },
    {
      cases: [/`x-ratelimit-reset` headers/],
      kind: "argued",
      why: "After one of five calls a minute, the whole quota is available in 12 s, not at the end of a window.",
    },
    {
      cases: [/draft[- ][67]\b(?!.*just expired)/],
      kind: "argued",
      why: "Drafts 6 and 7 are superseded. `headers` is the current draft, or X-RateLimit-* for older clients.",
    },
    {
      cases: [/standard draft 8/],
      kind: "argued",
      why: "Our lists have no spaces, and no partition key, which the draft leaves out by default; `t` is the time of the next call.",
    },
    {
      cases: [/all headers have been disabled/],
      kind: "argued",
      why: "A denied client always gets Retry-After.",
    },
    {
      cases: [/if max is set to 0/],
      kind: "argued",
      why: "A limit of 0 is an ArgumentError. A route that is closed to all clients answers so itself, and block() denies a key.",
    },
    {
      cases: [/request\.rateLimit` property/, /with a custom property/, /different `requestPropertyNames`/],
      kind: "argued",
      why: "The numbers are in the response's headers, which handlers read with res.getHeader().",
    },
    {
      cases: [/mapped to IPv6 as an IPv4 address/, /ipv6Subnet only a true IPv6 address/],
      kind: "argued",
      why: "::ffff:192.0.2.7 is 192.0.2.7. Of the cases, ::192.0.2.7 fails, a form that RFC 4291 has deprecated, and networks out of 32 to 64 bits.",
    },
    {
      cases: [/ipv6Subnet set to false/, /with a \/128 netmask/],
      kind: "argued",
      why: "A key for each address would give a client a quota for each of its 2^64 addresses.",
    },
  ],
  "rate-limiter-flexible": [
    {
      cases: [
        /RateLimiter(Memory|Redis) with fixed window consume 1 point$/,
        /fixed window makes penalty/,
        /fixed window reward points/,
        /msBeforeNext is negative/,
        /calling reward multiple times/,
        /resetting maximum points consume 2 points/,
        /(penalty|reward) using insuranceLimiter/,
        /block key in memory for msBeforeNext/,
        /reject after block key in memory/,
        /internal block by blockDuration failed/,
        /disconnected node-redis/,
        /customIncrTtlLuaScript/,
        /inMemoryBlockOnConsumed is not set/,
        /inMemoryBlockOnConsumed less than points/,
      ],
      kind: "internal",
      why: "Reads or replaces the peer's records, scripts, fields or clients, or checks options that only it has.",
    },
    {
      cases: [/points is zero/],
      kind: "argued",
      why: "A limit of 0 is an ArgumentError.",
    },
    {
      cases: [/customDuration/],
      kind: "argued",
      why: "A limit has one window. A call with another one is a call of another limit.",
    },
    {
      cases: [/if duration set to 0/, /forever/, /secDuration is 0/, /set points by key/],
      kind: "argued",
      why: "A quota comes back with time, so none lasts for ever. A count without an end is a counter, and a block without one is a record of the app.",
    },
    {
      cases: [
        /penalty multiple times/,
        /from bursty limiter, if all consumed/,
        /and then 1 point reject/,
        /combined RateLimiterRes/,
        /reject with burst limiter error/,
        /reject consume one "limit1"/,
        /reject both/,
        /block key in memory when inMemory block options/,
      ],
      kind: "argued",
      why: "Denied calls change nothing, so none is counted beyond the limit, and no limit of a union counts a call that another denies.",
    },
    {
      cases: [/after execEvenly delay/],
      kind: "argued",
      why: "Calls that wait with a burst of 1 pass one window / limit apart: 2.5 s, not half of it.",
    },
    {
      cases: [/minimum delay 20 ms/],
      kind: "argued",
      mayPass: true,
      why: "A hundred calls a second pass 10 ms apart, not 20. On a slow machine, 20 have passed.",
    },
    {
      cases: [/consume using insuranceLimiter/],
      kind: "argued",
      why: "After one of two calls in 2 s, the quota is whole again in 1 s, and not more.",
    },
    {
      cases: [/from bursty limiter/, /queue length reaches maximum/, /explicit maxQueueSize/],
      kind: "argued",
      why: "limitOrWait is bounded by the time of a call, not by a length, and waits for one limit, which has a burst of its own.",
    },
  ],
};

// bitflake/ratelimit: rate limits that all processes with one store share.

export type { Backend } from "../backend/ports.ts";
export type { FetchAbortSignal, FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
export { ArgumentError, BackendError } from "../internal.ts";
export { type AddressKeyOptions, addressKey } from "./address.ts";
export type { Decision } from "./decision.ts";
export { legacyRateLimitHeaders, rateLimitHeaders } from "./headers.ts";
export { type CombinedDecision, type LimitCall, type LimitOrWaitOptions, RateLimit } from "./limiter.ts";
export type { RateLimitInsurance, RateLimitOptions } from "./options.ts";
export {
  type RateLimitDenial,
  type RateLimitedOptions,
  type RateLimitProblem,
  rateLimited,
} from "./rateLimited.ts";

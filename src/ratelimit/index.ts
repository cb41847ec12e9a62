// bitflake/ratelimit: how often something may be done, for all processes that share a store.

export type { Backend } from "../backend/ports.ts";
export type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
export { ArgumentError, BackendError } from "../internal.ts";
export { addressKey } from "./address.ts";
export type { Decision } from "./decision.ts";
export { rateLimitHeaders } from "./headers.ts";
export { RateLimit, type RateLimitOptions } from "./limiter.ts";
export { type RateLimitedOptions, rateLimited } from "./rateLimited.ts";

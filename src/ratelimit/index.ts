// bitflake/ratelimit: rate limits that all processes with one store share.

export type { Backend } from "../backend/ports.ts";
export type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
export { ArgumentError, BackendError } from "../internal.ts";
export { addressKey } from "./address.ts";
export type { Decision } from "./decision.ts";
export { rateLimitHeaders } from "./headers.ts";
export { RateLimit, type RateLimitOptions } from "./limiter.ts";
export { type RateLimitedOptions, rateLimited } from "./rateLimited.ts";

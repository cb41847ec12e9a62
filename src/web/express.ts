// bitflake/express: idempotency keys and rate limits as middleware of Express 4 and 5, Connect, and Nest on Express.

import type { IdempotentOptions } from "../idempotency/index.ts";
import type { RateLimitedOptions } from "../ratelimit/index.ts";
import { connectIdempotency, connectRateLimit, type Middleware } from "./connect.ts";
import type { NodeRequest } from "./nodeTypes.ts";

export type { Backend } from "../backend/ports.ts";
export type { FetchRequest } from "../http/fetchTypes.ts";
export type { IdempotencyOptions } from "../idempotency/index.ts";
export { ArgumentError, BackendError } from "../internal.ts";
export type { Middleware } from "./connect.ts";
export type { Next, NodeHeader, NodeRequest, NodeResponse } from "./nodeTypes.ts";
export type { IdempotentOptions, RateLimitedOptions };

/**
 * Creates middleware that runs the handlers after it once for each key of the header `Idempotency-Key`, by the rules of
 * `idempotent` of `bitflake/idempotency`: the same options, the same refusals, the same store. For Express 4 and 5, Connect,
 * Nest on Express, and with a function as `next` for plain `node:http`.
 *
 * - **Options that are functions**, such as `tenant`, get a `Request` of the fetch standard, and as their second argument the
 *   request of Express: `tenant: (_, req) => req.user.id`. The first is created only when it is read.
 * - **The path** of a key is that of `req.originalUrl`, also under a mounted router.
 * - **The body** counts by its bytes before a parser, and after it by the parsed value, in which the order of keys does not
 *   matter: register all routes of one name on the same side. Parsers that come later find the body unread. A body that was
 *   read and left nowhere, or a file that multer has written to a disk, is answered with 500 and the code
 *   `ERR_BODY_NOT_SEEN`.
 * - **The response** is stored with the headers that the handlers after the middleware have set, and not those set before it,
 *   such as CORS headers. It is sent when it has been stored.
 * - **An error** that a handler throws or passes on is answered by the error handlers of the app, and their response counts:
 *   one of 500 and above is not stored, and the key is free again.
 * - **A client that goes away** changes nothing for a handler that has not begun to answer: its response is stored. A response
 *   that breaks off on the way, or does not begin within ten minutes from then on, frees the key.
 *
 * @param options those of `idempotent`: `backend`, `name` and `tenant`; the others have defaults
 * @throws {@link ArgumentError} if an option is missing, wrong or unknown
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { idempotency } from "bitflake/express";
 *
 * const middleware = idempotency({ backend: memory(), name: "orders", tenant: () => "" });
 * // app.post("/orders", middleware, (req, res) => …)
 * middleware.length; // => 3
 * ```
 */
export function idempotency<Req extends NodeRequest = NodeRequest>(
  options: IdempotentOptions<Req>,
): Middleware<Req> {
  return connectIdempotency(options);
}

/**
 * Creates middleware that refuses requests beyond a limit, by the rules of `rateLimited` of `bitflake/ratelimit`: the same
 * options, the same headers, the same refusals. For Express 4 and 5, Connect, Nest on Express, and plain `node:http`.
 *
 * The option `key` gets a `Request` of the fetch standard, which is created only when it is read, and as its second argument
 * the request of Express: `key: (_, req) => addressKey(req.ip)`. If it throws, the error handlers of the app get the error.
 *
 * @param options those of `rateLimited`: `limiter` and `key`; `onError`, default none
 * @throws {@link ArgumentError} if an option is missing, wrong or unknown
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { rateLimit } from "bitflake/express";
 * import { addressKey, RateLimit } from "bitflake/ratelimit";
 *
 * const limiter = new RateLimit({ backend: memory(), name: "api", limit: 100, windowMs: 60_000 });
 * const middleware = rateLimit({ limiter, key: (_, req: { ip: string; headers: {} }) => addressKey(req.ip) });
 * // app.use(middleware)
 * middleware.length; // => 3
 * ```
 */
export function rateLimit<Req extends NodeRequest = NodeRequest>(
  options: RateLimitedOptions<Req>,
): Middleware<Req> {
  return connectRateLimit(options);
}

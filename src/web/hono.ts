// bitflake/hono: idempotency keys and rate limits as middleware of Hono.

import { problemResponse } from "../http/problem.ts";
import { type IdempotentOptions, idempotent } from "../idempotency/index.ts";
import { type RateLimitedOptions, rateLimited } from "../ratelimit/index.ts";
import { honoRequest } from "./honoRequest.ts";
import type { HonoContext, HonoMiddleware } from "./honoTypes.ts";
import { UnseenBodyError } from "./requestBody.ts";

export type { Backend } from "../backend/ports.ts";
export type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
export type { IdempotencyOptions } from "../idempotency/index.ts";
export { ArgumentError, BackendError } from "../internal.ts";
export type { HonoContext, HonoMiddleware } from "./honoTypes.ts";
export type { IdempotentOptions, RateLimitedOptions };

/** The context as this module uses it. */
type Context = HonoContext<Request, Response | undefined>;

type Next = () => Promise<void>;

/** Runs a rule around the handlers of a request. If they have not run, the response is a refusal or replay. */
async function around(
  handle: unknown,
  nexts: WeakMap<object, Next>,
  c: Context,
  next: Next,
  request: Request,
): Promise<void> {
  nexts.set(c, next);
  const response = await (handle as (request: Request, c: Context) => Promise<Response>)(request, c);
  if (response === c.res) return;
  const outer = c.finalized ? undefined : new Headers(c.res?.headers);
  // Unset before, because Hono gives the headers of the response before it precedence.
  c.res = undefined;
  c.res = outer ? withOuter(response, outer) : response;
}

/** Returns a refusal or replay with the headers that middleware outside has set, unless it has others. */
function withOuter(response: Response, outer: Headers): Response {
  // A copy, because the headers of some responses cannot be changed.
  const { status, statusText, headers } = response;
  const merged = new Response(response.body, { status, statusText, headers });
  restoreOuter(merged, outer);
  for (const cookie of outer.getSetCookie()) merged.headers.append("set-cookie", cookie);
  return merged;
}

/** Returns a response without the headers that were set before its handlers: those belong to no stored response. */
function withoutOuter(response: Response, outer: Headers): Response {
  const headers = new Headers(response.headers);
  outer.forEach((value, name) => {
    if (name !== "set-cookie" && headers.get(name) === value) headers.delete(name);
  });
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/**
 * Creates middleware that runs the handlers after it once for each key of the header `Idempotency-Key`, by the rules of
 * `idempotent` of `bitflake/idempotency`: the same options, the same refusals, the same store.
 *
 * - **Options that are functions**, such as `tenant`, get the request, and as their second argument the context of Hono:
 *   `tenant: (_, c) => c.get("user").id`.
 * - **The body** counts by its bytes, and after a parser or validator by the form in which Hono keeps it. Handlers find it unread.
 *   A body that was read from `c.req.raw` is answered with 500 and the code `ERR_BODY_NOT_SEEN`.
 * - **The response** is stored with the headers that the handlers after the middleware have set, and not those set before it,
 *   such as CORS headers.
 * - **An error** that a handler throws is answered by `onError` of the app, and that response counts: one of 500 and above is
 *   not stored, and the key is free again.
 *
 * @param options those of `idempotent`: `backend`, `name` and `tenant`; the others have defaults
 * @throws {@link ArgumentError} if an option is missing, wrong or unknown
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { idempotency } from "bitflake/hono";
 *
 * const middleware = idempotency({ backend: memory(), name: "orders", tenant: () => "" });
 * // app.post("/orders", middleware, (c) => …)
 * middleware.length; // => 2
 * ```
 */
export function idempotency<C extends HonoContext = HonoContext>(
  options: IdempotentOptions<C>,
): HonoMiddleware<C> {
  const nexts = new WeakMap<object, Next>();
  const run = async (request: Request, c: Context): Promise<Response> => {
    const { raw } = c.req;
    const next = nexts.get(c) as Next;
    if (request === raw) {
      await next();
      return c.res as Response;
    }
    // Of a body that Hono keeps, handlers get that.
    if (raw.bodyUsed && Object.keys(c.req.bodyCache ?? {}).length === 0) c.req.raw = request;
    // Not c.res before there is a response: reading it makes one, whose headers Hono prefers to those of the handlers.
    const outer = new Headers((c.finalized ? c.res : c.body(null))?.headers);
    await next();
    outers.set(c, outer);
    return withoutOuter(c.res as Response, outer);
  };
  const outers = new WeakMap<object, Headers>();
  const handle = idempotent<C>(run as never, options);
  return async (c, next) => {
    const context = c as unknown as Context;
    try {
      await around(handle, nexts, context, next, honoRequest(c as never));
      const outer = outers.get(c);
      if (outer && context.res) restoreOuter(context.res, outer);
      return undefined;
    } catch (error) {
      if (error instanceof UnseenBodyError)
        return problemResponse(500, "ERR_BODY_NOT_SEEN", `${error.message}.`);
      throw error;
    }
  };
}

/** Adds the headers that were set before the handlers, unless these have set others. */
function restoreOuter({ headers }: Response, outer: Headers): void {
  outer.forEach((value, name) => {
    if (name !== "set-cookie" && !headers.has(name)) headers.set(name, value);
  });
}

/**
 * Creates middleware that refuses requests beyond a limit, by the rules of `rateLimited` of `bitflake/ratelimit`: the same
 * options, the same headers, the same refusals.
 *
 * The option `key` gets the request, and as its second argument the context of Hono: `key: (_, c) => c.get("user").id`. If it
 * throws, `onError` of the app gets the error.
 *
 * @param options those of `rateLimited`: `limiter` and `key`; `onError`, default none
 * @throws {@link ArgumentError} if an option is missing, wrong or unknown
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { rateLimit } from "bitflake/hono";
 * import { RateLimit } from "bitflake/ratelimit";
 *
 * const limiter = new RateLimit({ backend: memory(), name: "api", limit: 100, windowMs: 60_000 });
 * const middleware = rateLimit({ limiter, key: (request) => request.headers.get("x-account") ?? "anonymous" });
 * // app.use(middleware)
 * middleware.length; // => 2
 * ```
 */
export function rateLimit<C extends HonoContext = HonoContext>(
  options: RateLimitedOptions<C>,
): HonoMiddleware<C> {
  const nexts = new WeakMap<object, Next>();
  const run = async (_request: Request, c: Context): Promise<Response> => {
    await (nexts.get(c) as Next)();
    return c.res as Response;
  };
  const handle = rateLimited<C>(run as never, options);
  return async (c, next) => {
    const context = c as unknown as Context;
    await around(handle, nexts, context, next, context.req.raw);
    return undefined;
  };
}

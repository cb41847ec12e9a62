// rateLimited: wraps a fetch handler with a rate limit.

import type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
import { notifyListener } from "../http/notify.ts";
import { problemResponse } from "../http/problem.ts";
import { ArgumentError, assertFunction, assertKnownOptions, BackendError } from "../internal.ts";
import type { Decision } from "./decision.ts";
import { rateLimitHeaders } from "./headers.ts";
import type { RateLimit } from "./limiter.ts";

/** Options of {@link rateLimited}. An unknown name is refused. */
export interface RateLimitedOptions<Context = unknown> {
  /** The limit. Its `onStoreError` decides what happens to requests while the store fails. */
  readonly limiter: RateLimit;
  /**
   * Returns the key whose quota a request takes: see {@link RateLimit.limit}. It gets the same arguments as the
   * handler. If it throws, or the key is not valid, the wrapped handler throws that error.
   */
  readonly key: (request: FetchRequest, context: Context) => string | Promise<string>;
  /**
   * Gets the store's error for each request that it affects, refused or not. Errors that it throws are ignored.
   */
  readonly onError?: ((error: BackendError) => void) | undefined;
}

/**
 * Wraps a handler so that it refuses requests beyond a limit. For every platform with `Request` and `Response`: Node,
 * Deno, Bun, Workers, Hono.
 *
 * | request | response |
 * |---|---|
 * | within the limit | the handler's, with {@link rateLimitHeaders} |
 * | beyond it | 429 with the code `ERR_RATE_LIMITED` and `Retry-After` |
 * | the store fails, `onStoreError: "fail"` | 503 with the code `ERR_BACKEND` and `Retry-After: 1` |
 * | the store fails, `onStoreError: "allow"` | the handler's |
 *
 * Refusals are `application/problem+json`, and the handler is not called. Its response is passed on unread. A handler
 * may be wrapped once for each of several limits. The headers then describe all of them.
 *
 * @param handler gets the request, and the context that the runtime passes, if there is one
 * @param options `limiter` and `key`; `onError`, default none
 * @returns a handler with the same parameters
 * @throws {@link ArgumentError} if an option is missing, wrong or unknown
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { RateLimit, rateLimited } from "bitflake/ratelimit";
 *
 * const limiter = new RateLimit({ backend: memory(), name: "api", limit: 1, windowMs: 60_000 });
 * const handler = rateLimited(() => new Response("hello"), {
 *   limiter,
 *   key: (request) => request.headers.get("x-client") ?? "nobody",
 * });
 *
 * const call = () => handler(new Request("https://api.example/", { headers: { "x-client": "ada" } }));
 * const [first, second] = [await call(), await call()];
 * [first.status, await first.text(), first.headers.get("ratelimit")]; // => [ 200, 'hello', '"api";r=0;t=60' ]
 * [second.status, second.headers.get("retry-after")]; // => [ 429, '60' ]
 * ```
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { addressKey, RateLimit, rateLimited } from "bitflake/ratelimit";
 *
 * interface Info {
 *   readonly remoteAddr: { readonly hostname: string };
 * }
 * const handler = rateLimited(() => new Response("hello"), {
 *   limiter: new RateLimit({ backend: memory(), name: "api", limit: 100, windowMs: 60_000 }),
 *   key: (_request, { remoteAddr }: Info) => addressKey(remoteAddr.hostname),
 * });
 *
 * // As Deno.serve(handler) calls it:
 * const info = { remoteAddr: { hostname: "2001:db8::1" } };
 * const response = await handler(new Request("https://api.example/"), info);
 * response.headers.get("ratelimit-policy"); // => '"api";q=100;w=60'
 * ```
 */
export function rateLimited<Context>(
  handler: (request: FetchRequest, context: Context) => FetchResponse | Promise<FetchResponse>,
  options: RateLimitedOptions<Context>,
): (
  request: FetchRequest,
  ...context: unknown extends Context ? [context?: unknown] : [context: Context]
) => Promise<FetchResponse> {
  assertKnownOptions(options, ["limiter", "key", "onError"]);
  const { limiter, key, onError = () => {} } = options;
  for (const [field, value] of Object.entries({ handler, key, onError, "limiter.limit": limiter?.limit })) {
    assertFunction(field, value);
  }
  return async (request, ...rest) => {
    const context = rest[0] as Context;
    const clientKey = await key(request, context);
    let decision: Decision;
    try {
      decision = await limiter.limit(clientKey);
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      notifyListener(onError, error);
      // The store's message may have addresses, so clients do not get it.
      return problemResponse(503, "ERR_BACKEND", "The store of the rate limits cannot be reached.", {
        "retry-after": "1",
      });
    }
    if (decision.error) notifyListener(onError, decision.error);
    const headers = rateLimitHeaders(limiter, decision);
    if (decision.allowed) return withHeaders(await handler(request, context), headers);
    const seconds = headers["retry-after"];
    return problemResponse(429, "ERR_RATE_LIMITED", `Too many requests. Try again in ${seconds} s.`, headers);
  };
}

/** Returns the response with more headers: a new one, because the headers of a fetched response cannot be changed. */
function withHeaders(response: Response, added: Readonly<Record<string, string>>): Response {
  if ({}.toString.call(response) !== "[object Response]") {
    throw new ArgumentError("the handler's result", "a Response", response);
  }
  // A protocol switch or a network error cannot be constructed again, and no client reads its headers.
  if (response.status < 200) return response;
  const headers = new Headers(response.headers);
  // Appended, because another limit may have set them.
  for (const [name, value] of Object.entries(added)) headers.append(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

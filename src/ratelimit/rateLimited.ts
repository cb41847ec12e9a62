// rateLimited: a fetch handler that is not called too often.

import type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
import { notifyListener } from "../http/notify.ts";
import { problemResponse } from "../http/problem.ts";
import { ArgumentError, assertFunction, assertKnownOptions, BackendError } from "../internal.ts";
import type { Decision } from "./decision.ts";
import { rateLimitHeaders } from "./headers.ts";
import type { RateLimit } from "./limiter.ts";

/** What {@link rateLimited} is set up with. An unknown name is refused. */
export interface RateLimitedOptions<Context = unknown> {
  /** The limit. Its `onFailure` says what becomes of requests while the store is down. */
  readonly limiter: RateLimit;
  /**
   * Whose quota a request takes: what {@link RateLimit.limit} takes as a key. It gets what the handler gets. What it
   * throws, and what the limit says of a key that is none, the handler throws.
   */
  readonly key: (request: FetchRequest, context: Context) => string | Promise<string>;
  /**
   * Hears of each request for which the store could not be asked, whether it was refused or let through. What it throws
   * is ignored.
   */
  readonly onError?: ((error: BackendError) => void) | undefined;
}

/**
 * Makes a handler refuse requests beyond a limit. For anything that speaks `Request` and `Response`: Node, Deno, Bun,
 * Workers, Hono.
 *
 * | request | answer |
 * |---|---|
 * | within the limit | the handler's, with {@link rateLimitHeaders} |
 * | beyond it | 429 with the code `ERR_RATE_LIMITED` and `Retry-After` |
 * | the store is down, `onFailure: "closed"` | 503 with the code `ERR_BACKEND` and `Retry-After: 1` |
 * | the store is down, `onFailure: "open"` | the handler's |
 *
 * Refusals are `application/problem+json`, and the handler is not called. Its response is passed on unread. Handlers
 * may be wrapped once for each of several limits: the headers then tell of all of them.
 *
 * @param handler gets the request, and the context that the runtime calls it with, if there is one
 * @param options `limiter` and `key`; `onError`, default none
 * @returns a handler that is called the same way
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
 * const ask = () => handler(new Request("https://api.example/", { headers: { "x-client": "ada" } }));
 * const [first, second] = [await ask(), await ask()];
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
    const whose = await key(request, context);
    let decision: Decision;
    try {
      decision = await limiter.limit(whose);
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      notifyListener(onError, error);
      // What the store said is for the program alone.
      return problemResponse(503, "ERR_BACKEND", "The store of the rate limits cannot be reached.", {
        "retry-after": "1",
      });
    }
    if (decision.error) notifyListener(onError, decision.error);
    const headers = rateLimitHeaders(limiter, decision);
    if (decision.allowed) return withHeaders(await handler(request, context), headers);
    const seconds = headers["retry-after"];
    return problemResponse(
      429,
      "ERR_RATE_LIMITED",
      `Too many requests. Come again in ${seconds} s.`,
      headers,
    );
  };
}

/** The same response with more headers: a new one, for those of one that was fetched cannot be changed. */
function withHeaders(response: Response, added: Readonly<Record<string, string>>): Response {
  if ({}.toString.call(response) !== "[object Response]") {
    throw new ArgumentError("the handler's result", "a Response", response);
  }
  // A switch of protocols, or an error of the network: neither can be made anew, and nobody reads its headers.
  if (response.status < 200) return response;
  const headers = new Headers(response.headers);
  // Lists: what another limit said stays.
  for (const [name, value] of Object.entries(added)) headers.append(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

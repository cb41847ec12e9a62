// rateLimited: wraps a fetch handler with a rate limit.

import type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
import { notifyListener } from "../http/notify.ts";
import { problemResponse } from "../http/problem.ts";
import { ArgumentError, assertFunction, assertKnownOptions, assertOneOf, BackendError } from "../internal.ts";
import type { Decision } from "./decision.ts";
import { legacyRateLimitHeaders, mergeHeaders, rateLimitHeaders } from "./headers.ts";
import { RateLimit } from "./limiter.ts";

/** A request that a limit has denied, or would have denied without `shadow`. */
export interface RateLimitDenial {
  /** The request. */
  readonly request: FetchRequest;
  /** The limit that denied it. */
  readonly limiter: RateLimit;
  /** The key. */
  readonly key: string;
  /** The decision. */
  readonly decision: Decision;
}

/** A refusal of {@link rateLimited}. */
export interface RateLimitProblem {
  /** The status: 429, or 503 if the store fails. */
  readonly status: number;
  /** The code: `ERR_RATE_LIMITED`, or `ERR_BACKEND` if the store fails. */
  readonly code: "ERR_RATE_LIMITED" | "ERR_BACKEND";
  /** A sentence for the client's developer. It has nothing secret. */
  readonly detail: string;
  /** The headers, in lower case: those of the limit, and `retry-after` if the client should try again. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Options of {@link rateLimited}. An unknown name is refused. */
export interface RateLimitedOptions<Context = unknown> {
  /**
   * The limit, or several that count a request together: see {@link RateLimit.limitAll}. Its `onStoreError` decides what
   * happens to requests while the store fails.
   */
  readonly limiter: RateLimit | readonly RateLimit[];
  /**
   * Returns the key whose quota a request takes: see {@link RateLimit.limit}. With several limits it may return a list
   * with a key for each of them. It gets the same arguments as the handler. If it throws, or a key is not valid, the
   * wrapped handler throws that error.
   */
  readonly key: (
    request: FetchRequest,
    context: Context,
  ) => string | readonly string[] | Promise<string | readonly string[]>;
  /**
   * Which headers responses have: those of {@link rateLimitHeaders}, those of {@link legacyRateLimitHeaders}, or both.
   * Default `"draft"`. With several limits they are those of the strictest one.
   */
  readonly headers?: "draft" | "legacy" | "both" | undefined;
  /**
   * Makes the response of a refusal. Default: `application/problem+json` with the problem's fields and headers. If it throws, or
   * returns no response, the wrapped handler throws.
   */
  readonly errorResponse?:
    | ((
        problem: RateLimitProblem,
        request: FetchRequest,
        context: Context,
      ) => FetchResponse | Promise<FetchResponse>)
    | undefined;
  /**
   * Gets each request that a limit denies, also if it passes because of `shadow`. Errors that it throws are ignored.
   */
  readonly onDenied?: ((denial: RateLimitDenial) => void) | undefined;
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
 * @param options `limiter` and `key`; `headers`, default `"draft"`; `errorResponse`, default problem+json; `onDenied` and `onError`,
 *   default none
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
  assertKnownOptions(options, ["limiter", "key", "headers", "errorResponse", "onDenied", "onError"]);
  const { key, headers: style = "draft", onDenied = () => {}, onError = () => {} } = options;
  const { errorResponse } = options;
  const limiters = Array.isArray(options.limiter) ? options.limiter : [options.limiter as RateLimit];
  if (limiters.length === 0)
    throw new ArgumentError("limiter", "a limit, or a list of one or more", options.limiter);
  for (const [field, value] of Object.entries({ handler, key, onDenied, onError }))
    assertFunction(field, value);
  for (const limiter of limiters) assertFunction("limiter.limit", limiter?.limit);
  assertOneOf("headers", style, ["draft", "legacy", "both"]);
  if (errorResponse !== undefined) assertFunction("errorResponse", errorResponse);
  return async (request, ...rest) => {
    const context = rest[0] as Context;
    const refuse = async (problem: RateLimitProblem) => {
      const { status, code, detail, headers } = problem;
      if (!errorResponse) return problemResponse(status, code, detail, headers);
      return assertResponse("the result of errorResponse", await errorResponse(problem, request, context));
    };
    const keys = keysOf(limiters.length, await key(request, context));
    let answer: LimitAnswer;
    try {
      answer = await decide(limiters, keys);
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      notifyListener(onError, error);
      // The store's message may have addresses, so clients do not get it.
      const detail = "The store of the rate limits cannot be reached.";
      return refuse({ status: 503, code: "ERR_BACKEND", detail, headers: { "retry-after": "1" } });
    }
    const { limiter, decision, decisions } = answer;
    for (const [index, each] of decisions.entries()) {
      if (each?.error) notifyListener(onError, each.error);
      if (!each || (each.allowed && !each.wouldDeny)) continue;
      notifyListener(onDenied, {
        request,
        limiter: limiters[index] as RateLimit,
        key: keys[index] as string,
        decision: each,
      });
    }
    const headers = {
      ...(style === "legacy" ? {} : rateLimitHeaders(limiter, decision)),
      ...(style === "draft" ? {} : legacyRateLimitHeaders(limiter, decision)),
    };
    if (decision.allowed) return withHeaders(await handler(request, context), headers);
    const seconds = headers["retry-after"];
    const detail =
      seconds === undefined ? "Too many requests." : `Too many requests. Try again in ${seconds} s.`;
    return refuse({ status: 429, code: "ERR_RATE_LIMITED", detail, headers });
  };
}

/** The decision on a request, and the limit that made it. */
interface LimitAnswer {
  readonly limiter: RateLimit;
  readonly decision: Decision;
  /** The decision of each limit that was called. */
  readonly decisions: readonly (Decision | undefined)[];
}

async function decide(limiters: readonly RateLimit[], keys: readonly string[]): Promise<LimitAnswer> {
  const [limiter, ...others] = limiters as [RateLimit, ...RateLimit[]];
  if (others.length === 0) {
    const decision = await limiter.limit(keys[0] as string);
    return { limiter, decision, decisions: [decision] };
  }
  const calls = limiters.map((each, index) => ({ limiter: each, key: keys[index] as string }));
  const combined = await RateLimit.limitAll(calls);
  return { limiter: combined.limiter, decision: combined, decisions: combined.decisions };
}

/** Returns a key for each limit. */
function keysOf(count: number, key: string | readonly string[]): readonly string[] {
  if (!Array.isArray(key)) return Array.from({ length: count }, () => key as string);
  if (key.length === count) return key;
  throw new ArgumentError(
    "the key function's result",
    `a key, or a list of ${count}, one for each limit`,
    key,
  );
}

/** Asserts that a function has returned a response. Returns it. */
function assertResponse(field: string, response: Response): Response {
  if ({}.toString.call(response) === "[object Response]") return response;
  throw new ArgumentError(field, "a Response", response);
}

/** Returns the response with more headers: a new one, because the headers of a fetched response cannot be changed. */
function withHeaders(response: Response, added: Readonly<Record<string, string>>): Response {
  assertResponse("the handler's result", response);
  // A protocol switch or a network error cannot be constructed again, and no client reads its headers.
  if (response.status < 200) return response;
  const headers = new Headers(response.headers);
  const merged = mergeHeaders((name) => headers.get(name), added);
  for (const [name, value] of Object.entries(merged)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

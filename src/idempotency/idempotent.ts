// idempotent: wraps a fetch handler so that it runs once for each key that clients send.

import { readBody, streamFromStart } from "../http/body.ts";
import type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
import { notifyListener } from "../http/notify.ts";
import { documentationLink, problemResponse } from "../http/problem.ts";
import { ArgumentError, assertFunction, assertOneOf, assertWhole, type BackendError } from "../internal.ts";
import { assertHeaderName, KEY_HEADER_DOCS, KEY_HEADER_NAMES, MAX_KEY_LENGTH, readKey } from "./key.ts";
import { type IdempotencyOptions, resolveIdempotencySettings } from "./options.ts";
import { problemOf, type RequestProblem } from "./problem.ts";
import { REPLAYED_HEADER, readResponse, writeResponse } from "./replay.ts";
import { requestFingerprint, withBody } from "./requestFingerprint.ts";
import { runOnce, type WorkResult } from "./runOnce.ts";
import { storedKey } from "./storedKey.ts";

/** Options of {@link idempotent}: those of {@link IdempotencyOptions}, and more. An unknown name is refused. */
export interface IdempotentOptions<Context = unknown> extends IdempotencyOptions {
  /**
   * Returns the tenant of a request. The same key of another tenant is another key, so no client gets another's
   * response. Take it from the authenticated identity, and return the same one after a client's token is renewed. A
   * service with one tenant uses `() => ""`. It gets the same arguments as the handler. If it throws, the wrapped
   * handler throws.
   */
  readonly tenant: (request: FetchRequest, context: Context) => string | Promise<string>;
  /** Whether a request without a key is refused. Default `true`. With `false` it runs each time. */
  readonly required?: boolean | undefined;
  /** The longest key that is allowed, in characters from 1 to 255, without the quotes. Default 255. A longer one is refused with 400. */
  readonly maxKeyLength?: number | undefined;
  /** The methods that need a key. Other methods go to the handler as they are. Default `["POST", "PATCH"]`. */
  readonly methods?: readonly string[] | undefined;
  /**
   * Whether a response with this status is stored. Default: below 500. 401, 403 and 429 are never stored, because they
   * depend on the client and the time. If a response is not stored, the next request with the key runs the handler
   * again.
   */
  readonly keeps?: ((status: number) => boolean) | undefined;
  /** The largest body of a request, in bytes up to 2^28. Default 2^20. A larger one is refused with 413. */
  readonly maxRequestBytes?: number | undefined;
  /**
   * The `http` or `https` URL of a page that tells clients how your service uses the header. Each refusal has it as
   * `Link: <…>; rel="describedby"`, as the IETF draft requires. Default: the page of the draft.
   */
  readonly documentation?: string | undefined;
  /**
   * The name of the header with the key. It replaces both default names, `Idempotency-Key` and `X-Idempotency-Key`. The syntax
   * of the key stays the same.
   */
  readonly header?: string | undefined;
  /**
   * The content that every request with the same key must have. Default `"bytes"`: the query and the bytes of the body. `"json"`: the
   * query and the canonical JSON of the body, in which white space, the order of keys and the notation of strings and numbers do
   * not count; a body without a JSON content type, or one that is not JSON, counts by its bytes. A function returns a text that
   * replaces both, such as the part of the body that matters. It gets a request whose body it may read, and the same context as
   * the handler. If it throws, the wrapped handler throws.
   */
  readonly fingerprint?:
    | "bytes"
    | "json"
    | ((request: FetchRequest, context: Context) => string | Promise<string>)
    | undefined;
  /**
   * Makes the response of a refusal. Default: `application/problem+json` with the problem's fields. The request's body may have
   * been read. If it throws, or returns no response, the wrapped handler throws.
   */
  readonly errorResponse?:
    | ((
        problem: RequestProblem,
        request: FetchRequest,
        context: Context,
      ) => FetchResponse | Promise<FetchResponse>)
    | undefined;
  /** Gets the store's error for each request that it affects, refused or not. Errors that it throws are ignored. */
  readonly onError?: ((error: BackendError) => void) | undefined;
}

const HANDLER_OPTIONS = [
  "tenant",
  "required",
  "maxKeyLength",
  "methods",
  "keeps",
  "maxRequestBytes",
  "documentation",
  "header",
  "fingerprint",
  "errorResponse",
  "onError",
];

/** Statuses that depend on the client and the time, not on the work. */
const NEVER_STORED = [401, 403, 429];

/** Asserts that a string is a URL for a browser. Returns it encoded for a header. */
function webUrl(field: string, text: string): string {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url.href;
  throw new ArgumentError(field, "an http or https URL", text);
}

/** Whether a value is a response whose body has not been read. */
function isUnread(response: Response): boolean {
  const isResponse = {}.toString.call(response) === "[object Response]";
  return isResponse && !response.bodyUsed && !response.body?.locked;
}

/** The largest `maxRequestBytes`. */
const MAX_BODY = 2 ** 28;

/**
 * Wraps a handler so that it runs once for each key that clients send in the header `Idempotency-Key` (or
 * `X-Idempotency-Key`). Every other request with the key gets the same response, with `Idempotent-Replayed: true`. For
 * every platform with `Request` and `Response`: Node, Deno, Bun, Workers, Hono.
 *
 * A key belongs to a tenant, a method and a path, and to the query and body of its first request:
 *
 * | request | response |
 * |---|---|
 * | the first with its key | the handler's |
 * | the same again | the same status, headers and bytes, without hop-by-hop headers and `Set-Cookie` |
 * | the same, while the first is in progress | 409, `Retry-After`; see `inFlight` |
 * | another body or query with the key | 422 |
 * | no key | 400, or the handler's if `required` is `false` |
 * | a key that is empty, malformed or longer than 255 characters | 400 |
 * | a body above `maxRequestBytes` | 413 |
 * | the store fails | 503, or the handler's if `onStoreError` is `"allow"` |
 * | the same again, if its response was above `maxBytes` or larger than the store takes | 409 |
 *
 * Refusals are `application/problem+json` with a `code` and a link to `documentation`, unless `errorResponse` makes others.
 *
 * If the handler throws, if its response breaks off, or if its response is not stored (see `keeps`), the next request
 * with the key runs it again. If it returns no response or a used one, or if `keeps` throws, that is an error, and
 * later requests with the key get 409, because the handler has run.
 *
 * A response is sent when its end is known, or after `maxBytes` of it, so this does not suit responses that stream. The
 * handler's request has a `signal` that is also aborted when the lock is lost.
 *
 * @param handler gets the request, and the context that the runtime passes, if there is one
 * @param options `backend`, `name` and `tenant`; the others have defaults
 * @returns a handler with the same parameters
 * @throws {@link ArgumentError} if an option is missing, wrong or unknown
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { idempotent } from "bitflake/idempotency";
 *
 * let orders = 0;
 * const handler = idempotent(async () => Response.json({ order: ++orders }, { status: 201 }), {
 *   backend: memory(),
 *   name: "orders",
 *   tenant: () => "",
 * });
 *
 * const order = () =>
 *   handler(new Request("https://shop.example/orders", { method: "POST", headers: { "Idempotency-Key": "a1" } }));
 * const [first, again] = [await order(), await order()];
 * [first.status, await first.json()]; // => [ 201, { order: 1 } ]
 * [again.status, await again.json()]; // => [ 201, { order: 1 } ]
 * again.headers.get("idempotent-replayed"); // => 'true'
 * ```
 */
export function idempotent<Context>(
  handler: (request: FetchRequest, context: Context) => FetchResponse | Promise<FetchResponse>,
  options: IdempotentOptions<Context>,
): (
  request: FetchRequest,
  ...context: unknown extends Context ? [context?: unknown] : [context: Context]
) => Promise<FetchResponse> {
  const settings = resolveIdempotencySettings(options, ...HANDLER_OPTIONS);
  const { tenant, required = true, methods = ["POST", "PATCH"], maxRequestBytes = 2 ** 20 } = options;
  const { keeps = (status) => status < 500, documentation = KEY_HEADER_DOCS, onError = () => {} } = options;
  assertFunction("handler", handler);
  assertFunction("tenant", tenant);
  assertFunction("keeps", keeps);
  assertFunction("onError", onError);
  assertOneOf("required", required, [true, false]);
  assertWhole("maxRequestBytes", maxRequestBytes, 0, MAX_BODY);
  const { header, maxKeyLength = MAX_KEY_LENGTH, fingerprint: how = "bytes", errorResponse } = options;
  assertWhole("maxKeyLength", maxKeyLength, 1, MAX_KEY_LENGTH);
  const headerNames = header === undefined ? KEY_HEADER_NAMES : [assertHeaderName("header", header)];
  if (typeof how !== "function") assertOneOf("fingerprint", how, ["bytes", "json"]);
  if (errorResponse !== undefined) assertFunction("errorResponse", errorResponse);
  const link = documentationLink(webUrl("documentation", documentation));
  if (!Array.isArray(methods) || ![...methods].every((method) => /^[A-Z]+$/.test(method))) {
    throw new ArgumentError("methods", "an array of methods in capitals", methods);
  }
  const isStored = (status: number) => status >= 200 && !NEVER_STORED.includes(status) && keeps(status);

  /** Reads a response to its end. If it breaks off, the work fails. */
  const readToEnd = async (response: Response): Promise<WorkResult<Response>> => {
    const body = await readBody(response.body, settings.maxBytes);
    if ("rest" in body) return { value: new Response(streamFromStart(body), response), stored: null };
    // Null if it is empty, because a 204 must not have a body.
    const value = new Response(body.bytes.length > 0 ? body.bytes : null, response);
    // Only replays have this header.
    value.headers.delete(REPLAYED_HEADER);
    return { value, stored: writeResponse(response, body.bytes) };
  };

  return async (request, ...rest) => {
    const context = rest[0] as Context;
    if (!methods.includes(request.method)) return handler(request, context);
    const refuse = async ({ headers, ...problem }: RequestProblem) => {
      const { status, code, detail } = problem;
      const allHeaders = { ...headers, ...link };
      if (!errorResponse) return problemResponse(status, code, detail, allHeaders);
      const response = await errorResponse({ ...problem, headers: allHeaders }, request, context);
      if (isUnread(response)) return response;
      throw new ArgumentError(
        "the result of errorResponse",
        "a Response whose body has not been read",
        response,
      );
    };
    const refuseKey = (detail: string) =>
      refuse({ status: 400, code: "ERR_IDEMPOTENCY_KEY", detail, headers: {} });
    const key = readKey((name) => request.headers.get(name), headerNames, maxKeyLength);
    if (typeof key === "object") return refuseKey(`${key.brokenRule}.`);
    if (key === undefined) {
      if (!required) return handler(request, context);
      return refuseKey(`The header ${headerNames[0]} is missing.`);
    }
    const tenantName = await tenant(request, context);
    if (typeof tenantName !== "string") throw new ArgumentError("the tenant", "a string", tenantName);
    const body = await readBody(request.body, maxRequestBytes);
    if ("rest" in body) {
      // The rest is not read, and an error of cancelling it changes nothing.
      void body.rest.cancel().catch(() => {});
      const detail = `The body must be at most ${maxRequestBytes} bytes.`;
      return refuse({ status: 413, code: "ERR_CONTENT_TOO_LARGE", detail, headers: {} });
    }
    const { pathname } = new URL(request.url);
    const scope = await storedKey({ tenant: tenantName, method: request.method, path: pathname, key });
    const fingerprint = await requestFingerprint(how, request, context, body.bytes);
    let invalidResponse: { readonly error: unknown } | undefined;
    const work = async (signal: AbortSignal) => {
      const signals = AbortSignal.any([request.signal, signal]);
      const response = await handler(withBody(request, body.bytes, { signal: signals }), context);
      try {
        if (!isUnread(response)) {
          throw new ArgumentError(
            "the handler's result",
            "a Response whose body has not been read",
            response,
          );
        }
        if (!isStored(response.status)) return { value: response, stored: undefined };
      } catch (error) {
        // Thrown after the run, because an error of the work would release the key, and the handler has run.
        invalidResponse = { error };
        return { value: response, stored: null };
      }
      return readToEnd(response);
    };
    const call = { key: scope, name: key, fingerprint, signal: request.signal, request };
    const run = await runOnce(settings, call, work);
    if ("error" in run && run.error) notifyListener(onError, run.error);
    if (invalidResponse) throw invalidResponse.error;
    if (run.outcome === "ran") return run.value;
    if (run.outcome === "completed" && run.value !== null) return readResponse(run.value);
    return refuse(problemOf(run));
  };
}

// idempotent: a fetch handler whose work is done once for each key that clients send.

import { readBody, streamFromStart } from "../http/body.ts";
import type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";
import { notifyListener } from "../http/notify.ts";
import { documentationLink, problemResponse } from "../http/problem.ts";
import { ArgumentError, assertFunction, assertOneOf, assertWhole, type BackendError } from "../internal.ts";
import { fingerprint } from "./fingerprint.ts";
import { KEY_HEADER_DOCS, KEY_HEADERS, readKey } from "./key.ts";
import { type IdempotencyOptions, resolveIdempotencySettings } from "./options.ts";
import { REPLAYED_HEADER, readResponse, writeResponse } from "./replay.ts";
import { type RunResult, runOnce, type WorkResult } from "./runOnce.ts";

/** What {@link idempotent} is set up with: all of {@link IdempotencyOptions}, and more. An unknown name is refused. */
export interface IdempotentOptions<Context = unknown> extends IdempotencyOptions {
  /**
   * Who asks, as a text: the same key of another tenant is another key, so that nobody gets another's response. Take it
   * from what you have authenticated, and the same for a client whose token was renewed. A service with one tenant says
   * `() => ""`. It gets what the handler gets; what it throws, the handler throws.
   */
  readonly tenant: (request: FetchRequest, context: Context) => string | Promise<string>;
  /** Whether a request without a key is refused. Default `true`; `false` lets it through, to be done each time. */
  readonly required?: boolean | undefined;
  /** Which methods it is about; others are let through. Default `["POST", "PATCH"]`. */
  readonly methods?: readonly string[] | undefined;
  /**
   * Which responses are kept, by their status. Default: those below 500. Never are 401, 403 and 429, which are about
   * who asks and when. What is not kept has not been done: the next request with the key does it.
   */
  readonly keeps?: ((status: number) => boolean) | undefined;
  /** The largest body of a request, in bytes up to 2^28. Default 2^20. A larger one is refused with 413. */
  readonly maxRequestBytes?: number | undefined;
  /**
   * Where clients can read how your service uses the header: an `http` or `https` URL. Each refusal has it as
   * `Link: <…>; rel="describedby"`, as the IETF draft asks for. Default: the page of the draft itself.
   */
  readonly documentation?: string | undefined;
  /** Hears of each call that the store failed, whether it was refused or passed by. What it throws is ignored. */
  readonly onError?: ((error: BackendError) => void) | undefined;
}

/** The names of the options that are only here. */
const HANDLER_OPTIONS = [
  "tenant",
  "required",
  "methods",
  "keeps",
  "maxRequestBytes",
  "documentation",
  "onError",
];

/** Statuses that say something of the asker and the moment, and nothing of the work. */
const NEVER_STORED = [401, 403, 429];

/** Soon, for whatever is under way mostly ends before its lock does. */
const SOON = { "retry-after": "1" };

/** Makes a refusal: {@link problemResponse} with a link to the documentation. */
type Refuse = typeof problemResponse;

/** What a client is told of a run that has no response of the handler's. */
function errorResponse({ outcome }: RunResult<Response>, refuse: Refuse): Response {
  switch (outcome) {
    case "running":
      return refuse(409, "ERR_IN_FLIGHT", "A request with this key is being worked on.", SOON);
    case "lost":
      return refuse(409, "ERR_LOCK_LOST", "Another request with this key has taken it over.", SOON);
    case "mismatch":
      return refuse(422, "ERR_FINGERPRINT", "This key was used before, for another request.");
    case "completed":
      return refuse(409, "ERR_NOT_KEPT", "The request with this key is done, and its response was not kept.");
    default:
      return refuse(503, "ERR_BACKEND", "The store of the keys cannot be reached.", SOON);
  }
}

/** Asserts that a text is a URL that a person can open; returns it as a header can have it. */
function webUrl(field: string, text: string): string {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url.href;
  throw new ArgumentError(field, "an http or https URL", text);
}

/** Whether it is a response, and nobody has begun to read it. */
function isUnread(response: Response): boolean {
  const isResponse = {}.toString.call(response) === "[object Response]";
  return isResponse && !response.bodyUsed && !response.body?.locked;
}

/** The largest request body there may be. */
const MAX_BODY = 2 ** 28;

/**
 * Makes a handler do its work once for each key that clients send in the header `Idempotency-Key` (or
 * `X-Idempotency-Key`), and answer every other request with the key with the same response, marked
 * `Idempotent-Replayed: true`. For anything that speaks `Request` and `Response`: Node, Deno, Bun, Workers, Hono.
 *
 * A key belongs to a tenant, a method and a path, and was used for one query and body:
 *
 * | request | answer |
 * |---|---|
 * | the first with its key | the handler's |
 * | the same again | the same status, headers and bytes, but for hop-by-hop headers and `Set-Cookie` |
 * | the same, while the first is worked on | 409, `Retry-After` |
 * | another body or query with the key | 422 |
 * | no key | 400, or without any of this if `required` is `false` |
 * | a key that is empty, malformed or longer than 255 characters | 400 |
 * | a body above `maxRequestBytes` | 413 |
 * | the store is down | 503, or without any of this if `onFailure` is `"bypass"` |
 * | the same, when its response was above `maxBytes` | 409 |
 *
 * Refusals are `application/problem+json` with a `code` and a link to `documentation`. A handler that throws, or whose
 * response breaks off, has not done its work, and neither has one whose response is not kept: see `keeps`. One that
 * returns no response, or a used one, has, and so has one whose `keeps` throws: it is an error, and then 409.
 * A response is sent when its end is known, or `maxBytes` of it: this is not for streams that must flow. The handler's
 * request has a `signal` that is also aborted when the lock is lost.
 *
 * @param handler gets the request, and the context that the runtime calls it with, if there is one
 * @param options `backend`, `name` and `tenant`, and what there is a default for
 * @returns a handler that is called the same way
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
  const link = documentationLink(webUrl("documentation", documentation));
  const refuse: Refuse = (status, code, detail, headers) =>
    problemResponse(status, code, detail, { ...headers, ...link });
  if (!Array.isArray(methods) || ![...methods].every((method) => /^[A-Z]+$/.test(method))) {
    throw new ArgumentError("methods", "an array of methods in capitals", methods);
  }
  const isKept = (status: number) => status >= 200 && !NEVER_STORED.includes(status) && keeps(status);

  /** Reads a response to its end. One that breaks off is a handler that fails. */
  const read = async (response: Response): Promise<WorkResult<Response>> => {
    const body = await readBody(response.body, settings.maxBytes);
    if ("rest" in body) return { value: new Response(streamFromStart(body), response), stored: null };
    // A 204 must have no body at all.
    const value = new Response(body.bytes.length > 0 ? body.bytes : null, response);
    value.headers.delete(REPLAYED_HEADER); // It is for replays to say.
    return { value, stored: writeResponse(response, body.bytes) };
  };

  return async (request, ...rest) => {
    const context = rest[0] as Context;
    if (!methods.includes(request.method)) return handler(request, context);
    const key = readKey((name) => request.headers.get(name));
    if (typeof key === "object") return refuse(400, "ERR_IDEMPOTENCY_KEY", `${key.wrong}.`);
    if (key === undefined) {
      if (!required) return handler(request, context);
      return refuse(400, "ERR_IDEMPOTENCY_KEY", `The header ${KEY_HEADERS[0]} is missing.`);
    }
    const who = await tenant(request, context);
    if (typeof who !== "string") throw new ArgumentError("the tenant", "a text", who);
    const body = await readBody(request.body, maxRequestBytes);
    if ("rest" in body) {
      void body.rest.cancel().catch(() => {}); // Whatever the other side makes of it.
      return refuse(413, "ERR_CONTENT_TOO_LARGE", `The body must be at most ${maxRequestBytes} bytes.`);
    }
    const { pathname, search } = new URL(request.url);
    // In a store there are only digests: neither keys nor tenants are anyone's to read there.
    const scope = await fingerprint(JSON.stringify([who, request.method, pathname, key]));
    const print = (await fingerprint(body.bytes)) + (search && (await fingerprint(search)));
    let refusal: { readonly error: unknown } | undefined;
    const work = async (signal: AbortSignal) => {
      const signals = AbortSignal.any([request.signal, signal]);
      // What was read cannot be read again; what had no body must not get one.
      const again = request.bodyUsed ? { body: body.bytes, signal: signals } : { signal: signals };
      const response = await handler(new Request(request, again), context);
      try {
        if (!isUnread(response)) {
          throw new ArgumentError("the handler's result", "a Response that nobody has read", response);
        }
        if (!isKept(response.status)) return { value: response, stored: undefined };
      } catch (error) {
        // The handler is done, whatever is wrong with what it returned: thrown here, it would be called again.
        refusal = { error };
        return { value: response, stored: null };
      }
      return read(response);
    };
    const ran = await runOnce(settings, scope, key, print, work);
    if ("error" in ran && ran.error) notifyListener(onError, ran.error);
    if (refusal) throw refusal.error;
    if (ran.outcome === "ran") return ran.value;
    if (ran.outcome === "completed" && ran.value !== null) return readResponse(ran.value);
    return errorResponse(ran, refuse);
  };
}

// Cross-origin requests: which pages of other origins may read the responses.

import { ArgumentError } from "../internal.ts";
import type { ServiceRequest, ServiceResponse } from "./message.ts";
import { withHeaders } from "./response.ts";

/** The headers of requests that a page may set. */
const REQUEST_HEADERS = [
  "authorization",
  "content-type",
  "idempotency-key",
  "traceparent",
  "x-api-key",
  "x-idempotency-key",
  "x-request-id",
].join(", ");

/** The headers of responses that a page may read, besides those that it always may. */
const RESPONSE_HEADERS = [
  "idempotent-replayed",
  "link",
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "www-authenticate",
  "x-request-id",
].join(", ");

/** How long a browser may keep the answer to a preflight, in seconds: browsers keep none longer than two hours. */
const MAX_AGE_SECONDS = "7200";

/** Any origin. */
const ANY = "*";

function assertOrigin(name: string, origin: unknown): string {
  try {
    if (typeof origin === "string" && new URL(origin).origin === origin) return origin;
  } catch {
    // Not a URL.
  }
  throw new ArgumentError(name, 'an origin such as "https://app.example.org", without a path', origin);
}

/**
 * Asserts that the option `corsOrigins` is valid.
 *
 * @returns the origins, or `undefined` if there are none
 */
export function resolveCorsOrigins(origins: unknown): ReadonlySet<string> | undefined {
  if (origins === undefined) return undefined;
  if (!Array.isArray(origins) || origins.length === 0) {
    throw new ArgumentError("corsOrigins", "an array of at least one origin", origins);
  }
  if (origins.length === 1 && origins[0] === ANY) return new Set([ANY]);
  return new Set(origins.map((origin, at) => assertOrigin(`corsOrigins[${at}]`, origin)));
}

/** Answers requests of pages of other origins. Their API keys are in headers, so that no page can use one that it does not have. */
export class Cors {
  readonly #origins: ReadonlySet<string>;
  readonly #isAny: boolean;

  constructor(origins: ReadonlySet<string>) {
    this.#origins = origins;
    this.#isAny = origins.has(ANY);
  }

  /** Returns whether the request is from a page of an allowed origin. */
  allows(request: ServiceRequest): boolean {
    const origin = request.header("origin");
    return origin !== undefined && (this.#isAny || this.#origins.has(origin));
  }

  /** Returns the response with the headers that let the page of the request read it, if its origin is allowed. */
  expose(request: ServiceRequest, response: ServiceResponse): ServiceResponse {
    // Also without an origin, because a cache could give that response to a page.
    const others = response.headers["vary"];
    const vary: Record<string, string> = this.#isAny
      ? {}
      : { vary: others === undefined ? "origin" : `${others}, origin` };
    const origin = request.header("origin");
    if (origin === undefined || !this.allows(request)) return withHeaders(response, vary);
    const isPreflight =
      request.method === "OPTIONS" && request.header("access-control-request-method") !== undefined;
    return withHeaders(response, {
      ...vary,
      "access-control-allow-origin": this.#isAny ? ANY : origin,
      "access-control-expose-headers": RESPONSE_HEADERS,
      ...(isPreflight && {
        "access-control-allow-methods": response.headers["allow"] ?? "",
        "access-control-allow-headers": REQUEST_HEADERS,
        "access-control-max-age": MAX_AGE_SECONDS,
      }),
    });
  }
}

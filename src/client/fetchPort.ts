// The part of the fetch standard that the client uses: a function of the user's, or the runtime's own fetch.

import type { FetchAbortSignal } from "../http/fetchTypes.ts";

/** The second argument of {@link ClientFetch}. It is a valid second argument of `new Request(url, init)`. */
export interface ClientRequestInit {
  /** `"GET"` or `"POST"`. */
  readonly method: string;
  /** The headers, with the API key among them. */
  readonly headers: Record<string, string>;
  /** The client refuses redirects, because the API key is for the service alone. */
  readonly redirect: "manual";
  /** Is aborted when the attempt has no more time, or the call or the client has ended. */
  readonly signal: FetchAbortSignal;
}

/** The part of `Headers` that the client uses. */
export interface ClientHeaders {
  /** Returns the value of a header; `null` without one. */
  get(name: string): string | null;
}

/** The part of a `Response` that the client reads. */
export interface ClientResponse {
  /** The status. */
  readonly status: number;
  /** The headers. */
  readonly headers: ClientHeaders;
  /** The body: a `ReadableStream` of bytes, or null. */
  readonly body: unknown;
}

/** A function like `fetch`, which sends a request. */
export type ClientFetch = (url: string, init: ClientRequestInit) => Promise<ClientResponse>;

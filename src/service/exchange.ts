// The state of one request on its way through the pipeline. Each stage adds what it finds out.

import type { Client } from "./auth.ts";
import type { ServiceRequest } from "./message.ts";
import type { Query } from "./query.ts";
import type { Route } from "./route.ts";

/** The client before authentication. */
const UNKNOWN: Client = { name: "", requestKeyOwner: "", scopes: new Set() };

/** A request and its state. A route's handler gets it as its {@link RouteContext}: a copy would cost an object per request. */
export interface Exchange {
  readonly request: ServiceRequest;
  /** By the monotonic clock, in milliseconds. */
  readonly startedAtMs: number;
  /** Missing until it is found. */
  route: Route | undefined;
  params: Readonly<Record<string, string>>;
  /** The query as a string, without its question mark. */
  search: string;
  query: Query;
  client: Client;
  /** Whether the lifecycle counts the request as in flight. */
  isAdmitted: boolean;
  /**
   * Whether an error of the request is reported for the store of the pools, not for `backend`. Set from the route after the
   * rate limit, because the limit works on `backend`.
   */
  usesPoolBackend: boolean;
  /** The code of the problem document that answers the request. */
  code: string | undefined;
  /** The error behind the response, for the log and the health checks. */
  error: unknown;
  /** Why the rate limit could not be checked, if the request passed nevertheless. Logged if there is no `error`. */
  rateLimitError: unknown;
}

const NONE = {};

/** Creates the state of a request that has just arrived. */
export function createExchange(request: ServiceRequest): Exchange {
  return {
    request,
    startedAtMs: performance.now(),
    route: undefined,
    params: NONE,
    search: "",
    query: NONE,
    client: UNKNOWN,
    isAdmitted: false,
    usesPoolBackend: false,
    code: undefined,
    error: undefined,
    rateLimitError: undefined,
  };
}

// Routes: what a route declares, and what its handler gets.

import type { Client } from "./auth.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { MaybePromise, ServiceRequest, ServiceResponse } from "./message.ts";
import type { Metrics } from "./metrics.ts";
import type { Operation } from "./operation.ts";
import type { ServiceScope } from "./options.ts";
import type { Peers } from "./peers.ts";
import type { Query } from "./query.ts";
import type { ServiceSettings } from "./settings.ts";

/** What the handler of a route gets with each request. */
export interface RouteContext {
  readonly request: ServiceRequest;
  readonly client: Client;
  /** The path's parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The query's parameters, checked against the route's operation. */
  readonly query: Query;
}

/** What the routes are created with. */
export interface RouteDeps {
  readonly settings: ServiceSettings;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly peers: Peers;
}

/** A method and path that the service answers. */
export interface Route {
  readonly method: "GET" | "POST";
  /** The path, with parameters in braces. */
  readonly path: string;
  /** Whether it needs no API key and has no rate limit: health probes, the OpenAPI document and the pages of the console. */
  readonly isPublic?: boolean;
  /** The scope that an API key must have. Default: every key is enough. */
  readonly scope?: ServiceScope;
  /** Returns what a request costs of the rate limit, by its query. Default: 1. */
  readonly cost?: (search: string) => number;
  /** Whether no rate limit applies, although it needs an API key. Default: requests count in the client's limit. */
  readonly isUnlimited?: boolean;
  /** Whether its handler works on `poolBackend`. Default: on `backend`. */
  readonly usesPoolBackend?: boolean;
  /** Whether it ignores unknown query parameters, and also answers at its path with a trailing slash. */
  readonly isLenient?: boolean;
  /** Whether a GET takes an ID of a pool for good, so that HEAD is refused. */
  readonly issuesOnGet?: boolean;
  /** The media type of its responses. Default: JSON. */
  readonly contentType?: string;
  /** Another media type, if its handler chooses one by `Accept`. Default: none. */
  readonly otherContentType?: string;
  readonly operation: Operation;
  readonly handler: (context: RouteContext) => MaybePromise<ServiceResponse>;
}

// Routes, and which of them a request is for.

import type { Client } from "./auth.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { MaybePromise, ServiceRequest, ServiceResponse } from "./message.ts";
import type { Metrics } from "./metrics.ts";
import type { Operation } from "./openapi.ts";
import type { ServiceScope } from "./options.ts";
import type { Query } from "./query.ts";
import { HttpError } from "./response.ts";
import type { ServiceSettings } from "./settings.ts";

/** What a route has to answer with. */
export interface RouteContext {
  readonly request: ServiceRequest;
  readonly client: Client;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
}

/** What all routes work with. */
export interface RouteDeps {
  readonly settings: ServiceSettings;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
}

/** One of the routes. */
export interface Route {
  readonly method: "GET" | "POST";
  /** Path with parameters in braces. */
  readonly path: string;
  /** Whether it needs no API key and has no limit: for those who watch the service. */
  readonly isPublic?: boolean;
  /** The scope that an API key must have. Default: every key is enough. */
  readonly scope?: ServiceScope;
  /** What a request takes of the rate limit, by its query. Default: 1. */
  readonly cost?: (search: string) => number;
  /** Whether it works on the store of the pools. Default: on the other, if on any. */
  readonly usesPoolBackend?: boolean;
  /** Whether it ignores query parameters that it does not know, and serves its path with a slash at the end as well. */
  readonly isLenient?: boolean;
  /** Whether a GET takes something for good, so that there is no HEAD. */
  readonly consumes?: boolean;
  /** The type of its replies, if that is not JSON. */
  readonly contentType?: string;
  /** What the OpenAPI document says of it. */
  readonly operation: Operation;
  readonly handle: (call: RouteContext) => MaybePromise<ServiceResponse>;
}

/** A route, and its parameters. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

const NO_PARAMS: Readonly<Record<string, string>> = {};

/** The methods that a route answers. */
function allowedMethods({ method, consumes }: Route): string[] {
  return method === "GET" && !consumes ? ["GET", "HEAD", "OPTIONS"] : [method, "OPTIONS"];
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, "ERR_ARGUMENT", "The path must be percent-encoded UTF-8.");
  }
}

/** The parameters, if the path is one of the route's. */
function matchParams(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    const segment = segments[at] as string;
    if (part.startsWith("{")) params[part.slice(1, -1)] = decodeSegment(segment);
    else if (part !== segment) return undefined;
  }
  return params;
}

/** What {@link createRouter} makes: finds the route of a path, whatever the method. */
export type Router = (path: string) => RouteMatch | undefined;

/** Makes what finds routes. Each path has one. */
export function createRouter(routes: readonly Route[]): Router {
  const fixed = new Map<string, RouteMatch>();
  const open: { readonly route: Route; readonly pattern: readonly string[] }[] = [];
  for (const route of routes) {
    if (route.path.includes("{")) open.push({ route, pattern: route.path.split("/") });
    else fixed.set(route.path, { route, params: NO_PARAMS });
  }
  const find = (path: string): RouteMatch | undefined => {
    const match = fixed.get(path);
    if (match) return match;
    const segments = path.split("/");
    for (const { route, pattern } of open) {
      const params = matchParams(pattern, segments);
      if (params) return { route, params };
    }
    return undefined;
  };
  return (path) => {
    const match = find(path);
    if (match || !path.endsWith("/")) return match;
    const without = find(path.slice(0, -1));
    return without?.route.isLenient ? without : undefined;
  };
}

/** Refuses a method that the route does not have. */
export function assertMethod(route: Route, method: string): void {
  const methods = allowedMethods(route);
  if (methods.includes(method)) return;
  const allow = methods.join(", ");
  throw new HttpError(405, "ERR_METHOD_NOT_ALLOWED", `The method must be one of ${allow}.`, { allow });
}

/** The reply to OPTIONS. */
export function optionsResponse(route: Route): ServiceResponse {
  return {
    status: 204,
    headers: { allow: allowedMethods(route).join(", "), "cache-control": "no-store" },
    body: "",
  };
}

// The router: finds the route of a path, and the methods that the route answers.

import type { ServiceResponse } from "./message.ts";
import { COMMON_HEADERS, HttpError } from "./response.ts";
import type { Route } from "./route.ts";

/** A route, and the parameters of the path that it was found by. */
interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the route of a path, whatever the method. */
export type Router = (path: string) => RouteMatch | undefined;

const NO_PARAMS: Readonly<Record<string, string>> = {};

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, "ERR_ARGUMENT", "The path must be percent-encoded UTF-8.");
  }
}

/** Returns the parameters of a path that matches the pattern, else `undefined`. */
function matchParams(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] as string;
    if (part.startsWith("{")) params[part.slice(1, -1)] = decodeSegment(segment);
    else if (part !== segment) return undefined;
  }
  return params;
}

/** Creates a router. Each path has one route. */
export function createRouter(routes: readonly Route[]): Router {
  const staticMatches = new Map<string, RouteMatch>();
  const patterns: { readonly route: Route; readonly pattern: readonly string[] }[] = [];
  for (const route of routes) {
    if (route.path.includes("{")) patterns.push({ route, pattern: route.path.split("/") });
    else staticMatches.set(route.path, { route, params: NO_PARAMS });
  }
  const find = (path: string): RouteMatch | undefined => {
    const match = staticMatches.get(path);
    if (match) return match;
    const segments = path.split("/");
    for (const { route, pattern } of patterns) {
      const params = matchParams(pattern, segments);
      if (params) return { route, params };
    }
    return undefined;
  };
  return (path) => {
    const match = find(path);
    if (match || !path.endsWith("/")) return match;
    const lenientMatch = find(path.slice(0, -1));
    return lenientMatch?.route.isLenient ? lenientMatch : undefined;
  };
}

function allowedMethods({ method, issuesOnGet }: Route): string[] {
  return method === "GET" && !issuesOnGet ? ["GET", "HEAD", "OPTIONS"] : [method, "OPTIONS"];
}

/** Asserts that the route answers a method. */
export function assertMethod(route: Route, method: string): void {
  const methods = allowedMethods(route);
  if (methods.includes(method)) return;
  const allow = methods.join(", ");
  throw new HttpError(405, "ERR_METHOD_NOT_ALLOWED", `The method must be one of ${allow}.`, { allow });
}

/** Returns the response to OPTIONS. */
export function optionsResponse(route: Route): ServiceResponse {
  const headers = { allow: allowedMethods(route).join(", "), ...COMMON_HEADERS };
  return { status: 204, headers, body: "" };
}

// All routes of the service, one file per family, and the OpenAPI document that is written from them.

import type { ServiceResponse } from "../message.ts";
import { writeOpenApi } from "../openapi.ts";
import { jsonResponse } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";
import { generateRoutes } from "./generate.ts";
import { inspectRoutes } from "./inspect.ts";
import { observabilityRoutes } from "./observability.ts";
import { openg2pRoutes } from "./openg2p.ts";

/** Creates the routes. */
export function createRoutes(deps: RouteDeps): Route[] {
  const routes = [
    ...generateRoutes(deps),
    ...inspectRoutes(deps),
    ...openg2pRoutes(deps),
    ...observabilityRoutes(deps),
  ];
  // Written at the first request, and kept.
  let document: ServiceResponse | undefined;
  const openApiRoute: Route = {
    method: "GET",
    path: "/openapi.json",
    isPublic: true,
    operation: { summary: "This document.", response: { type: "object" } },
    handler: () => {
      document ??= jsonResponse(writeOpenApi(routes, deps.settings.apiKeys.length > 0));
      return document;
    },
  };
  routes.push(openApiRoute);
  return routes;
}

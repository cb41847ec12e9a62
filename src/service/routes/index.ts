// All routes of the service, one file per family, and the OpenAPI document that is written from them.

import type { ServiceResponse } from "../message.ts";
import { writeOpenApi } from "../openapi.ts";
import { type Schema, textSchema } from "../operation.ts";
import { jsonResponse } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";
import { consoleRoutes } from "./console.ts";
import { generateRoutes } from "./generate.ts";
import { inspectRoutes } from "./inspect.ts";
import { metricsRoute } from "./metrics.ts";
import { observabilityRoutes } from "./observability.ts";
import { openg2pRoutes } from "./openg2p.ts";
import { statusRoute } from "./status.ts";

/** Creates the routes. */
export function createRoutes(deps: RouteDeps): readonly Route[] {
  const hasApiKeys = deps.settings.apiKeys.length > 0;
  const hasRateLimit = deps.settings.rateLimit !== undefined;
  // Written at the first request, and kept.
  let document: Schema | undefined;
  let response: ServiceResponse | undefined;
  const readDocument = (): Schema => {
    document ??= writeOpenApi(routes, { hasApiKeys, hasRateLimit });
    return document;
  };
  const openApiRoute: Route = {
    method: "GET",
    path: "/openapi.json",
    isPublic: true,
    operation: {
      id: "getOpenApi",
      tag: "Operate",
      summary: "Read this document",
      description: "The description of all routes, in OpenAPI 3.1.",
      response: { type: "object", required: ["openapi"], properties: { openapi: textSchema } },
      examples: { document: { openapi: "3.1.0" } },
    },
    handler: () => {
      response ??= jsonResponse(readDocument());
      return response;
    },
  };
  const routes: readonly Route[] = [
    ...generateRoutes(deps),
    ...inspectRoutes(deps),
    ...openg2pRoutes(deps),
    ...observabilityRoutes(deps),
    metricsRoute(deps),
    statusRoute(deps),
    ...consoleRoutes(deps, readDocument),
    openApiRoute,
  ];
  return routes;
}

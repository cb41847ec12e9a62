// Routes for people: the console and the API reference. Their code is loaded with the first request for one of them.

import { VERSION } from "../../version.ts";
import type * as Console from "../console/index.ts";
import { andThen, type ServiceResponse } from "../message.ts";
import { prefers } from "../negotiate.ts";
import { objectSchema, type Schema, textSchema } from "../operation.ts";
import { COMMON_HEADERS, jsonResponse, withHeaders } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";

const JSON_TYPE = "application/json";
const HTML_TYPE = "text/html";

/** Loads the pages. Bundlers and programs that never show one do not need them. */
function loadConsole(): Promise<typeof Console> {
  return import("../console/index.ts");
}

function htmlResponse({ html, headers }: Console.Page): ServiceResponse {
  return {
    status: 200,
    headers: { ...COMMON_HEADERS, ...headers, "content-type": `${HTML_TYPE}; charset=utf-8` },
    body: html,
  };
}

/**
 * Creates the routes.
 *
 * @param readDocument returns the OpenAPI document
 */
export function consoleRoutes({ settings }: RouteDeps, readDocument: () => Schema): Route[] {
  const { hasConsole } = settings;
  const pointer = { name: "bitflake", version: VERSION, ...(hasConsole && { docs: "/docs" }) };
  const links = { ...pointer, openapi: "/openapi.json", health: "/health" };
  const homeRoute: Route = {
    method: "GET",
    path: "/",
    isPublic: true,
    ...(hasConsole && { otherContentType: HTML_TYPE }),
    operation: {
      id: "getLinks",
      tag: "Operate",
      summary: "Read the links of the service",
      description: `Where the description and the health of the service are.${
        hasConsole ? " Clients that prefer `text/html`, as browsers do, get the console." : ""
      }`,
      response: objectSchema(Object.fromEntries(Object.keys(links).map((name) => [name, textSchema]))),
      examples: { links },
    },
    handler: ({ request }) => {
      // A client without a preference, such as curl, gets JSON, as on every other route.
      const isForBrowser = hasConsole && prefers(request.header("accept"), HTML_TYPE, JSON_TYPE);
      const response = isForBrowser
        ? loadConsole().then(({ consolePage }) => htmlResponse(consolePage()))
        : jsonResponse(links);
      return andThen(response, (response) => withHeaders(response, { vary: "accept" }));
    },
  };
  if (!hasConsole) return [homeRoute];
  let reference: ServiceResponse | undefined;
  return [
    homeRoute,
    {
      method: "GET",
      path: "/docs",
      isPublic: true,
      contentType: HTML_TYPE,
      operation: {
        id: "getReference",
        tag: "Operate",
        summary: "Read the API reference",
        description: "The reference of this API as a page, written from /openapi.json.",
        response: textSchema,
        examples: { page: "<!doctype html>…" },
      },
      handler: async () => {
        const { referencePage } = await loadConsole();
        reference ??= htmlResponse(referencePage(readDocument()));
        return reference;
      },
    },
  ];
}

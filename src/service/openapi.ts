// The OpenAPI document, written from the routes.

import { PROBLEM_CONTENT_TYPE } from "../http/problem.ts";
import { VERSION } from "../version.ts";
import { objectSchema, type Schema, textSchema } from "./operation.ts";
import type { Route } from "./route.ts";

const problemSchema: Schema = objectSchema({
  type: { const: "about:blank" },
  title: textSchema,
  status: { type: "integer", minimum: 400, maximum: 599 },
  detail: textSchema,
  code: { type: "string", pattern: "^ERR_[A-Z_]+$" },
});

const problemResponse: Schema = {
  description: "What is wrong.",
  content: { [PROBLEM_CONTENT_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } },
};

function writeResponse(description: string, schema: Schema, contentType = "application/json"): Schema {
  return { description, content: { [contentType]: { schema } } };
}

function writeParameter(
  location: "path" | "query" | "header",
  name: string,
  description: string,
  values?: readonly string[],
): Schema {
  const schema = values ? { type: "string", enum: values } : textSchema;
  return { in: location, name, description, required: location === "path", schema };
}

function writeOperation({ operation, contentType, isPublic = false }: Route): Schema {
  const { summary, params = {}, query = [], headers = {}, response, otherResponses = {} } = operation;
  return {
    summary,
    ...(isPublic && { security: [] }),
    parameters: [
      ...Object.entries(params).map(([name, description]) => writeParameter("path", name, description)),
      ...query.map(({ name, description, values }) => writeParameter("query", name, description, values)),
      ...Object.entries(headers).map(([name, description]) => writeParameter("header", name, description)),
    ],
    responses: {
      200: writeResponse("As asked for.", response, contentType),
      ...Object.fromEntries(
        Object.entries(otherResponses).map(([status, { description, schema }]) => [
          status,
          writeResponse(description, schema),
        ]),
      ),
      default: problemResponse,
    },
  };
}

/** Writes the OpenAPI document of these routes. */
export function writeOpenApi(routes: readonly Route[], hasApiKeys: boolean): Schema {
  const paths: Record<string, Record<string, Schema>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = writeOperation(route);
    paths[route.path] = operations;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "bitflake",
      version: VERSION,
      summary: "IDs over HTTP.",
      license: { name: "MIT", identifier: "MIT" },
    },
    ...(hasApiKeys && { security: [{ bearer: [] }, { header: [] }] }),
    paths,
    components: {
      schemas: { Problem: problemSchema },
      ...(hasApiKeys && {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer" },
          header: { type: "apiKey", in: "header", name: "X-API-Key" },
        },
      }),
    },
  };
}

// The OpenAPI document, written from the routes themselves.

import { VERSION } from "../version.ts";
import type { Route } from "./route.ts";

/** JSON Schema, as far as it is needed. */
export type Schema = Readonly<Record<string, unknown>>;

/** A parameter of the query. */
export interface Parameter {
  readonly name: string;
  readonly description: string;
  readonly values?: readonly string[];
}

/** What the document says of a route. */
export interface Operation {
  readonly summary: string;
  /** The parameters of the path, and what they are. */
  readonly params?: Readonly<Record<string, string>>;
  /** The parameters of the query. Default none, and then it must be left out. */
  readonly query?: readonly Parameter[];
  /** Headers that it looks at. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What it answers when all is well. */
  readonly response: Schema;
  /** What else it answers, besides problems: the statuses, and their schemas. */
  readonly otherResponses?: Readonly<
    Record<number, { readonly description: string; readonly schema: Schema }>
  >;
}

/** The most IDs of one request: about a millisecond's work, so that no other request waits longer for it. */
export const MAX_COUNT = 1000;

const text: Schema = { type: "string" };

/** An object all of whose fields are there, and no others. */
export function objectSchema(properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema {
  return {
    type: "object",
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
    ...more,
  };
}

/** One ID, or as many as asked for. */
export const idsSchema: Schema = {
  oneOf: [
    objectSchema({ id: text }),
    objectSchema({ ids: { type: "array", items: text, minItems: 1, maxItems: MAX_COUNT } }),
  ],
};

/** What is around each answer of the numeric routes. */
export function envelopeSchema(response: Schema): Schema {
  return objectSchema({
    id: { const: "openg2p.idgenerator" },
    version: { const: "1.0" },
    responsetime: { type: "string", format: "date-time" },
    response,
    errors: { type: "array", items: objectSchema({ errorCode: text, message: text }) },
  });
}

const problemSchema: Schema = objectSchema({
  type: { const: "about:blank" },
  title: text,
  status: { type: "integer", minimum: 400, maximum: 599 },
  detail: text,
  code: { type: "string", pattern: "^ERR_[A-Z_]+$" },
});

const problemResponse: Schema = {
  description: "What is wrong.",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

/** A reply of a route, with its type. */
function describeResponse(description: string, schema: Schema, type = "application/json"): Schema {
  return { description, content: { [type]: { schema } } };
}

function writeOperation({ operation, contentType, isPublic = false }: Route): Schema {
  const { summary, params = {}, query = [], headers = {}, response, otherResponses = {} } = operation;
  const parameter = (
    place: string,
    name: string,
    description: string,
    isRequired: boolean,
    values?: unknown,
  ) => ({
    in: place,
    name,
    description,
    required: isRequired,
    schema: values ? { type: "string", enum: values } : text,
  });
  const named = Object.entries(otherResponses).map(([status, { description, schema }]) => [
    status,
    describeResponse(description, schema),
  ]);
  return {
    summary,
    ...(isPublic && { security: [] }),
    parameters: [
      ...Object.entries(params).map(([name, description]) => parameter("path", name, description, true)),
      ...query.map(({ name, description, values }) => parameter("query", name, description, false, values)),
      ...Object.entries(headers).map(([name, description]) => parameter("header", name, description, false)),
    ],
    responses: {
      200: describeResponse("As asked for.", response, contentType),
      ...Object.fromEntries(named),
      default: problemResponse,
    },
  };
}

/** Writes the document. */
export function writeOpenApi(routes: readonly Route[], hasKeys: boolean): Schema {
  const paths: Record<string, Record<string, Schema>> = {};
  for (const route of routes) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = writeOperation(route);
    paths[route.path] = path;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "bitflake",
      version: VERSION,
      summary: "IDs over HTTP.",
      license: { name: "MIT", identifier: "MIT" },
    },
    ...(hasKeys && { security: [{ bearer: [] }, { header: [] }] }),
    paths,
    components: {
      schemas: { Problem: problemSchema },
      ...(hasKeys && {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer" },
          header: { type: "apiKey", in: "header", name: "X-API-Key" },
        },
      }),
    },
  };
}

// The OpenAPI document, written from the routes.

import { PROBLEM_CONTENT_TYPE, problemJson } from "../http/problem.ts";
import { VERSION } from "../version.ts";
import { type OtherResponse, objectSchema, type Schema, TAGS, textSchema } from "./operation.ts";
import type { Route } from "./route.ts";

const DESCRIPTION =
  "Snowflake IDs, counter values, UUIDs, random strings, and numeric IDs with check digits. IDs are strings, because JSON's numbers end at 2^53 in most languages. No response may be cached.";

const REPOSITORY = "https://github.com/bitflake/bitflake";

/** The settings of the service that the document depends on. */
export interface OpenApiSettings {
  readonly hasApiKeys: boolean;
  readonly hasRateLimit: boolean;
}

const problemSchema: Schema = {
  description: "A problem document (RFC 9457). `code` is stable, `detail` is text for people.",
  ...objectSchema({
    type: { const: "about:blank" },
    title: textSchema,
    status: { type: "integer", minimum: 400, maximum: 599 },
    detail: textSchema,
    code: { type: "string", pattern: "^ERR_[A-Z_]+$" },
  }),
};

const PROBLEM_REF: Schema = { $ref: "#/components/schemas/Problem" };

/** Problems of any route: 405, 408, 414, 431, 500. */
const FAILURE: Schema = {
  description: "Any other failure.",
  content: { [PROBLEM_CONTENT_TYPE]: { schema: PROBLEM_REF } },
};

const SECURITY_SCHEMES: Schema = {
  bearer: { type: "http", scheme: "bearer", description: "An API key as a bearer token." },
  header: { type: "apiKey", in: "header", name: "X-API-Key", description: "An API key." },
};

/** Headers of responses: their descriptions by name. */
const HEADERS = {
  "X-Request-Id": "The request's own, if it is valid; otherwise a new one, if the service has a log.",
  "Retry-After": "After how many seconds the request may succeed.",
  "WWW-Authenticate": "The scheme: `Bearer`.",
  RateLimit: 'The rest of the quota, and after how many seconds there is more: `"service";r=9;t=6`.',
  "RateLimit-Policy": 'The quota and its window in seconds: `"service";q=10;w=60`.',
} as const;

type HeaderName = keyof typeof HEADERS;

/** A problem document that several routes answer. */
interface Problem {
  /** Its name in the document. */
  readonly name: string;
  readonly description: string;
  readonly headers?: readonly HeaderName[];
  /** `code` and `detail` of the example. */
  readonly example: readonly [code: string, detail: string];
}

/** The problem documents by status. */
const PROBLEMS = {
  400: {
    name: "BadRequest",
    description: "The path, the query, a header or the body breaks a rule, which `detail` says.",
    example: ["ERR_ARGUMENT", 'count must be a whole number from 1 to 1000, got "0".'],
  },
  401: {
    name: "Unauthorized",
    description: "The request has no valid API key.",
    headers: ["WWW-Authenticate"],
    example: ["ERR_UNAUTHORIZED", "A valid API key is needed, as Authorization: Bearer or X-API-Key."],
  },
  403: {
    name: "Forbidden",
    description: "The API key does not have the scope of the route.",
    example: ["ERR_FORBIDDEN", "The API key must have the scope issue."],
  },
  406: {
    name: "NotAcceptable",
    description: "The `Accept` header does not admit the media type of the route.",
    example: ["ERR_NOT_ACCEPTABLE", "The route answers application/json only."],
  },
  413: {
    name: "ContentTooLarge",
    description: "The body is larger than the service allows.",
    example: ["ERR_CONTENT_TOO_LARGE", "The body must be at most 65536 bytes."],
  },
  415: {
    name: "UnsupportedMediaType",
    description: "A body must be `application/json`.",
    example: ["ERR_UNSUPPORTED_MEDIA_TYPE", "A body must be application/json."],
  },
  422: {
    name: "UnprocessableContent",
    description: "No type can have this name, or no ID this form.",
    example: ["ERR_ARGUMENT", String.raw`The ID must match ^\d{1,32}$.`],
  },
  429: {
    name: "TooManyRequests",
    description: "The client has no quota left, or its address has sent too many wrong API keys.",
    headers: ["Retry-After", "RateLimit", "RateLimit-Policy"],
    example: ["ERR_RATE_LIMITED", "Too many requests."],
  },
  503: {
    name: "ServiceUnavailable",
    description: "The service stops, its store is down, or no ID can be made at the moment.",
    headers: ["Retry-After"],
    example: ["ERR_BACKEND", "The store cannot be reached."],
  },
} as const satisfies Record<number, Problem>;

type ProblemStatus = keyof typeof PROBLEMS;

/** Returns the statuses of the problem documents that a route can answer, besides those of any request. */
function problemStatuses(route: Route, { hasApiKeys, hasRateLimit }: OpenApiSettings): ProblemStatus[] {
  const { operation, method, scope, isPublic = false, isLenient = false, isUnlimited = false } = route;
  const { params = [], headers = [], query = [], problems = [] } = operation;
  const needsKey = hasApiKeys && !isPublic;
  const statuses = new Set<ProblemStatus>([406, ...problems]);
  if (!isLenient || params.length + query.length + headers.length > 0) statuses.add(400);
  if (needsKey) statuses.add(401);
  if (needsKey && scope) statuses.add(403);
  if (needsKey || (hasRateLimit && !isPublic && !isUnlimited)) statuses.add(429);
  if (!isPublic) statuses.add(503);
  if (method === "POST") statuses.add(413).add(415);
  return [...statuses].sort();
}

/** Writes the responses of a document. */
class ResponseWriter {
  readonly #settings: OpenApiSettings;

  constructor(settings: OpenApiSettings) {
    this.#settings = settings;
  }

  /** Returns the headers that responses of the service can have. */
  headers(): HeaderName[] {
    const { hasApiKeys, hasRateLimit } = this.#settings;
    const names: HeaderName[] = ["X-Request-Id", "Retry-After"];
    if (hasApiKeys) names.push("WWW-Authenticate");
    if (hasRateLimit) names.push("RateLimit", "RateLimit-Policy");
    return names;
  }

  problem(status: ProblemStatus): Schema {
    const { description, headers = [], example }: Problem = PROBLEMS[status];
    const [code, detail] = example;
    const body: unknown = JSON.parse(problemJson(status, code, detail));
    return {
      description,
      headers: this.#refs(["X-Request-Id", ...headers]),
      content: { [PROBLEM_CONTENT_TYPE]: { schema: PROBLEM_REF, example: body } },
    };
  }

  ok({
    operation,
    contentType = "application/json",
    otherContentType,
    isPublic,
    isUnlimited,
  }: Route): Schema {
    const { response, examples, responseHeaders = {} } = operation;
    const names: HeaderName[] =
      isPublic || isUnlimited ? ["X-Request-Id"] : ["X-Request-Id", "RateLimit", "RateLimit-Policy"];
    const headers = {
      ...this.#refs(names),
      ...mapValues(responseHeaders, (description) => ({ description, schema: textSchema })),
    };
    const content = { schema: response, examples: mapValues(examples, (value) => ({ value })) };
    const other = otherContentType === undefined ? {} : { [otherContentType]: { schema: textSchema } };
    return { description: "Success.", headers, content: { [contentType]: content, ...other } };
  }

  /** Writes a response of a handler. If a stage before the handler answers the same status, it can be a problem too. */
  other(status: number, { description, schema, example }: OtherResponse, isProblemToo: boolean): Schema {
    const problem = isProblemToo ? { [PROBLEM_CONTENT_TYPE]: { schema: PROBLEM_REF } } : {};
    return {
      description,
      headers: this.#refs(status === 503 ? ["X-Request-Id", "Retry-After"] : ["X-Request-Id"]),
      content: { "application/json": { schema, example }, ...problem },
    };
  }

  #refs(names: readonly HeaderName[]): Schema {
    const known = this.headers();
    const refs = names.filter((name) => known.includes(name));
    return Object.fromEntries(refs.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
  }
}

function mapValues<T, U>(object: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));
}

function writeOperation(route: Route, statuses: readonly ProblemStatus[], responses: ResponseWriter): Schema {
  const { operation, isPublic = false } = route;
  const { id, tag, summary, description, params = [], query = [], headers = [] } = operation;
  const locations = { path: params, query, header: headers };
  const problems = statuses.map((status) => [
    status,
    { $ref: `#/components/responses/${PROBLEMS[status].name}` },
  ]);
  const others = Object.entries(operation.otherResponses ?? {}).map(([text, other]) => {
    const status = Number(text);
    return [status, responses.other(status, other, (statuses as readonly number[]).includes(status))];
  });
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    ...(isPublic && { security: [] }),
    parameters: Object.entries(locations).flatMap(([location, parameters]) =>
      parameters.map((parameter) => ({ in: location, required: location === "path", ...parameter })),
    ),
    responses: {
      200: responses.ok(route),
      ...Object.fromEntries(problems),
      ...Object.fromEntries(others),
      default: { $ref: "#/components/responses/Failure" },
    },
  };
}

/** Writes the OpenAPI document of these routes. */
export function writeOpenApi(routes: readonly Route[], settings: OpenApiSettings): Schema {
  const responses = new ResponseWriter(settings);
  const paths: Record<string, Record<string, Schema>> = {};
  const used = new Set<ProblemStatus>();
  for (const route of routes) {
    const statuses = problemStatuses(route, settings);
    const operation = writeOperation(route, statuses, responses);
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation };
    // A status that a handler answers too is written with the operation.
    for (const status of statuses) if (!route.operation.otherResponses?.[status]) used.add(status);
  }
  const problems = [...used].sort().map((status) => [PROBLEMS[status].name, responses.problem(status)]);
  const headers = responses
    .headers()
    .map((name) => [name, { description: HEADERS[name], schema: textSchema }]);
  return {
    openapi: "3.1.0",
    info: {
      title: "bitflake",
      version: VERSION,
      summary: "IDs over HTTP.",
      description: DESCRIPTION,
      contact: { name: "bitflake", url: REPOSITORY },
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "The service that serves this document." }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: settings.hasApiKeys ? [{ bearer: [] }, { header: [] }] : [],
    paths,
    components: {
      schemas: { Problem: problemSchema },
      responses: { ...Object.fromEntries(problems), Failure: FAILURE },
      headers: Object.fromEntries(headers),
      ...(settings.hasApiKeys && { securitySchemes: SECURITY_SCHEMES }),
    },
  };
}

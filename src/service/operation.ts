// What a route says of itself in the OpenAPI document: its parameters, the schemas of its responses, examples.

/** A JSON Schema, as far as the document uses it. */
export type Schema = Readonly<Record<string, unknown>>;

/** A parameter of the path or the query, or a request header. */
export interface Parameter {
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
  /** Required for a parameter of the path: the pages that send a request fill it in. */
  readonly example?: string | number;
}

/** A response other than 200, and other than a problem document. */
export interface OtherResponse {
  readonly description: string;
  readonly schema: Schema;
  readonly example: unknown;
}

/** The groups of operations, in the order of the document. */
export const TAGS = {
  Generate: "Snowflake IDs, counter values, UUIDs, random strings and timestamps.",
  Inspect: "The fields of an ID, and the capacity of a layout.",
  "Numeric IDs": "Numbers for people, with the paths and envelopes of OpenG2P's ID generator.",
  Operate: "Health, metrics, the state of the service, its pages, and this document.",
} as const;

/** The OpenAPI operation of a route. */
export interface Operation {
  /** The name that clients generated from the document give to the call: unique, in camel case. */
  readonly id: string;
  readonly tag: keyof typeof TAGS;
  /** One line. */
  readonly summary: string;
  readonly description: string;
  /** The path's parameters, in the order of the path. */
  readonly params?: readonly Parameter[];
  /** The query's parameters. Others are refused, unless the route is lenient. Default none. */
  readonly query?: readonly Parameter[];
  /** The request headers that the route reads. */
  readonly headers?: readonly Parameter[];
  /** The schema of the 200 response. */
  readonly response: Schema;
  /** Bodies of the 200 response by name. */
  readonly examples: Readonly<Record<string, unknown>>;
  /** Descriptions of headers of the 200 response by name, besides those of every response. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
  /** Other responses by status. Those of the pipeline, which are problem documents, are not listed. */
  readonly otherResponses?: Readonly<Record<number, OtherResponse>>;
  /** The statuses of problem documents that the handler answers and the pipeline does not. */
  readonly problems?: readonly 422[];
}

export const textSchema: Schema = { type: "string" };

export const numberSchema: Schema = { type: "number" };

export const integerSchema: Schema = { type: "integer" };

/** Returns the schema of an object that has all of these fields and no others. */
export function objectSchema(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}

// What a route says of itself in the OpenAPI document: its parameters and the schemas of its responses.

/** A JSON Schema, as far as the document uses it. */
export type Schema = Readonly<Record<string, unknown>>;

/** A parameter of the query. */
export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly values?: readonly string[];
}

/** The OpenAPI operation of a route. */
export interface Operation {
  readonly summary: string;
  /** Descriptions of the path's parameters by name. */
  readonly params?: Readonly<Record<string, string>>;
  /** The query's parameters. Others are refused, unless the route is lenient. Default none. */
  readonly query?: readonly QueryParameter[];
  /** Descriptions of the request headers that the route reads, by name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The schema of the 200 response. */
  readonly response: Schema;
  /** Other responses by status. Problem documents are not listed: every route can answer one. */
  readonly otherResponses?: Readonly<
    Record<number, { readonly description: string; readonly schema: Schema }>
  >;
}

export const textSchema: Schema = { type: "string" };

export const numberSchema: Schema = { type: "number" };

/** Returns the schema of an object that has all of these fields and no others. */
export function objectSchema(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}

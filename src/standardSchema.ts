// Standard Schema and Standard JSON Schema (https://standardschema.dev): their types, written here so that no dependency is
// needed, and the functions that create the schemas of all entry points.

import { showValue } from "./errors.ts";
import { assertOneOf } from "./validate.ts";

/** A rule that a value breaks. */
export interface SchemaIssue {
  /** The rule, and the value: `id must be a decimal string without leading zeros, from 0 to 9223372036854775807, got "05"`. */
  readonly message: string;
}

/** Result of a schema's `validate`: the value, or the rules that it breaks. `issues` is undefined exactly if it breaks none. */
export type SchemaResult<Output> = SchemaSuccess<Output> | SchemaFailure;

/** Result of a schema's `validate` for a valid value. */
export interface SchemaSuccess<Output> {
  /** The validated value. */
  readonly value: Output;
  /** Always undefined. */
  readonly issues?: undefined;
}

/** Result of a schema's `validate` for a value that breaks a rule. */
export interface SchemaFailure {
  /** The rules that the value breaks, at least one. */
  readonly issues: readonly SchemaIssue[];
}

/**
 * A JSON Schema of a text. Its keywords mean the same in JSON Schema from draft 4 to 2020-12, and in OpenAPI 3.0 and 3.1.
 * It has no `$schema`, so that it can be a part of another one.
 */
export type TextJsonSchema = {
  /** Always `"string"`. */
  type: "string";
  /** A regular expression for the whole text, in the syntax that JavaScript, PCRE, RE2 and Python share. */
  pattern: string;
  /** The least number of characters. */
  minLength: number;
  /** The greatest number of characters. */
  maxLength: number;
  /** The format of a UUID, for tools that generate code. */
  format?: "uuid";
};

/** The options with which a tool converts a schema to JSON Schema. */
export interface JsonSchemaRequest {
  /** The dialect: `"draft-2020-12"`, `"draft-07"`, `"openapi-3.0"` or `"openapi-3.1"`. */
  readonly target: string;
}

/** The conversion of a schema to JSON Schema. */
export interface JsonSchemaConverter {
  /**
   * Returns the JSON Schema of the text that comes in.
   *
   * @throws {@link ArgumentError} for a dialect that is not supported
   */
  readonly input: (request: JsonSchemaRequest) => Record<string, unknown>;
  /**
   * Returns the JSON Schema of the JSON that goes out, which is a text of the same form: a bigint is text in JSON.
   *
   * @throws {@link ArgumentError} for a dialect that is not supported
   */
  readonly output: (request: JsonSchemaRequest) => Record<string, unknown>;
}

/** The types of a schema's input and output. */
export interface SchemaTypes<Input, Output> {
  /** The type of the text. */
  readonly input: Input;
  /** The type of the validated value. */
  readonly output: Output;
}

/** The `~standard` of a schema: version 1 of Standard Schema and of Standard JSON Schema. */
export interface StandardProps<Input, Output> {
  /** The version of the specification. */
  readonly version: 1;
  /** Always `"bitflake"`. */
  readonly vendor: string;
  /** Validates a value from outside. Never throws, and never returns a promise. */
  readonly validate: (value: unknown) => SchemaResult<Output>;
  /** Converts the schema to JSON Schema. */
  readonly jsonSchema: JsonSchemaConverter;
  /** The types of input and output. They are for the compiler: the property does not exist. */
  readonly types?: SchemaTypes<Input, Output> | undefined;
}

/**
 * A schema of a text that contains an ID. Tools that accept Standard Schema or Standard JSON Schema take it as it is.
 *
 * @typeParam Output the type of the validated value
 * @typeParam Input the type of the text, for the callers of an API in TypeScript
 */
export interface TextSchema<Output, Input = string> {
  /** The interface of Standard Schema and Standard JSON Schema. */
  readonly "~standard": StandardProps<Input, Output>;
  /** The JSON Schema of the text, for Fastify, Ajv and OpenAPI: a new object each time. */
  readonly jsonSchema: TextJsonSchema;
}

/** The dialects in which the keywords of {@link TextJsonSchema} mean the same. */
const TARGETS = ["draft-2020-12", "draft-07", "openapi-3.0", "openapi-3.1"];

/** Creates the `~standard` of a schema. */
export function createStandardProps<Output>(
  validate: (value: unknown) => SchemaResult<Output>,
  jsonSchema: () => TextJsonSchema,
): StandardProps<string, Output> {
  const convert = ({ target }: JsonSchemaRequest) => {
    // The specification wants an error for a dialect that is not supported.
    assertOneOf("target", target, TARGETS);
    return jsonSchema();
  };
  return Object.freeze({
    version: 1,
    vendor: "bitflake",
    validate,
    jsonSchema: Object.freeze({ input: convert, output: convert }),
  });
}

/** Returns the result of a value that breaks one rule. Its message reads as that of an ArgumentError. */
export function refuse(field: string, rule: string, value: unknown): SchemaFailure {
  return { issues: [{ message: `${field} must be ${rule}, got ${showValue(value)}` }] };
}

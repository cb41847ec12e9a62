// bitflake/text: text forms that sort as their IDs do, typed prefixes, IDs in JSON, and schemas.

export {
  ArgumentError,
  InvalidIdError,
  type JsonSchemaConverter,
  type JsonSchemaRequest,
  LayoutError,
  type SchemaFailure,
  type SchemaIssue,
  type SchemaResult,
  type SchemaSuccess,
  type SchemaTypes,
  type StandardProps,
  type TextJsonSchema,
  type TextSchema,
} from "../internal.ts";
export { type Base32, base32 } from "./base32.ts";
export type { TextCodec } from "./codec.ts";
export { hex } from "./hex.ts";
export { idSchema } from "./idSchema.ts";
export { readIds, writeIds } from "./json.ts";
export { type PrefixedCodec, type PrefixedId, prefixed } from "./prefixed.ts";
export { base58, base62 } from "./radix.ts";
export { type UuidVersion, uuidSchema } from "./uuidSchema.ts";

// bitflake/text: text forms that sort as their IDs do, typed prefixes, and IDs in JSON.

export { ArgumentError, InvalidIdError } from "../internal.ts";
export { type Base32, base32 } from "./base32.ts";
export type { TextCodec } from "./codec.ts";
export { hex } from "./hex.ts";
export { readIds, writeIds } from "./json.ts";
export { type PrefixedCodec, type PrefixedId, prefixed } from "./prefixed.ts";
export { base58, base62 } from "./radix.ts";

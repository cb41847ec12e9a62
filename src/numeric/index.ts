// Public exports of bitflake/numeric: random numeric IDs for people, with a check digit, each issued once.

export type { AsyncDisposal } from "../asyncDispose.ts";
export type { Backend } from "../backend/ports.ts";
export {
  ArgumentError,
  BackendError,
  CounterBackwardsError,
  CounterExhaustedError,
  IdPoolEmptyError,
  IdPoolExhaustedError,
  IdPoolHistoryError,
  InvalidIdError,
  type JsonSchemaConverter,
  type JsonSchemaRequest,
  NamespaceError,
  NoValidIdError,
  type SchemaFailure,
  type SchemaIssue,
  type SchemaResult,
  type SchemaSuccess,
  type SchemaTypes,
  type StandardProps,
  type TextJsonSchema,
  type TextSchema,
  UnsupportedError,
} from "../internal.ts";
export { defineIdTypes, type IdTypeDefinition } from "./define.ts";
export type { IdCapacity } from "./estimate.ts";
export { PermutedIds, type PermutedIdsOptions } from "./permuted.ts";
export { type IdImport, IdPool } from "./pool.ts";
export type { IdPoolOptions } from "./poolOptions.ts";
export type { IdPoolStatus } from "./poolStatus.ts";
export type { FillProgress } from "./refill.ts";
export type { NumericRules, OwnRules, RuleSet } from "./rules.ts";
export { type NumericIdOptions, NumericIdType, type Validation } from "./type.ts";
export type { BrokenRule, NumericRule } from "./validate.ts";
export { verhoeff } from "./verhoeff.ts";

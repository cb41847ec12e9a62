// bitflake/numeric: numeric IDs for people, random, checked, and issued once.

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
  NamespaceError,
  NoValidIdError,
  UnsupportedError,
} from "../core.ts";
export type { BrokenRule, NumericRule } from "./broken.ts";
export type { IdCapacity } from "./count.ts";
export { defineIdTypes, type IdTypeDefinition } from "./define.ts";
export type { FillProgress } from "./filler.ts";
export { PermutedIds, type PermutedIdsOptions } from "./permuted.ts";
export { type IdImport, IdPool, type IdPoolOptions, type IdPoolStatus } from "./pool.ts";
export type { NumericRules, OwnRules, RuleSet } from "./rules.ts";
export { type NumericIdOptions, NumericIdType, type Validation } from "./type.ts";
export { verhoeff } from "./verhoeff.ts";

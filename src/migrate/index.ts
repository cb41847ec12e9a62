// bitflake/migrate: proves that a migration repeats no ID, and makes IDs for rows that exist already.

export { ArgumentError, InvalidIdError, LayoutError, TickFullError } from "../internal.ts";
export { Backfill, type BackfillOptions } from "./backfill.ts";
export { type BackfillRow, type BackfillRowsOptions, backfill, type OldRow } from "./backfillRows.ts";
export type { NodeEntry } from "./nodes.ts";
export {
  type CollisionVerdict,
  type Migration,
  type OrderedVerdict,
  proveMigration,
  type Remedy,
  type UnorderedVerdict,
  type Verdict,
} from "./prove.ts";
export type { Scheme, SchemeName } from "./schemes.ts";
export type { IssuedId, SchemeSide, SerialSide, UuidSide } from "./side.ts";

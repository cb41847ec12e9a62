// Public exports of bitflake/sql: the same IDs, made by the database.

export { ArgumentError, LayoutError } from "../internal.ts";
export type { SqlDialect, SqlFormat, SqlNode, SqlOptions } from "./options.ts";
export { sqlFunctions } from "./sqlFunctions.ts";
export type { SqlFunctions } from "./texts.ts";

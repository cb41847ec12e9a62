// bitflake/drizzle: columns of IDs for PostgreSQL, MySQL and SQLite.

import { createIdColumn, type Dialect } from "./drizzleColumn.ts";
import type { CustomType, IdColumn, IdColumnOptions, IdColumnValue } from "./drizzleTypes.ts";

export { ArgumentError, InvalidIdError } from "../internal.ts";
export type {
  CustomType,
  IdColumn,
  IdColumnBuilder,
  IdColumnOptions,
  IdColumnValue,
  IdSource,
  IdTextForm,
  IdTypeParams,
} from "./drizzleTypes.ts";
export { parseExactJson } from "./exactJson.ts";

const postgres: Dialect = {
  integer: "bigint",
  text: () => 'text collate "C"',
  decimal: "text",
  // As text, because HTTP drivers send parameters as JSON. PostgreSQL reads it as a number.
  toInteger: String,
  toText: ["", "::text"],
  remedy:
    "do not let the driver parse INT8 as a number; in relational queries of drizzle-orm below 1, set parseExactJson as its parser of JSON",
};

const mysql: Dialect = {
  integer: "bigint",
  text: (width) => `varchar(${width}) character set ascii collate ascii_bin`,
  decimal: "varchar(19) character set ascii collate ascii_bin",
  // MySQL may compare a number with a text as floating-point numbers.
  toInteger: (id) => id,
  toText: ["cast(", " as char)"],
  remedy: "set supportBigNumbers and bigNumberStrings of mysql2; in relational queries that needs Node 21",
};

const sqlite: Dialect = {
  integer: "integer",
  text: () => "text",
  decimal: "text",
  toInteger: (id) => id,
  toText: ["cast(", " as text)"],
  remedy:
    'call defaultSafeIntegers() of better-sqlite3, or set intMode: "bigint" of libSQL; in relational queries of drizzle-orm below 1, store text',
};

/**
 * Creates columns of IDs for PostgreSQL. A value that is no ID is refused in both directions, and so is a number that has
 * lost digits.
 *
 * @param customType `customType` of `drizzle-orm/pg-core`
 * @param options default: bigints in a `BIGINT`
 * @throws {@link ArgumentError} if an option is wrong or unknown
 *
 * @example
 * ```ts drizzle
 * import { makeGenerator } from "bitflake";
 * import { pgId } from "bitflake/drizzle";
 * import { base32, prefixed } from "bitflake/text";
 * import { customType, getTableConfig, pgTable } from "drizzle-orm/pg-core";
 *
 * const ids = makeGenerator("twitter");
 * const orderId = pgId(customType);
 * const userId = pgId(customType, { value: prefixed("user", base32) }); // user_… in the program, a number in the database
 *
 * const users = pgTable("users", { id: userId().primaryKey().$defaultFn(userId.from(ids)) });
 * const orders = pgTable("orders", {
 *   id: orderId().primaryKey().$defaultFn(orderId.from(ids)),
 *   userId: userId("user_id").references(() => users.id),
 * });
 * getTableConfig(orders).columns.map((column) => column.getSQLType()); // => [ 'bigint', 'bigint' ]
 * ```
 */
export function pgId<Builder, Text extends string = never>(
  customType: CustomType<Builder>,
  options: IdColumnOptions<Text> = {},
): IdColumn<Builder, IdColumnValue<Text>> {
  return createIdColumn(postgres, customType, options);
}

/**
 * Creates columns of IDs for MySQL and MariaDB. A value that is no ID is refused in both directions, and so is a number that
 * has lost digits: set `supportBigNumbers` and `bigNumberStrings` of mysql2.
 *
 * @param customType `customType` of `drizzle-orm/mysql-core`
 * @param options default: bigints in a `BIGINT`
 * @throws {@link ArgumentError} if an option is wrong or unknown
 *
 * @example
 * ```ts drizzle
 * import { mysqlId } from "bitflake/drizzle";
 * import { base62 } from "bitflake/text";
 * import { customType, getTableConfig, mysqlTable } from "drizzle-orm/mysql-core";
 *
 * const id = mysqlId(customType, { storage: base62 }); // a bigint in the program, text in the database
 * const users = mysqlTable("users", { id: id().primaryKey() });
 * getTableConfig(users).columns[0]?.getSQLType(); // => 'varchar(11) character set ascii collate ascii_bin'
 * ```
 */
export function mysqlId<Builder, Text extends string = never>(
  customType: CustomType<Builder>,
  options: IdColumnOptions<Text> = {},
): IdColumn<Builder, IdColumnValue<Text>> {
  return createIdColumn(mysql, customType, options);
}

/**
 * Creates columns of IDs for SQLite. A value that is no ID is refused in both directions, and so is a number that has lost
 * digits: call `defaultSafeIntegers()` of better-sqlite3, set `intMode: "bigint"` of libSQL, or store text.
 *
 * @param customType `customType` of `drizzle-orm/sqlite-core`
 * @param options default: bigints in an `INTEGER`
 * @throws {@link ArgumentError} if an option is wrong or unknown
 *
 * @example
 * ```ts drizzle
 * import { sqliteId } from "bitflake/drizzle";
 * import { customType, getTableConfig, sqliteTable } from "drizzle-orm/sqlite-core";
 *
 * const id = sqliteId(customType);
 * const users = sqliteTable("users", { id: id().primaryKey() });
 * getTableConfig(users).columns[0]?.getSQLType(); // => 'integer'
 * ```
 */
export function sqliteId<Builder, Text extends string = never>(
  customType: CustomType<Builder>,
  options: IdColumnOptions<Text> = {},
): IdColumn<Builder, IdColumnValue<Text>> {
  return createIdColumn(sqlite, customType, options);
}

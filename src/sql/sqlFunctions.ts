// sqlFunctions: SQL that makes the IDs of a generator inside the database, decodes them, and finds the IDs of a time.

import { mysqlFunctions } from "./mysql.ts";
import { resolveSqlSettings, type SqlOptions } from "./options.ts";
import { postgresFunctions } from "./postgres.ts";
import { sqliteFunctions } from "./sqlite.ts";
import type { SqlFunctions } from "./texts.ts";

/**
 * Returns SQL for functions that make the same IDs as `SnowflakeGenerator`, with its clock rules, in the database: for
 * rows that other programs insert, for bulk inserts, and as the default of a column. It connects to no database.
 *
 * @param options the database engine, the layout, and the node or the lease namespace to take one from
 * @returns the script, and SQL that uses its functions
 * @throws {@link ArgumentError} if an option is unknown or has a wrong value, or neither `node` nor `name` is given
 * @throws {@link LayoutError} if the widths do not make a layout, or one without nodes to lease
 *
 * @example
 * ```ts
 * import { sqlFunctions } from "bitflake/sql";
 *
 * const sql = sqlFunctions({ dialect: "postgres", preset: "twitter", node: { machineId: 5 } });
 * sql.nextId; // => '"public"."next_id"()'
 * sql.columnDefault("orders"); // => 'ALTER TABLE "public"."orders" ALTER COLUMN "id" SET DEFAULT "public"."next_id"();\n'
 * ```
 */
export function sqlFunctions(options: SqlOptions): SqlFunctions {
  const settings = resolveSqlSettings(options);
  if (settings.dialect === "postgres") return postgresFunctions(settings);
  return settings.dialect === "sqlite" ? sqliteFunctions(settings) : mysqlFunctions(settings);
}

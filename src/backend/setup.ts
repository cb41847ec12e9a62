// setup and setupSql: create the tables of features, and add the columns that tables of earlier versions lack.

import { ArgumentError, assertObject, assertOneOf } from "../internal.ts";
import { callStore, MAX_TIMER_MS } from "./call.ts";
import type { Definition, SqlTarget } from "./definitions.ts";
import { type MysqlDefinition, type MysqlTarget, mysqlDefinitions } from "./mysqlSchema.ts";
import { assertBackend } from "./portSettings.ts";
import { type Backend, isMysqlPort, type MysqlPort, type SqlRow } from "./ports.ts";
import { type Feature, SCHEMA } from "./schema.ts";
import {
  assertUsable,
  metaTable,
  readVersionInCell,
  readVersionSql,
  recordVersion,
  recordVersionInCell,
  recordVersionInMysqlSql,
} from "./schemaVersion.ts";
import { qualifiedTable, tableName } from "./storeNames.ts";

const FEATURES = /* @__PURE__ */ Object.keys(SCHEMA) as Feature[];

/** Asserts that a target is a database that there are tables for. */
function assertTarget(target: SqlTarget | MysqlTarget): void {
  const { dialect, schema } = assertObject("target", target);
  if (
    assertOneOf("dialect", dialect, ["postgres", "sqlite", "mysql"]) !== "postgres" &&
    schema !== undefined
  ) {
    throw new ArgumentError("schema", "left out for SQLite and MySQL", schema);
  }
}

/** Returns the definitions of features, in the order in which they are created. */
function definitionsOf(target: SqlTarget, features: readonly Feature[]): Definition[] {
  assertTarget(target);
  const names = assertFeatures(features);
  return [...metaTable(target), ...names.flatMap((name) => SCHEMA[name](target)), recordVersion(target)];
}

/** Returns the definitions of features in MySQL. */
function mysqlDefinitionsOf(target: MysqlTarget, features: readonly Feature[]): MysqlDefinition[] {
  assertTarget(target);
  return mysqlDefinitions(target, assertFeatures(features).includes("numeric"));
}

function assertFeatures(features: readonly Feature[]): readonly Feature[] {
  // Not any iterable: an iterator would be empty the second time, and a string would be read as letters.
  if (!Array.isArray(features)) throw new ArgumentError("features", "an array", features);
  const names: readonly Feature[] = features;
  return names.map((name) => assertOneOf("feature", name, FEATURES));
}

/** Joins definitions to a script of statements. */
function joinSql(definitions: readonly Pick<Definition, "sql">[]): string {
  return definitions.map(({ sql }) => `${sql};\n`).join("\n");
}

/**
 * Returns the SQL that creates the tables, for migrations. It may be run again. For PostgreSQL it also adds the columns
 * that tables of earlier versions lack. In SQLite such SQL cannot be run again: run {@link setup} on a file of an earlier
 * version.
 *
 * @param target `{ dialect: "postgres" | "sqlite" | "mysql" }`, with `schema` and `prefix` as in the adapter
 * @param features the features that get tables; default all. In MySQL all share one table, and `"numeric"`
 *   adds three
 * @throws {@link ArgumentError} if a name is too long, or the dialect or a feature is unknown
 *
 * @example
 * ```ts
 * import { setupSql } from "bitflake/backend";
 *
 * setupSql({ dialect: "postgres", schema: "ids" }, ["counter"]).split("\n")[0];
 * // => 'CREATE TABLE IF NOT EXISTS "ids"."bitflake_counters" ('
 * ```
 */
export function setupSql(target: SqlTarget | MysqlTarget, features: readonly Feature[] = FEATURES): string {
  if (target?.dialect === "mysql") {
    return joinSql([...mysqlDefinitionsOf(target, features), { sql: recordVersionInMysqlSql(target) }]);
  }
  const isRepeatable = ({ column }: Definition) => target.dialect === "postgres" || column === undefined;
  return joinSql(definitionsOf(target, features).filter(isRepeatable));
}

/** SQL that finds a table or index, in each dialect. */
const FIND = {
  postgres: "SELECT 1 AS found WHERE TO_REGCLASS($1) IS NOT NULL",
  sqlite: "SELECT 1 AS found FROM sqlite_master WHERE name = $1",
};

/** SQL that finds a column. If SQLite has no such table, the table will be created with all its columns. */
const FIND_COLUMN = {
  postgres:
    "SELECT 1 AS found FROM pg_attribute WHERE attrelid = TO_REGCLASS($1) AND attname = $2 AND NOT attisdropped",
  sqlite: `SELECT 1 AS found WHERE NOT EXISTS (SELECT 1 FROM sqlite_master WHERE name = $1)
  OR EXISTS (SELECT 1 FROM PRAGMA_TABLE_INFO($1) WHERE name = $2)`,
};

/** The number of MySQL's error for a table that does not exist. */
const NO_SUCH_TABLE = 1146;

/** Creates the tables of MySQL that are missing, and returns the SQL that was run. */
async function createMysqlTables(backend: MysqlPort, features: readonly Feature[]): Promise<string> {
  const definitions = mysqlDefinitionsOf(backend, features);
  const missing: MysqlDefinition[] = [];
  for (const definition of definitions) {
    // Looked for first, because a program does not need the right to create tables if they all exist.
    await backend.statement(`SELECT 1 FROM ${definition.path} LIMIT 0`).catch((error) => {
      if (error?.errno !== NO_SUCH_TABLE) throw error;
      missing.push(definition);
    });
  }
  // The first table is that of the cells, which has the version: nothing is created in a database of later code.
  const isNew = missing[0] === definitions[0];
  if (!isNew) await readVersionInCell(backend);
  const steps = isNew ? [...missing, { sql: recordVersionInMysqlSql(backend) }] : missing;
  for (const { sql } of steps) await backend.statement(sql);
  return joinSql(steps);
}

/**
 * Creates the tables that features need if they are missing, and adds the columns that tables of an earlier version lack.
 * Run it when you deploy, or at each start: if nothing is missing, it changes nothing and needs no right to create tables.
 * In a store of cells it runs the port's own `setup`, if there is one. Redis and memory need no tables, and nothing is done.
 *
 * It records the version of the schema in the store, and refuses a store that needs a later version of this package. Code of
 * the version before goes on to work beside it, unless the changelog says otherwise.
 *
 * @param backend the store
 * @param features the features that get tables; default all
 * @returns the SQL that was run; empty if none was needed
 * @throws {@link BackendError} if the store is down, refuses, or needs a later version of this package
 * @throws {@link ArgumentError} if a feature is unknown
 *
 * @example
 * ```ts
 * import { memory, setup } from "bitflake/backend";
 *
 * await setup(memory()); // => ''
 * ```
 */
export async function setup(backend: Backend, features: readonly Feature[] = FEATURES): Promise<string> {
  assertBackend(backend);
  assertFeatures(features);
  if ("swap" in backend) {
    const create = async () =>
      isMysqlPort(backend) ? createMysqlTables(backend, features) : ((await backend.setup?.()) ?? "");
    const sql = await callStore(backend, "setup", create, (sql) =>
      typeof sql === "string" ? sql : undefined,
    );
    await recordVersionInCell(backend);
    return sql;
  }
  if (!("query" in backend)) return "";
  const send = (sql: string, params: string[], isSlow = false) =>
    callStore(
      isSlow ? { ...backend, timeoutMs: MAX_TIMER_MS } : backend,
      "setup",
      () => backend.query(sql, params),
      (rows) => rows as readonly unknown[],
    );
  const { dialect } = backend;
  // Looked for first, because a program does not need the right to create tables if they all exist.
  const exists = async ({ name, column, find }: Definition) => {
    const path = dialect === "postgres" ? qualifiedTable(backend, name) : tableName(backend, name);
    const rows = await (column === undefined
      ? send(FIND[dialect], [path])
      : send(FIND_COLUMN[dialect], [path, column]));
    if (rows.length === 0 || find === undefined) return rows.length > 0;
    // If SQLite has no such table, the table will be created complete.
    const hasTable = dialect === "postgres" || (await send(FIND.sqlite, [path])).length > 0;
    return !hasTable || (await send(find, [])).length > 0;
  };
  const [meta] = metaTable(backend) as [Definition];
  if (await exists(meta)) {
    const [record] = (await send(readVersionSql(backend), [])) as readonly SqlRow[];
    if (record) assertUsable({ version: Number(record["version"]), least: Number(record["least"]) });
  }
  const missing: Definition[] = [];
  for (const definition of definitionsOf(backend, features)) {
    if (!(await exists(definition))) missing.push(definition);
  }
  for (const definition of missing) {
    const create = () => send(definition.sql, [], definition.isSlow);
    // IF NOT EXISTS of PostgreSQL is not atomic: of two concurrent statements one fails, and then the table exists.
    await create().catch(async (error) => {
      if (error.reason !== "failed") throw error;
      if (!(await exists(definition))) await create();
    });
  }
  return joinSql(missing);
}

// The tables of all features, and what makes them.

import { ArgumentError, anObject, oneOf } from "../core.ts";
import { ask } from "./ask.ts";
import type { Backend, SqlPort } from "./ports.ts";
import { aBackend, nameOf, pathOf, tableOf } from "./settings.ts";

/** What has tables. */
export type Feature = "lease" | "counter" | "numeric" | "idempotency" | "ratelimit";

/** What `setupSql` writes SQL for. */
export type SqlTarget = Pick<SqlPort, "dialect" | "schema" | "prefix">;

/** Something to make, and the name that it is found by. */
interface Definition {
  readonly name: string;
  /** The column that is added to the table of that name. */
  readonly column?: string;
  readonly sql: string;
}

function table(target: SqlTarget, name: string, ...columns: string[]): Definition {
  const sql = `CREATE TABLE IF NOT EXISTS ${pathOf(target, name)} (\n  ${columns.join(",\n  ")}\n)`;
  return { name, sql };
}

/**
 * Returns the definition of a column that tables made by an earlier version lack. The table's own definition lists the
 * column as well, for new tables.
 *
 * @param what the column's name, type and default
 */
function addedColumn(target: SqlTarget, on: string, what: string): Definition {
  const exists = target.dialect === "postgres" ? "IF NOT EXISTS " : "";
  const sql = `ALTER TABLE ${pathOf(target, on)} ADD COLUMN ${exists}${what}`;
  return { name: on, column: what.split(" ")[0] as string, sql };
}

/** @param what the columns in brackets, and which rows if not all */
function index(target: SqlTarget, on: string, name: string, what: string, kind = "INDEX"): Definition {
  const sql = `CREATE ${kind} IF NOT EXISTS ${tableOf(target, name)} ON ${pathOf(target, on)} ${what}`;
  return { name, sql };
}

/** Columns of later versions than the first. */
const ADDED = {
  namespaces: [
    "history TEXT NOT NULL DEFAULT ''",
    "fence BIGINT NOT NULL DEFAULT 0",
    "longest BIGINT NOT NULL DEFAULT 0",
  ],
  nodes: ["generation BIGINT NOT NULL DEFAULT 0", "nonce TEXT NOT NULL DEFAULT ''"],
};

const DEFINITIONS: Record<Feature, (target: SqlTarget) => Definition[]> = {
  lease: (target) => [
    table(target, "namespaces", "namespace TEXT PRIMARY KEY", "shape TEXT NOT NULL", ...ADDED.namespaces),
    table(
      target,
      "nodes",
      "namespace TEXT NOT NULL",
      "space BIGINT NOT NULL",
      "node BIGINT NOT NULL",
      "owner TEXT",
      "since BIGINT NOT NULL",
      "until BIGINT NOT NULL",
      ...ADDED.nodes,
      "PRIMARY KEY (namespace, node)",
    ),
    ...ADDED.namespaces.map((what) => addedColumn(target, "namespaces", what)),
    ...ADDED.nodes.map((what) => addedColumn(target, "nodes", what)),
    // For the node that has been free for longest, and for the one that an owner has.
    index(target, "nodes", "nodes_until", "(namespace, space, until, node)"),
    index(target, "nodes", "nodes_owner", "(owner)"),
  ],
  counter: (target) => [table(target, "counters", "name TEXT PRIMARY KEY", "last BIGINT NOT NULL")],
  numeric: (target) => [
    table(
      target,
      "id_types",
      "type TEXT PRIMARY KEY",
      "shape TEXT NOT NULL",
      "sweep TEXT NOT NULL",
      "filler TEXT",
      "filling BIGINT NOT NULL",
    ),
    table(
      target,
      "ids",
      "type TEXT NOT NULL",
      "id TEXT NOT NULL",
      "rank BIGINT NOT NULL",
      "taken BIGINT",
      "request TEXT",
      "PRIMARY KEY (type, id)",
    ),
    // For those that are at hand, in the order of their issue, and for the one that a request was given.
    index(target, "ids", "ids_stock", "(type, rank) WHERE taken IS NULL"),
    index(target, "ids", "ids_request", "(type, request) WHERE request IS NOT NULL", "UNIQUE INDEX"),
  ],
  idempotency: (target) => [
    table(
      target,
      "once",
      "name TEXT NOT NULL",
      "key TEXT NOT NULL",
      "fingerprint TEXT NOT NULL",
      "owner TEXT NOT NULL",
      "until BIGINT",
      "value TEXT",
      "ends BIGINT NOT NULL",
      "PRIMARY KEY (name, key)",
    ),
    // For those that have had their time.
    index(target, "once", "once_ends", "(ends)"),
  ],
  ratelimit: (target) => [
    table(
      target,
      "rates",
      "name TEXT NOT NULL",
      "key TEXT NOT NULL",
      "ends BIGINT NOT NULL",
      "PRIMARY KEY (name, key)",
    ),
    index(target, "rates", "rates_ends", "(ends)"),
  ],
};

const FEATURES = /* @__PURE__ */ Object.keys(DEFINITIONS) as Feature[];

function definitions(target: SqlTarget, features: readonly Feature[]): Definition[] {
  const { dialect, schema } = anObject("target", target);
  if (oneOf("dialect", dialect, ["postgres", "sqlite"]) === "sqlite" && schema !== undefined) {
    throw new ArgumentError("schema", "left out for SQLite", schema);
  }
  // An iterator would be empty the second time, and a text is a list of letters.
  if (!Array.isArray(features)) throw new ArgumentError("features", "an array", features);
  const names: readonly Feature[] = features;
  return names.flatMap((name) => DEFINITIONS[oneOf("feature", name, FEATURES)](target));
}

/** One script of statements. */
function scriptOf(made: readonly Definition[]): string {
  return made.map(({ sql }) => `${sql};\n`).join("\n");
}

/**
 * The SQL that makes the tables, for those who run migrations themselves. It may be run again. For PostgreSQL it also
 * adds the columns that tables of earlier versions lack. SQLite has no SQL for that which may be run again: run
 * {@link setup} on a file of an earlier version.
 *
 * @param target `{ dialect: "postgres" | "sqlite" }`, with `schema` and `prefix` as the adapter has them
 * @param features whose tables; default all
 * @throws {@link ArgumentError} if a name is too long, or there is no such dialect or feature
 *
 * @example
 * ```ts
 * import { setupSql } from "bitflake/backend";
 *
 * setupSql({ dialect: "postgres", schema: "ids" }, ["counter"]).split("\n")[0];
 * // => 'CREATE TABLE IF NOT EXISTS "ids"."bitflake_counters" ('
 * ```
 */
export function setupSql(target: SqlTarget, features: readonly Feature[] = FEATURES): string {
  const isNew = ({ column }: Definition) => target.dialect === "postgres" || column === undefined;
  return scriptOf(definitions(target, features).filter(isNew));
}

/** SQL that finds a table or index, in each dialect. */
const FIND = {
  postgres: "SELECT 1 AS found WHERE TO_REGCLASS($1) IS NOT NULL",
  sqlite: "SELECT 1 AS found FROM sqlite_master WHERE name = $1",
};

/** SQL that finds a column. A table that SQLite does not have yet will be made with all of its columns. */
const FIND_COLUMN = {
  postgres:
    "SELECT 1 AS found FROM pg_attribute WHERE attrelid = TO_REGCLASS($1) AND attname = $2 AND NOT attisdropped",
  sqlite: `SELECT 1 AS found WHERE NOT EXISTS (SELECT 1 FROM sqlite_master WHERE name = $1)
  OR EXISTS (SELECT 1 FROM PRAGMA_TABLE_INFO($1) WHERE name = $2)`,
};

/**
 * Makes the tables that the features need, where they are missing, and adds the columns that tables of an earlier
 * version lack. Run it when you deploy, or at each start: what is
 * there already is left alone, and needs no right to make tables. Redis and memory need none, and nothing is done.
 *
 * @param backend the store
 * @param features whose tables; default all
 * @returns the SQL that was run; empty if none was needed
 * @throws {@link BackendError} if the store is down or refuses
 * @throws {@link ArgumentError} if there is no such feature
 *
 * @example
 * ```ts
 * import { memory, setup } from "bitflake/backend";
 *
 * await setup(memory()); // => ''
 * ```
 */
export async function setup(backend: Backend, features: readonly Feature[] = FEATURES): Promise<string> {
  const port = aBackend(backend);
  if (!("query" in port)) {
    definitions({ dialect: "sqlite" }, features); // Refuses a feature that there is not, on any store.
    return "";
  }
  const send = (sql: string, params: string[]) =>
    ask(
      port,
      "setup",
      () => port.query(sql, params),
      (rows) => rows as readonly unknown[],
    );
  const { dialect } = port;
  // Looked for first, for where all is there, the right to make tables is none that a program should need.
  const isThere = async ({ name, column }: Definition) => {
    const found = dialect === "postgres" ? pathOf(port, name) : nameOf(port, name);
    const rows = await (column === undefined
      ? send(FIND[dialect], [found])
      : send(FIND_COLUMN[dialect], [found, column]));
    return rows.length > 0;
  };
  const missing: Definition[] = [];
  for (const definition of definitions(port, features)) {
    if (!(await isThere(definition))) missing.push(definition);
  }
  for (const definition of missing) {
    // PostgreSQL looks before it makes: of two that do so at once, one fails, and finds the table when it looks again.
    await send(definition.sql, []).catch(async (error) => {
      if (error.reason !== "failed") throw error;
      if (!(await isThere(definition))) await send(definition.sql, []);
    });
  }
  return scriptOf(missing);
}

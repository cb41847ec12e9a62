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
  readonly sql: string;
}

function table(target: SqlTarget, name: string, ...columns: string[]): Definition {
  const sql = `CREATE TABLE IF NOT EXISTS ${pathOf(target, name)} (\n  ${columns.join(",\n  ")}\n)`;
  return { name, sql };
}

/** @param what the columns in brackets, and which rows if not all */
function index(target: SqlTarget, on: string, name: string, what: string, kind = "INDEX"): Definition {
  const sql = `CREATE ${kind} IF NOT EXISTS ${tableOf(target, name)} ON ${pathOf(target, on)} ${what}`;
  return { name, sql };
}

const DEFINITIONS: Record<Feature, (target: SqlTarget) => Definition[]> = {
  lease: (target) => [
    table(target, "namespaces", "namespace TEXT PRIMARY KEY", "shape TEXT NOT NULL"),
    table(
      target,
      "nodes",
      "namespace TEXT NOT NULL",
      "space BIGINT NOT NULL",
      "node BIGINT NOT NULL",
      "owner TEXT",
      "since BIGINT NOT NULL",
      "until BIGINT NOT NULL",
      "PRIMARY KEY (namespace, node)",
    ),
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
 * The SQL that makes the tables, for those who run migrations themselves. It may be run again.
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
  return scriptOf(definitions(target, features));
}

/**
 * Makes the tables that the features need, where they are missing. Run it when you deploy, or at each start: what is
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
  const missing: Definition[] = [];
  for (const definition of definitions(port, features)) {
    const { name } = definition;
    // Looked for first, for where all is there, the right to make tables is none that a program should need.
    const [sql, found] =
      port.dialect === "postgres"
        ? ["SELECT 1 AS found WHERE TO_REGCLASS($1) IS NOT NULL", pathOf(port, name)]
        : ["SELECT 1 AS found FROM sqlite_master WHERE name = $1", nameOf(port, name)];
    if ((await send(sql, [found])).length === 0) missing.push(definition);
  }
  for (const { sql } of missing) {
    // PostgreSQL looks before it makes: of two that do so at once, one fails, and finds the table when it looks again.
    await send(sql, []).catch((error) => {
      if (error.reason === "failed") return send(sql, []);
      throw error;
    });
  }
  return scriptOf(missing);
}

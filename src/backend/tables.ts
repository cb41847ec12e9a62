// The tables of all features, and what makes them.

import { ArgumentError, oneOf } from "../core.ts";
import { ask } from "./ask.ts";
import type { Backend, SqlPort } from "./ports.ts";
import { pathOf, tableOf } from "./settings.ts";

/** What has tables. */
export type Feature = "lease" | "counter";

/** What `setupSql` writes SQL for. */
export type SqlTarget = Pick<SqlPort, "dialect" | "schema" | "prefix">;

const DEFINITIONS: Record<Feature, (target: SqlTarget) => string[]> = {
  lease: (target) => [
    `CREATE TABLE IF NOT EXISTS ${pathOf(target, "namespaces")} (
  namespace TEXT PRIMARY KEY,
  shape TEXT NOT NULL
)`,
    `CREATE TABLE IF NOT EXISTS ${pathOf(target, "nodes")} (
  namespace TEXT NOT NULL,
  space BIGINT NOT NULL,
  node BIGINT NOT NULL,
  owner TEXT,
  since BIGINT NOT NULL,
  until BIGINT NOT NULL,
  PRIMARY KEY (namespace, node)
)`,
    // For the node that has been free for longest, and for the one that an owner has.
    `CREATE INDEX IF NOT EXISTS ${tableOf(target, "nodes_until")} ON ${pathOf(target, "nodes")} (namespace, space, until, node)`,
    `CREATE INDEX IF NOT EXISTS ${tableOf(target, "nodes_owner")} ON ${pathOf(target, "nodes")} (owner)`,
  ],
  counter: (target) => [
    `CREATE TABLE IF NOT EXISTS ${pathOf(target, "counters")} (
  name TEXT PRIMARY KEY,
  last BIGINT NOT NULL
)`,
  ],
};

const FEATURES = Object.keys(DEFINITIONS) as Feature[];

/** The statements that make the tables. */
function statements(target: SqlTarget, features: readonly Feature[]): string[] {
  if (oneOf("dialect", target.dialect, ["postgres", "sqlite"]) === "sqlite" && target.schema !== undefined) {
    throw new ArgumentError("schema", "left out for SQLite, where it is the file", target.schema);
  }
  // An iterator would be empty the second time, and a text is a list of letters.
  if (!Array.isArray(features)) throw new ArgumentError("features", "an array", features);
  const names: readonly Feature[] = features;
  return names.flatMap((name) => DEFINITIONS[oneOf("feature", name, FEATURES)](target));
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
  return statements(target, features)
    .map((statement) => `${statement};\n`)
    .join("\n");
}

/**
 * Makes the tables that the features need, where they are missing. Run it when you deploy, or at each start: what is
 * there already is left alone. Redis and memory need no tables, and nothing is done.
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
  if (!("query" in backend)) return "";
  for (const statement of statements(backend, features)) {
    const run = () =>
      ask(
        backend,
        "setup",
        () => backend.query(statement, []),
        () => true,
      );
    // PostgreSQL looks before it makes: of two that do so at once, one fails, and finds the table when it looks again.
    await run().catch((error) => {
      if (error.reason === "failed") return run();
      throw error;
    });
  }
  return setupSql(backend, features);
}

// Adapters for clients of PostgreSQL.

import { resolvePortSettings } from "../portSettings.ts";
import type { PortSettings, SqlPort, SqlRow } from "../ports.ts";
import { makeQueue, retryWhileBusy } from "../retry.ts";
import { LONGEST_NAME, qualifiedTable } from "../storeNames.ts";

/** What a client of `pg` answers, of which the rows are read. */
export interface PgResult {
  /** Objects with a field for each column. */
  rows: unknown[];
}

/** What is asked of a client or pool of `pg`, and of a PGlite. */
export interface PgClient {
  /** Runs a statement with parameters. */
  query(text: string, params: string[]): Promise<PgResult>;
}

/** What is asked of a `postgres` (postgres.js). */
export interface PostgresJsClient {
  /** Runs a statement with parameters. */
  unsafe(text: string, params: string[]): PromiseLike<readonly unknown[]>;
}

/** What an adapter of PostgreSQL takes besides a client. */
export interface PostgresSettings extends PortSettings {
  /** The schema of the tables. Default: whichever the connection's `search_path` finds. */
  readonly schema?: string | undefined;
}

/** Whether statements that ran at once got in each other's way: by default, only where the isolation is stricter. */
function isConflict(error: unknown): boolean {
  const { code } = Object(error) as { code?: unknown };
  return code === "40001" || code === "40P01";
}

/** @param method what the client is asked for */
function postgresPort(
  client: object,
  method: string,
  options: PostgresSettings,
  query: SqlPort["query"],
): SqlPort {
  const settings = resolvePortSettings(client, method, options, "schema");
  const queue = makeQueue(settings.timeoutMs);
  const port: SqlPort = {
    ...settings,
    schema: options.schema,
    dialect: "postgres",
    query: (text, params) => retryWhileBusy(settings.timeoutMs, isConflict, () => query(text, params), queue),
  };
  qualifiedTable(port, LONGEST_NAME); // Refuses a schema or prefix that is too long.
  return port;
}

/**
 * Makes a port from a pool or client of `pg`. Each call is one statement, so a pooler such as PgBouncer may stand
 * between.
 *
 * @param client yours, best a Pool: a Client answers one call after the other, and a connection that it lost is lost
 * @param options `prefix` of the tables, default `"bitflake"`; their `schema`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client is none, or an option is wrong or unknown
 *
 * @example
 * ```ts pg
 * import { fromPg, setup } from "bitflake/backend";
 * import { Pool } from "pg";
 *
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL });
 * pool.on("error", console.error); // or an outage ends the process
 * const backend = fromPg(pool);
 * await setup(backend);
 * await backend.query("SELECT CAST($1 AS TEXT) AS echo", ["hello"]); // => [ { echo: 'hello' } ]
 * await pool.end();
 * ```
 */
export function fromPg(client: PgClient, options: PostgresSettings = {}): SqlPort {
  return postgresPort(
    client,
    "query",
    options,
    async (text, params) => (await client.query(text, [...params])).rows as SqlRow[],
  );
}

/**
 * Makes a port from a `postgres` (postgres.js).
 *
 * @param sql yours
 * @param options `prefix` of the tables, default `"bitflake"`; their `schema`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client is none, or an option is wrong or unknown
 *
 * @example
 * ```ts postgres
 * import { fromPostgresJs, setup } from "bitflake/backend";
 * import postgres from "postgres";
 *
 * const sql = postgres(process.env.DATABASE_URL ?? "postgres://127.0.0.1/app");
 * const backend = fromPostgresJs(sql);
 * await setup(backend);
 * const [row] = await backend.query("SELECT CAST($1 AS TEXT) AS echo", ["hello"]);
 * row.echo; // => 'hello'
 * await sql.end();
 * ```
 */
export function fromPostgresJs(sql: PostgresJsClient, options: PostgresSettings = {}): SqlPort {
  return postgresPort(
    sql,
    "unsafe",
    options,
    async (text, params) => (await sql.unsafe(text, [...params])) as SqlRow[],
  );
}

/**
 * Makes a port from a PGlite, the PostgreSQL that runs within the process.
 *
 * @param db yours
 * @param options `prefix` of the tables, default `"bitflake"`; their `schema`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client is none, or an option is wrong or unknown
 *
 * @example
 * ```ts pglite
 * import { PGlite } from "@electric-sql/pglite";
 * import { fromPGlite, setup } from "bitflake/backend";
 *
 * const db = new PGlite(); // in memory; a path keeps the data
 * const backend = fromPGlite(db);
 * await setup(backend);
 * await backend.query("SELECT CAST($1 AS TEXT) AS echo", ["hello"]); // => [ { echo: 'hello' } ]
 * await db.close();
 * ```
 */
export function fromPGlite(db: PgClient, options: PostgresSettings = {}): SqlPort {
  return fromPg(db, options);
}

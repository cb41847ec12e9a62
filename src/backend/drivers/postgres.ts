// Adapters for PostgreSQL clients: pg, postgres.js and PGlite.

import { resolvePortSettings } from "../portSettings.ts";
import type { PortSettings, SqlPort, SqlRow } from "../ports.ts";
import { makeQueue, retryWhileBusy } from "../retry.ts";
import { LONGEST_NAME, qualifiedTable } from "../storeNames.ts";

/** A result of `pg`. Only its rows are read. */
export interface PgResult {
  /** The rows, as objects with a field per column. */
  rows: unknown[];
}

/** A client or pool of `pg`, or a PGlite: the methods that the adapter calls. */
export interface PgClient {
  /** Runs a statement with parameters. */
  query(text: string, params: string[]): Promise<PgResult>;
}

/** A client of `postgres` (postgres.js): the methods that the adapter calls. */
export interface PostgresJsClient {
  /** Runs a statement with parameters. */
  unsafe(text: string, params: string[]): PromiseLike<readonly unknown[]>;
}

/** Options of the adapters for PostgreSQL. */
export interface PostgresSettings extends PortSettings {
  /** The schema of the tables. Default: the one that the connection's `search_path` finds. */
  readonly schema?: string | undefined;
}

/**
 * Whether a statement failed because of a concurrent one: it could not be serialized, which happens only under stricter
 * isolation than the default, or it was in a deadlock.
 */
function isConflict(error: unknown): boolean {
  const { code } = Object(error) as { code?: unknown };
  return code === "40001" || code === "40P01";
}

/** Whether a statement failed because an earlier one has aborted the transaction that the client is in. */
function isInAborted(error: unknown): boolean {
  return (Object(error) as { code?: unknown }).code === "25P02";
}

/** @param method the method of the client that the adapter calls */
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
    async query(text, params) {
      let conflict: unknown;
      const isBusy = (error: unknown) => {
        if (isConflict(error)) conflict = error;
        return isConflict(error);
      };
      try {
        return await retryWhileBusy(settings.timeoutMs, isBusy, () => query(text, params), queue);
      } catch (error) {
        // In a transaction of the user, a conflict fails every statement after it. The user needs the conflict's code.
        throw conflict !== undefined && isInAborted(error) ? conflict : error;
      }
    },
  };
  qualifiedTable(port, LONGEST_NAME); // Throws if a schema or prefix is too long.
  return port;
}

/**
 * Creates a port from a pool or client of `pg`. Each call is one statement, so a pooler such as PgBouncer may be in
 * between.
 *
 * @param client your client, preferably a Pool: a Client runs one call after the other and does not reconnect
 * @param options `prefix` of the tables, default `"bitflake"`; their `schema`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
 *
 * @example
 * ```ts pg
 * import { fromPg, setup } from "bitflake/backend";
 * import { Pool } from "pg";
 *
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL });
 * pool.on("error", console.error); // otherwise an outage ends the process
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
 * Creates a port from a `postgres` (postgres.js).
 *
 * @param sql your client
 * @param options `prefix` of the tables, default `"bitflake"`; their `schema`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
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
 * Creates a port from a PGlite, a PostgreSQL inside the process.
 *
 * @param db your database
 * @param options `prefix` of the tables, default `"bitflake"`; their `schema`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
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

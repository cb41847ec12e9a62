// PostgreSQL clients with their adapters.

import { fromPGlite, fromPg, fromPostgresJs, type PostgresSettings, type SqlPort } from "bitflake/backend";
import pg from "pg";
import postgres from "postgres";

export interface SqlConnection {
  readonly port: SqlPort;
  close(): Promise<void>;
}

export interface PostgresAdapter {
  readonly name: string;
  /** Connects. An outage does not end the process. */
  open(url: string, settings?: PostgresSettings): Promise<SqlConnection>;
}

/** The clients of a server. */
export const postgresAdapters: readonly PostgresAdapter[] = [
  {
    name: "fromPg with a Pool",
    async open(url, settings) {
      const pool = new pg.Pool({ connectionString: url });
      pool.on("error", () => {});
      return { port: fromPg(pool, settings), close: () => pool.end() };
    },
  },
  {
    name: "fromPg with a Client",
    async open(url, settings) {
      const client = new pg.Client({ connectionString: url });
      client.on("error", () => {});
      await client.connect();
      return { port: fromPg(client, settings), close: () => client.end() };
    },
  },
  {
    name: "fromPostgresJs",
    async open(url, settings) {
      // It logs notices by default, and CREATE TABLE IF NOT EXISTS causes one.
      const sql = postgres(url, { onnotice: () => {}, backoff: () => 0.05 });
      return { port: fromPostgresJs(sql, settings), close: () => sql.end({ timeout: 1 }) };
    },
  },
];

/** PGlite, which has one connection and no address. */
export const pgliteAdapter: PostgresAdapter = {
  name: "fromPGlite",
  async open(_url, settings) {
    // Loaded on demand, because it loads slowly.
    const { PGlite } = await import("@electric-sql/pglite");
    const db = await PGlite.create();
    return { port: fromPGlite(db, settings), close: () => db.close() };
  },
};

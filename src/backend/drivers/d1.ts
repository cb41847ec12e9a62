// Adapter for Cloudflare D1.

import { resolvePortSettings } from "../portSettings.ts";
import type { PortSettings, SqlPort } from "../ports.ts";
import { sqlitePort } from "./sqlitePort.ts";

/** A result of D1. Only its rows are read. */
export interface D1QueryResult {
  /** The rows, as objects with a field per column. */
  results: unknown[];
}

/** A prepared statement of D1: the methods that the adapter calls. */
export interface D1Statement {
  /** Returns the statement with values for its parameters. */
  bind(...values: string[]): D1Statement;
  /** Runs it and returns the rows. */
  all(): Promise<D1QueryResult>;
}

/** A database of Cloudflare D1: the methods that the adapter calls. */
export interface D1Client {
  /** Prepares a statement. */
  prepare(sql: string): D1Statement;
}

/**
 * Creates a port from a database of Cloudflare D1, in a Worker. It has all that SQLite has, pools included.
 *
 * @param db your binding, such as `env.DB`. Not a session of a replicated database: its reads may come from a replica
 * @param options `prefix` of the tables, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the binding or an option is invalid
 *
 * @example
 * ```ts d1
 * import { type D1Client, fromD1, setup } from "bitflake/backend";
 * import { Counter } from "bitflake/counter";
 *
 * export default {
 *   async fetch(_request: Request, env: { DB: D1Client }) {
 *     const backend = fromD1(env.DB);
 *     await setup(backend, ["counter"]); // or run setupSql({ dialect: "sqlite" }) as a migration
 *     const orders = new Counter({ backend, name: "orders" });
 *     return new Response(String(await orders.next()));
 *   },
 * };
 * ```
 */
export function fromD1(db: D1Client, options: PortSettings = {}): SqlPort {
  const settings = resolvePortSettings(db, "prepare", options);
  return sqlitePort(
    settings,
    async (sql, values) =>
      (
        await db
          .prepare(sql)
          .bind(...values)
          .all()
      ).results,
  );
}

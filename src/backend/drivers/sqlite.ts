// Adapter for SQLite: node:sqlite, which Deno and Bun also have, and better-sqlite3.

import { resolvePortSettings } from "../portSettings.ts";
import type { PortSettings, SqlPort } from "../ports.ts";
import { sqlitePort } from "./sqlitePort.ts";

/** A prepared statement: the methods that the adapter calls. */
export interface SqliteStatement {
  /** Runs it and returns the rows. */
  all(...params: string[]): unknown[];
  /** Runs it without rows. */
  run(...params: string[]): unknown;
}

/** A database of `node:sqlite` or `better-sqlite3`: the methods that the adapter calls. */
export interface SqliteDatabase {
  /** Prepares a statement. */
  prepare(sql: string): SqliteStatement;
}

/**
 * Creates a port from a database of `node:sqlite` (`DatabaseSync`) or `better-sqlite3`. Several processes may share a
 * file: while another one writes, the call is retried until `timeoutMs` have passed, and the event loop runs meanwhile.
 * better-sqlite3 blocks it for 5 s unless it is opened with `{ timeout: 0 }`.
 *
 * @param db your database
 * @param options `prefix` of the tables, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
 *
 * @example
 * ```ts sqlite
 * import { DatabaseSync } from "node:sqlite";
 * import { fromSqlite, setup } from "bitflake/backend";
 *
 * const db = new DatabaseSync(":memory:"); // a path keeps the data
 * const backend = fromSqlite(db);
 * await setup(backend);
 * const [row] = await backend.query("SELECT $1 AS echo", ["hello"]);
 * row.echo; // => 'hello'
 * db.close();
 * ```
 */
export function fromSqlite(db: SqliteDatabase, options: PortSettings = {}): SqlPort {
  return sqlitePort(resolvePortSettings(db, "prepare", options), (sql, values) => {
    const statement = db.prepare(sql);
    // better-sqlite3 refuses all() for a statement without rows, which has `reader: false`.
    if ((statement as { reader?: boolean }).reader !== false) return statement.all(...values);
    statement.run(...values);
    return [];
  });
}

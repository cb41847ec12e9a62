// Adapter for SQLite: node:sqlite, which Deno and Bun also have, and better-sqlite3.

import { resolvePortSettings } from "../portSettings.ts";
import type { PortSettings, SqlPort, SqlRow } from "../ports.ts";
import { retryWhileBusy } from "../retry.ts";
import { LONGEST_NAME, qualifiedTable } from "../storeNames.ts";

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

/** Whether another connection has locked the file. */
function isBusy(error: unknown): boolean {
  const { code, errcode } = Object(error) as { code?: unknown; errcode?: unknown };
  // SQLITE_BUSY is a name in better-sqlite3 and a number in node:sqlite. Both may have an extended code.
  return typeof errcode === "number" ? (errcode & 255) === 5 : /^SQLITE_BUSY/.test(String(code));
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
  const settings = resolvePortSettings(db, "prepare", options);
  const port: SqlPort = {
    ...settings,
    dialect: "sqlite",
    async query(text, params) {
      // By position, because the two clients bind `$1` differently.
      const values: string[] = [];
      const sql = text.replace(/"(?:[^"]|"")*"|'(?:[^']|'')*'|\$(\d+)/g, (all, n?: string) => {
        if (n === undefined) return all; // A quoted name or text.
        values.push(params[Number(n) - 1] as string);
        return "?";
      });
      return retryWhileBusy(settings.timeoutMs, isBusy, () => {
        const statement = db.prepare(sql);
        // better-sqlite3 refuses all() for a statement without rows, which has `reader: false`.
        if ((statement as { reader?: boolean }).reader !== false) return statement.all(...values) as SqlRow[];
        statement.run(...values);
        return [];
      });
    },
  };
  qualifiedTable(port, LONGEST_NAME); // Throws if the prefix is too long.
  return port;
}

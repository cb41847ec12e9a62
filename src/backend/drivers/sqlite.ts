// The adapter for SQLite: for node:sqlite, which Deno and Bun have as well, and for better-sqlite3.

import { resolvePortSettings } from "../portSettings.ts";
import type { PortSettings, SqlPort, SqlRow } from "../ports.ts";
import { retryWhileBusy } from "../retry.ts";
import { LONGEST_NAME, qualifiedTable } from "../storeNames.ts";

/** What is asked of a statement. */
export interface SqliteStatement {
  /** Runs it, and returns the rows. */
  all(...params: string[]): unknown[];
  /** Runs it, where there are no rows. */
  run(...params: string[]): unknown;
}

/** What is asked of a database of `node:sqlite` or `better-sqlite3`. */
export interface SqliteDatabase {
  /** Makes a statement. */
  prepare(sql: string): SqliteStatement;
}

/** Whether another connection holds the file: a matter of waiting. */
function isBusy(error: unknown): boolean {
  const { code, errcode } = Object(error) as { code?: unknown; errcode?: unknown };
  // SQLITE_BUSY by name in better-sqlite3, by number in node:sqlite, in both perhaps with a kind of it.
  return typeof errcode === "number" ? (errcode & 255) === 5 : /^SQLITE_BUSY/.test(String(code));
}

/**
 * Makes a port from a database of `node:sqlite` (`DatabaseSync`) or `better-sqlite3`. Several processes may share a
 * file: where another one is writing, the call is tried again until `timeoutMs` have passed, and meanwhile the event
 * loop goes on. better-sqlite3 blocks it for 5 s unless it is opened with `{ timeout: 0 }`.
 *
 * @param db yours
 * @param options `prefix` of the tables, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client is none, or an option is wrong or unknown
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
      // By position: the two clients disagree on how `$1` is bound.
      const values: string[] = [];
      const sql = text.replace(/"(?:[^"]|"")*"|'(?:[^']|'')*'|\$(\d+)/g, (all, n?: string) => {
        if (n === undefined) return all; // A name or a text in quotes.
        values.push(params[Number(n) - 1] as string);
        return "?";
      });
      return retryWhileBusy(settings.timeoutMs, isBusy, () => {
        const statement = db.prepare(sql);
        // better-sqlite3 refuses all() where there is nothing to return, and says so by this.
        if ((statement as { reader?: boolean }).reader !== false) return statement.all(...values) as SqlRow[];
        statement.run(...values);
        return [];
      });
    },
  };
  qualifiedTable(port, LONGEST_NAME); // Refuses a prefix that is too long.
  return port;
}

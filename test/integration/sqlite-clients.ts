// SQLite clients of this Node with their adapters.

import { createRequire } from "node:module";
import { fromSqlite, type PortSettings, type SqlPort } from "bitflake/backend";
import { sqliteHere } from "./sqlite-here.ts";

const require = createRequire(import.meta.url);

export interface SqliteConnection {
  readonly port: SqlPort;
  close(): void;
}

export interface SqliteAdapter {
  readonly name: string;
  /** Opens a file, or `":memory:"`, with no busy timeout. */
  open(file: string, settings?: PortSettings): SqliteConnection;
}

const nodeSqlite: SqliteAdapter = {
  name: "fromSqlite with node:sqlite",
  open(file, settings) {
    const { DatabaseSync } = require("node:sqlite") as typeof import("node:sqlite");
    const db = new DatabaseSync(file);
    return { port: fromSqlite(db, settings), close: () => db.close() };
  },
};

const betterSqlite3: SqliteAdapter = {
  name: "fromSqlite with better-sqlite3",
  open(file, settings) {
    const Database = require("better-sqlite3") as typeof import("better-sqlite3");
    const db = new Database(file, { timeout: 0 });
    return { port: fromSqlite(db, settings), close: () => void db.close() };
  },
};

export const sqliteAdapters: readonly SqliteAdapter[] = [
  ...(sqliteHere.node ? [nodeSqlite] : []),
  ...(sqliteHere.better ? [betterSqlite3] : []),
];

// SQLite in a file, with the runtime's node:sqlite or the package better-sqlite3.

import { fromSqlite, type SqliteDatabase } from "../../backend/index.ts";
import { CommandError } from "../errors.ts";
import { type Io, nodeModule, pathFrom } from "../io.ts";
import { hasPackage, loadFirstPackage } from "../packages.ts";
import type { Connection, ConnectionOptions } from "./connection.ts";

/** A database that can be closed. */
type Database = SqliteDatabase & { close(): unknown };

/** The part of `node:sqlite` that the command line uses. */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => Database;
}

/** The constructor that `better-sqlite3` exports. */
type BetterSqlite3 = new (path: string, options: object) => Database;

/**
 * How long SQLite itself waits for a locked file, in milliseconds. The wait blocks the process, so it is only long enough
 * for another process to finish a write. After that the adapter retries without blocking.
 */
const BUSY_TIMEOUT_MS = 50;

/** Returns the runtime's SQLite, which Node from 22.13 on, Deno and Bun have; `undefined` on other runtimes. */
async function runtimeSqlite(io: Io): Promise<NodeSqlite | undefined> {
  try {
    return (await io.import("node:sqlite")) as NodeSqlite;
  } catch {
    return undefined;
  }
}

/** Returns whether SQLite is available. */
export async function hasSqlite(io: Io): Promise<boolean> {
  return (await runtimeSqlite(io)) !== undefined || (await hasPackage("better-sqlite3", io));
}

/** Creates a missing database file that only the user can read. SQLite gives its other files the same mode. */
async function createPrivateFile(file: string, io: Io): Promise<void> {
  const { closeSync, openSync } = await nodeModule(io, "node:fs");
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch {
    // It exists, or cannot be created: then SQLite reports why.
  }
}

/**
 * Opens a database file.
 *
 * @param path relative to the current folder
 * @param createsMissing whether a missing file is created
 */
export async function openSqlite(
  path: string,
  io: Io,
  { prefix, timeoutMs }: ConnectionOptions,
  createsMissing: boolean,
): Promise<Connection> {
  const isFile = path !== ":memory:";
  const file = isFile ? await pathFrom(io, path) : path;
  if (createsMissing && isFile) await createPrivateFile(file, io);
  if (!createsMissing) {
    const { access } = await nodeModule(io, "node:fs/promises");
    await access(file).catch(() => {
      throw new CommandError("ERR_BACKEND", `sqlite:${path}: the file does not exist`);
    });
  }
  const own = await runtimeSqlite(io);
  let db: Database;
  if (own) db = new own.DatabaseSync(file);
  else {
    const { module } = await loadFirstPackage("sqlite: on this runtime", ["better-sqlite3"], io);
    // No timeout: it would block the process.
    db = new (module as BetterSqlite3)(file, { timeout: 0 });
  }
  const backend = fromSqlite(db, { prefix, timeoutMs });
  try {
    await backend.query(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`, []);
    // Fails if the file is not a database.
    await backend.query("SELECT name FROM sqlite_master LIMIT 1", []);
    if (createsMissing) {
      // WAL: readers and a writer do not block each other. FULL: acknowledged writes survive a power loss.
      await backend.query("PRAGMA journal_mode = WAL", []);
      await backend.query("PRAGMA synchronous = FULL", []);
    }
  } catch (error) {
    db.close();
    throw error;
  }
  return { backend, close: () => db.close() };
}

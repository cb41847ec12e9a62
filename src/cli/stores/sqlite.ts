// SQLite in a file, with the runtime's own node:sqlite or better-sqlite3.

import { fromSqlite, type SqliteDatabase } from "../../backend/index.ts";
import { CommandError } from "../errors.ts";
import { type Io, nodeModule, pathFrom } from "../io.ts";
import { hasPackage, loadFirstPackage } from "../packages.ts";
import type { ConnectionOptions } from "./openStore.ts";
import type { Connection } from "./reconnectingClient.ts";

/** A database that can be closed. */
type Database = SqliteDatabase & { close(): unknown };

/** What is used of `node:sqlite`. */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => Database;
}

/** What is used of `better-sqlite3`. */
type BetterSqlite3 = new (path: string, options: object) => Database;

/**
 * How long SQLite itself waits for a file that is locked, in milliseconds. It blocks everything else meanwhile, so it is
 * short: enough for another process to finish a write. After that the adapter tries again, without blocking.
 */
const BUSY_TIMEOUT_MS = 50;

/** The runtime's own SQLite, if it has one: Node from 22.13 on, Deno and Bun. */
async function runtimeSqlite(io: Io): Promise<NodeSqlite | undefined> {
  try {
    return (await io.import("node:sqlite")) as NodeSqlite;
  } catch {
    return undefined;
  }
}

/** Whether SQLite can be used here. */
export async function hasSqlite(io: Io): Promise<boolean> {
  return (await runtimeSqlite(io)) !== undefined || (await hasPackage("better-sqlite3", io));
}

/** Makes the file of a database where it is missing, for the user alone; SQLite gives the files beside it the same mode. */
async function createPrivateFile(file: string, io: Io): Promise<void> {
  const { closeSync, openSync } = await nodeModule(io, "node:fs");
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch {
    // It is there, or cannot be made: SQLite says why.
  }
}

/**
 * Opens a file.
 *
 * @param path as seen from the folder of the call
 * @param isNew whether a file that is missing is made
 */
export async function openSqlite(
  path: string,
  io: Io,
  { prefix, timeoutMs }: ConnectionOptions,
  isNew: boolean,
): Promise<Connection> {
  const isFile = path !== ":memory:";
  const file = isFile ? await pathFrom(io, path) : path;
  if (isNew && isFile) await createPrivateFile(file, io);
  if (!isNew) {
    const { access } = await nodeModule(io, "node:fs/promises");
    await access(file).catch(() => {
      throw new CommandError("ERR_BACKEND", `sqlite:${path}: there is no such file`);
    });
  }
  const own = await runtimeSqlite(io);
  let db: Database;
  if (own) db = new own.DatabaseSync(file);
  else {
    const { module } = await loadFirstPackage("sqlite: on this runtime", ["better-sqlite3"], io);
    // Without its own waiting, which would keep everything else waiting as well.
    db = new (module as BetterSqlite3)(file, { timeout: 0 });
  }
  const backend = fromSqlite(db, { prefix, timeoutMs });
  try {
    await backend.query(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`, []);
    // Refuses a file that is no database.
    await backend.query("SELECT name FROM sqlite_master LIMIT 1", []);
    if (isNew) {
      // Readers and a writer do not wait for each other; and what was acknowledged outlives a loss of power.
      await backend.query("PRAGMA journal_mode = WAL", []);
      await backend.query("PRAGMA synchronous = FULL", []);
    }
  } catch (error) {
    db.close();
    throw error;
  }
  return { backend, close: () => db.close() };
}

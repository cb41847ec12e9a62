// SQLite in a file, with the runtime's own node:sqlite or better-sqlite3.

import { fromSqlite, type SqliteDatabase } from "../backend/index.ts";
import type { Connection } from "./connect.ts";
import { Failure } from "./failure.ts";
import { loadFirst } from "./packages.ts";
import { nodeModule, pathFrom, type World } from "./world.ts";

/** A database that can be closed. */
type Database = SqliteDatabase & { close(): unknown };

/** What is used of `node:sqlite`. */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => Database;
}

/** What is used of `better-sqlite3`. */
type BetterSqlite3 = new (path: string, options: object) => Database;

/** The runtime's own SQLite, if it has one: Node from 22.13 on, Deno and Bun. */
export async function runtimeSqlite(world: World): Promise<NodeSqlite | undefined> {
  try {
    return (await world.import("node:sqlite")) as NodeSqlite;
  } catch {
    return undefined;
  }
}

/**
 * Opens a file.
 *
 * @param path as seen from the folder of the call
 * @param isNew whether a file that is missing is made
 */
export async function openSqlite(path: string, world: World, isNew: boolean): Promise<Connection> {
  const file = await pathFrom(world, path);
  if (!isNew) {
    const { access } = await nodeModule(world, "node:fs/promises");
    await access(file).catch(() => {
      throw new Failure("ERR_BACKEND", `sqlite:${path}: there is no such file`);
    });
  }
  const own = await runtimeSqlite(world);
  let db: Database;
  if (own) db = new own.DatabaseSync(file);
  else {
    const { module } = await loadFirst("sqlite: on this runtime", ["better-sqlite3"], world);
    // Without its own waiting, which would keep everything else waiting as well.
    db = new (module as BetterSqlite3)(file, { timeout: 0 });
  }
  const backend = fromSqlite(db);
  await backend.query("SELECT name FROM sqlite_master LIMIT 1", []).catch((error) => {
    db.close(); // A file that is no database.
    throw error;
  });
  return { backend, close: () => db.close() };
}

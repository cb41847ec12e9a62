// The SQLite clients of this Node: node:sqlite from 22.13 on, better-sqlite3 13 from 22 on.

import { isBuiltin } from "node:module";

export const sqliteHere = {
  node: isBuiltin("node:sqlite"),
  // By version, so that a client that should load and does not fails the tests. On Node 20 it loads and crashes.
  better: Number(process.versions.node.split(".")[0]) >= 22,
};

// Which clients of SQLite this Node has: node:sqlite from 22.13 on, better-sqlite3 13 from 22 on.

import { isBuiltin } from "node:module";

export const sqliteHere = {
  node: isBuiltin("node:sqlite"),
  // By version, not by trying: where it should load and does not, that is a failure. On Node 20 it loads, and crashes.
  better: Number(process.versions.node.split(".")[0]) >= 22,
};

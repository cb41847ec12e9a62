// Opens the PoolPort of a backend.

import { type Backend, isMysqlPort } from "../backend/ports.ts";
import { ArgumentError } from "../internal.ts";
import { memoryPoolPort } from "./memory.ts";
import { mysqlPoolPort } from "./native/mysql.ts";
import { sqlPoolPort } from "./native/sql.ts";
import type { PoolPort } from "./port.ts";

/**
 * Returns the port of a type's pool.
 *
 * @throws {@link ArgumentError} if the backend is neither SQL nor memory, is a single connection to MySQL, or its `prefix` makes table names too long
 */
export function poolPort(backend: Backend, type: string): PoolPort {
  if ("query" in backend) return sqlPoolPort(backend, type);
  if ("change" in backend) return memoryPoolPort(backend, type);
  if (isMysqlPort(backend)) return mysqlPoolPort(backend, type);
  // A Redis that loses its last write issues an ID again, and cannot detect it. A store of cells has no statement that takes
  // one of many rows.
  const rule = "PostgreSQL, MySQL, SQLite or memory; on any other store, use PermutedIds";
  throw new ArgumentError("backend", rule, backend);
}

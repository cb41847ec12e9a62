// Opens the PoolPort of a backend.

import type { Backend } from "../backend/ports.ts";
import { ArgumentError } from "../internal.ts";
import { memoryPoolPort } from "./memory.ts";
import { sqlPoolPort } from "./native/sql.ts";
import type { PoolPort } from "./port.ts";

/**
 * Returns the port of a type's pool.
 *
 * @throws {@link ArgumentError} if the backend is Redis, or its `prefix` makes table names too long
 */
export function poolPort(backend: Backend, type: string): PoolPort {
  if ("query" in backend) return sqlPoolPort(backend, type);
  if ("change" in backend) return memoryPoolPort(backend, type);
  // A Redis that loses its last write issues an ID again, and cannot detect it.
  throw new ArgumentError("backend", "PostgreSQL, SQLite or memory; with Redis, use PermutedIds", backend);
}

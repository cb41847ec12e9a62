// Names of Redis keys and SQL tables: prefixed, quoted, and within the limits of the store.

import { ArgumentError } from "../internal.ts";
import { assertName } from "./names.ts";
import type { PortSettings, SqlPort } from "./ports.ts";

/** The longest name in bytes that PostgreSQL does not truncate. */
const MAX_NAME = 63;

/** The longest table or index name that follows the prefix. */
export const LONGEST_NAME = "nodes_until";

/** Returns a Redis key. Keys with the same `name` are in the same slot of a Redis Cluster. */
export function redisKey(backend: PortSettings, name: string, part: string): string {
  return `${backend.prefix ?? "bitflake"}:{${name}}:${part}`;
}

/** Returns the name of a table or index with its prefix. */
export function tableName(backend: PortSettings, table: string): string {
  return `${backend.prefix ?? "bitflake"}_${table}`;
}

/** Returns the prefixed name of a table or index, quoted for SQL. */
export function quotedTable(backend: PortSettings, table: string): string {
  return quoted("prefix", tableName(backend, table));
}

/** Returns the prefixed name of a table with its schema, quoted for SQL. */
export function qualifiedTable(backend: Pick<SqlPort, "schema" | "prefix">, table: string): string {
  const name = quotedTable(backend, table);
  return backend.schema === undefined ? name : `${quoted("schema", backend.schema)}.${name}`;
}

/** Quotes a name. Refuses one that PostgreSQL would truncate, because two truncated names can be equal. */
function quoted(field: string, name: string): string {
  if (new TextEncoder().encode(assertName(field, name)).length > MAX_NAME) {
    throw new ArgumentError(field, `short enough for names of ${MAX_NAME} bytes`, name);
  }
  return `"${name.replaceAll('"', '""')}"`;
}

// The history that an SQL store is on: a failover or a restore starts another one, and may have forgotten something.

import { callStore } from "./call.ts";
import type { SqlPort } from "./ports.ts";

/** The cluster and its timeline. Any role may read both; the SQL costs no more than `SELECT 1`. */
const POSTGRES =
  "(SELECT system_identifier || '.' || SUBSTR(PG_WALFILE_NAME(PG_CURRENT_WAL_LSN()), 1, 8) FROM PG_CONTROL_SYSTEM())";

/** SQL for the history of a store that does not tell: always the same. */
const UNKNOWN = "''";

/** Servers that speak PostgreSQL's protocol but lack the functions, or refuse them, as some hosted ones do. */
const UNSUPPORTED = ["42883", "0A000", "42501"];

/** What is known of ports, so that a port is asked once. */
const known = /* @__PURE__ */ new WeakMap<SqlPort, string>();

/**
 * Returns SQL for the history of a store as text, to be read in the statement that relies on it. Where the store does
 * not tell its history, as SQLite, the SQL gives the empty text.
 *
 * @throws {@link BackendError} if the store is down or too slow
 */
export async function historySql(port: SqlPort): Promise<string> {
  if (port.dialect !== "postgres") return UNKNOWN;
  const sql = known.get(port) ?? (await probe(port));
  known.set(port, sql);
  return sql;
}

async function probe(port: SqlPort): Promise<string> {
  try {
    await callStore(
      port,
      "read the timeline",
      () => port.query(`SELECT ${POSTGRES} AS history`, []),
      () => true,
    );
    return POSTGRES;
  } catch (error) {
    const { code } = Object((error as { cause?: unknown }).cause) as { code?: unknown };
    if (UNSUPPORTED.includes(String(code))) return UNKNOWN;
    throw error;
  }
}

// History of an SQL store: a failover or a restore starts a new one, and may have lost writes.

import { callStore } from "./call.ts";
import type { SqlPort } from "./ports.ts";

/** The cluster and its timeline. Any role may read both; the SQL costs no more than `SELECT 1`. */
const POSTGRES =
  "(SELECT system_identifier || '.' || SUBSTR(PG_WALFILE_NAME(PG_CURRENT_WAL_LSN()), 1, 8) FROM PG_CONTROL_SYSTEM())";

/** SQL for the history of a store that reports none. */
const UNKNOWN = "''";

/** Error codes of servers that lack the functions or refuse them, as some hosted ones do. */
const UNSUPPORTED = ["42883", "0A000", "42501"];

/** The SQL of each port, so that a port is probed once. */
const known = /* @__PURE__ */ new WeakMap<SqlPort, string>();

/**
 * Returns SQL for the history of a store as text, to be read in the statement that relies on it. For a store that reports
 * no history, such as SQLite, the SQL returns the empty text.
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

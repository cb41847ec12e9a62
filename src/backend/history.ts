// History of an SQL store: a failover, or a restore to another server or timeline, starts a new one, with another ID, and
// may have lost writes. A restore in place keeps the ID, and is not detected.

import { type CallOptions, callStore } from "./call.ts";
import type { MysqlPort, MysqlResult, SqlPort } from "./ports.ts";

/** The cluster and its timeline. Any role may read both; the SQL costs no more than `SELECT 1`. */
const POSTGRES =
  "(SELECT system_identifier || '.' || SUBSTR(PG_WALFILE_NAME(PG_CURRENT_WAL_LSN()), 1, 8) FROM PG_CONTROL_SYSTEM())";

/** SQL for the history ID of a store that reports none. */
const UNKNOWN = "''";

/** Error codes of servers that lack the functions or refuse them, as some hosted ones do. */
const UNSUPPORTED = ["42883", "0A000", "42501"];

/** The SQL of each backend, so that a backend is probed once. */
const known = /* @__PURE__ */ new WeakMap<SqlPort, string>();

/**
 * Returns SQL for the history ID of a store, to be read in the statement that relies on it. For a store that reports none,
 * such as SQLite, the SQL returns the empty string.
 *
 * @param options the limits of the probe, which the first call for a backend sends
 * @throws {@link BackendError} if the store is down or too slow
 */
export async function historyIdSql(backend: SqlPort, options?: CallOptions): Promise<string> {
  if (backend.dialect !== "postgres") return UNKNOWN;
  const sql = known.get(backend) ?? (await probe(backend, options));
  known.set(backend, sql);
  return sql;
}

async function probe(backend: SqlPort, options?: CallOptions): Promise<string> {
  try {
    const send = () => backend.query(`SELECT ${POSTGRES} AS history`, []);
    await callStore(backend, "read the timeline", send, () => true, options);
    return POSTGRES;
  } catch (error) {
    const { code } = Object((error as { cause?: unknown }).cause) as { code?: unknown };
    if (UNSUPPORTED.includes(String(code))) return UNKNOWN;
    throw error;
  }
}

/** The SQL of each backend, so that a backend is probed once. */
const knownMysql = /* @__PURE__ */ new WeakMap<MysqlPort, string>();

/**
 * Returns SQL for the history ID of MySQL or MariaDB: the server that answers. Each server of a replication has another
 * one. MySQL gives each data directory a UUID; MariaDB has the `server_id` of its configuration.
 *
 * @throws {@link BackendError} if the store is down or too slow
 */
export async function mysqlHistoryIdSql(backend: MysqlPort): Promise<string> {
  let sql = knownMysql.get(backend);
  if (sql === undefined) {
    const find = () => backend.statement("SHOW GLOBAL VARIABLES LIKE 'server_uuid'");
    const name = await callStore(backend, "read the server's ID", find, (result) =>
      (result as MysqlResult).rows.length > 0 ? "server_uuid" : "server_id",
    );
    // The session's own server_id keeps its value when the server's changes.
    sql = `CAST(@@GLOBAL.${name} AS BINARY)`;
    knownMysql.set(backend, sql);
  }
  return sql;
}

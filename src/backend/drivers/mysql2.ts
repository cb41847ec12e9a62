// Adapter for MySQL and MariaDB: mysql2.

import { freshToken } from "../../internal.ts";
import { makeCleaner } from "../expiry.ts";
import { mysqlLiteral as literal, mysqlTable, MYSQL_NOW_MS as NOW } from "../mysqlSql.ts";
import { resolvePortSettings } from "../portSettings.ts";
import type { Cell, MysqlPort, MysqlResult, MysqlStatement, PortSettings } from "../ports.ts";
import { makeQueue, retryWhileBusy } from "../retry.ts";

/** A connection of a pool of `mysql2/promise`: the methods that the adapter calls. */
export interface Mysql2Connection {
  /** Runs a statement, as that of the pool. */
  query: Mysql2Pool["query"];
  /** Returns the connection to the pool. */
  release(): void;
  /** Closes the connection. */
  destroy(): void;
}

/** A pool of `mysql2/promise`: the methods that the adapter calls. */
export interface Mysql2Pool {
  /** Runs a statement, and resolves to its result and its columns. The options are those of a query that the pool may change. */
  query(options: {
    sql: string;
    rowsAsArray: boolean;
    nestTables: boolean;
    typeCast: boolean;
  }): Promise<[unknown, unknown]>;
  /** Not called. Clients of other databases have none, and a pool without promises has another one. */
  execute(sql: string): Promise<unknown>;
  /** Resolves to a connection for a transaction. A single connection lacks it, and pools of numeric IDs refuse that. */
  getConnection?(): Promise<Mysql2Connection>;
}

/**
 * A deadlock, a lock that another transaction held for too long, a conflict of Galera's nodes, or a row that has changed
 * since a snapshot. The statement did nothing.
 */
function isConflict(error: unknown): boolean {
  const { errno } = Object(error) as { errno?: unknown };
  return errno === 1213 || errno === 1205 || errno === 1020;
}

/** Runs a statement, whatever options of queries the pool has, and returns its result. */
async function query(client: Pick<Mysql2Pool, "query">, sql: string): Promise<unknown> {
  return (await client.query({ sql, rowsAsArray: false, nestTables: false, typeCast: true }))[0];
}

/** Reads a column of bytes. */
function textOf(bytes: unknown): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes as Uint8Array);
}

/**
 * Creates a port from a pool of `mysql2/promise`, for MariaDB 10.6 or later and MySQL 8 or later. {@link setup} creates its
 * tables. Each call is one statement of plain text, so a proxy may be in between; it must send all of them to the primary.
 * Only pools of numeric IDs also use transactions.
 *
 * @param pool your pool. A single connection that is within a transaction of yours would take writes back with it
 * @param options `prefix` of the tables, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the pool or an option is invalid
 *
 * @example
 * ```ts mysql2
 * import { fromMysql2, setup } from "bitflake/backend";
 * import { Counter } from "bitflake/counter";
 * import { createPool } from "mysql2/promise";
 *
 * const pool = createPool(process.env.MYSQL_URL ?? "mysql://root@127.0.0.1/app");
 * const backend = fromMysql2(pool);
 * await setup(backend);
 * const orders = new Counter({ backend, name: "orders" });
 * typeof (await orders.next()); // => 'bigint'
 * await pool.end();
 * ```
 */
export function fromMysql2(pool: Mysql2Pool, options: PortSettings = {}): MysqlPort {
  const settings = resolvePortSettings(pool, "execute", options);
  const { prefix, timeoutMs } = settings;
  const table = mysqlTable(prefix, "cells");
  const queue = makeQueue(timeoutMs);
  const retry = <T>(attempt: () => Promise<T>) => retryWhileBusy(timeoutMs, isConflict, attempt, queue);
  const send = (sql: string) => retry(() => query(pool, sql));
  let autocommit: Promise<void> | undefined;
  /** Asserts, once, that a statement commits by itself. Otherwise each write would be lost with its connection. */
  const assertAutocommit = (): Promise<void> => {
    autocommit ??= (async () => {
      try {
        const rows = (await send("SELECT @@autocommit AS autocommit")) as readonly { autocommit: unknown }[];
        if (Number(rows[0]?.autocommit) === 0)
          throw new Error("autocommit is off, so writes would be lost: use a pool with autocommit on");
      } catch (error) {
        autocommit = undefined;
        throw error;
      }
    })();
    return autocommit;
  };
  const port: MysqlPort = {
    ...settings,
    dialect: "mysql",

    async read(key) {
      // The join returns the time also if there is no row.
      const sql = `SELECT CAST(cells.value AS BINARY) AS value, cells.version, clock.now
FROM (SELECT ${NOW} AS now) AS clock
LEFT JOIN ${table} AS cells ON cells.k = ${literal(key)} AND (cells.ends IS NULL OR cells.ends > clock.now)`;
      const [row] = (await send(sql)) as readonly CellRow[];
      return cellOf(row as CellRow);
    },

    async swap(key, version, value, keepMs) {
      await assertAutocommit();
      clean();
      const token = freshToken();
      // The time reaches the client as the ID of the insert, which is 1 if another value is there, so that no second
      // statement is needed.
      const kept = keepMs === undefined ? "NULL" : `${NOW} + ${Math.min(Math.ceil(keepMs), 2 ** 52)}`;
      const ends = `IF(LAST_INSERT_ID(${NOW}) > 0, ${kept}, NULL)`;
      const isEnded = `ends <= ${NOW}`;
      // The columns are assigned in this order, so `ends` is the last one.
      const sql =
        version === ""
          ? `INSERT INTO ${table} (k, value, version, ends) VALUES (${literal(key)}, ${literal(value)}, '${token}', ${ends})
ON DUPLICATE KEY UPDATE value = IF(${isEnded}, VALUES(value), value), version = IF(${isEnded}, VALUES(version), version),
  ends = IF(${isEnded}, VALUES(ends), IF(LAST_INSERT_ID(1) > 0, ends, ends))`
          : `UPDATE ${table} SET value = ${literal(value)}, version = '${token}', ends = ${ends}
WHERE k = ${literal(key)} AND version = ${literal(version)} AND (ends IS NULL OR ends > ${NOW})`;
      const { affectedRows, insertId } = (await send(sql)) as Written;
      const nowMs = Number(insertId);
      if (affectedRows > 0 && nowMs > 1) return { swapped: true, value, version: token, nowMs };
      const cell = await port.read(key);
      // A proxy may have removed the ID: the token tells whose value it is.
      return { ...cell, swapped: cell.version === token };
    },

    async list(prefix) {
      // No byte of a text is 0xFF.
      const sql = `SELECT k, CAST(value AS BINARY) AS value, version, ${NOW} AS now FROM ${table}
WHERE k >= ${literal(prefix)} AND k < CONCAT(${literal(prefix)}, X'FF') AND (ends IS NULL OR ends > ${NOW})`;
      const rows = (await send(sql)) as readonly (CellRow & { readonly k: unknown })[];
      return rows.map((row) => ({ key: textOf(row.k), ...cellOf(row) }));
    },

    async statement(sql) {
      await assertAutocommit();
      return resultOf(await send(sql));
    },
  };
  const clean = makeCleaner(port, "cells: clean", (rows) =>
    send(`DELETE FROM ${table} WHERE ends <= ${NOW} ORDER BY ends LIMIT ${rows}`),
  );
  if (typeof pool.getConnection !== "function") return port;
  return {
    ...port,
    transaction: (body) =>
      retry(async () => runTransaction(await (pool as Required<Mysql2Pool>).getConnection(), body)),
  };
}

/** Runs a transaction on a connection, and returns the connection to its pool. */
async function runTransaction<T>(
  connection: Mysql2Connection,
  body: (statement: MysqlStatement) => Promise<T>,
): Promise<T> {
  const statement = async (sql: string) => resultOf(await query(connection, sql));
  try {
    // Stricter levels also lock the gaps between rows, which leads to deadlocks.
    await statement("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
    await statement("START TRANSACTION");
    const result = await body(statement);
    await statement("COMMIT");
    connection.release();
    return result;
  } catch (error) {
    await statement("ROLLBACK").then(
      () => connection.release(),
      // The server rolls back when the connection ends.
      () => connection.destroy(),
    );
    throw error;
  }
}

/** A row of the table. */
interface CellRow {
  readonly value: unknown;
  readonly version: unknown;
  readonly now: unknown;
}

/** The result of a statement that writes. */
interface Written {
  readonly affectedRows: number;
  readonly insertId: unknown;
}

function cellOf({ value, version, now }: CellRow): Cell {
  const isThere = version !== null;
  return {
    value: isThere ? textOf(value) : undefined,
    version: isThere ? textOf(version) : "",
    nowMs: Number(now),
  };
}

/** Returns the result of a statement, which is an array of rows or an object with counts. */
function resultOf(result: unknown): MysqlResult {
  if (!Array.isArray(result)) return { rows: [], affectedRows: (result as Written).affectedRows };
  const asText = (value: unknown) =>
    value === null ? null : value instanceof Uint8Array ? textOf(value) : String(value);
  const rows = result.map((row: object) =>
    Object.fromEntries(Object.entries(row).map(([column, value]) => [column, asText(value)])),
  );
  return { rows, affectedRows: 0 };
}

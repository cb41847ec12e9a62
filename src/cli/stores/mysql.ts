// MySQL and MariaDB, with the package mysql2.

import { fromMysql2, type Mysql2Pool } from "../../backend/index.ts";
import type { Io } from "../io.ts";
import { loadFirstPackage } from "../packages.ts";
import { type Connection, type ConnectionOptions, waitUntilConnected, withTimeout } from "./connection.ts";
import { reconnectingClient } from "./reconnectingClient.ts";

/** A connection of a pool. */
interface PoolConnection {
  once(event: "end" | "error", listener: () => void): unknown;
  destroy(): void;
}

/** The part of `mysql2` that the command line uses. */
interface Mysql2 {
  createPool(options: object): {
    on(event: "connection", listener: (connection: PoolConnection) => void): unknown;
    promise(): Required<Mysql2Pool> & { end(): Promise<void> };
  };
}

/** How long running statements may take when a client is closed, in milliseconds. Then their connections are cut. */
const END_TIMEOUT_MS = 1000;

/** Connects to a MySQL or MariaDB. */
export async function openMysql(url: string, io: Io, options: ConnectionOptions): Promise<Connection> {
  const { prefix, timeoutMs, poolSize } = options;
  const { module } = await loadFirstPackage("mysql://", ["mysql2"], io);
  const { createPool } = module as Mysql2;
  const { use, close } = reconnectingClient(timeoutMs, () => {
    const pool = createPool({ uri: url, connectionLimit: poolSize, connectTimeout: timeoutMs });
    const connections = new Set<PoolConnection>();
    pool.on("connection", (connection) => {
      connections.add(connection);
      const forget = () => connections.delete(connection);
      connection.once("end", forget);
      connection.once("error", forget);
    });
    const client = pool.promise();
    return {
      client,
      ready: Promise.resolve(),
      async close() {
        // The pool waits for the answers to its statements, which a silent connection never gets.
        await withTimeout(END_TIMEOUT_MS, client.end()).catch(() => {});
        for (const connection of connections) connection.destroy();
      },
    };
  });
  const pool: Mysql2Pool = {
    query: (statement) => use((client) => client.query(statement)),
    execute: (sql) => use((client) => client.execute(sql)),
    getConnection: () => use((client) => client.getConnection()),
  };
  const backend = fromMysql2(pool, { prefix, timeoutMs });
  // Not a read of a cell: the table may not be there yet.
  const connecting = pool.query({ sql: "SELECT 1", rowsAsArray: false, nestTables: false, typeCast: true });
  return waitUntilConnected(timeoutMs, connecting, { backend, close });
}

// MySQL clients with their adapters.

import { fromMysql2, type MysqlPort, type PortSettings } from "bitflake/backend";
import { createPool } from "mysql2/promise";

export interface MysqlConnection {
  readonly port: MysqlPort;
  /** Runs a statement of the test's own. */
  run(sql: string): Promise<unknown>;
  close(): Promise<void>;
}

export interface MysqlAdapter {
  readonly name: string;
  open(url: string, settings?: PortSettings): Promise<MysqlConnection>;
}

/** @param flags capabilities of the connection, by which MySQL counts rows in another way */
function mysql2(name: string, flags: string[]): MysqlAdapter {
  return {
    name,
    async open(url, settings) {
      const pool = createPool({ uri: url, flags });
      return {
        port: fromMysql2(pool, settings),
        run: async (sql) => (await pool.query(sql))[0],
        close: () => pool.end(),
      };
    },
  };
}

export const mysqlAdapters: readonly MysqlAdapter[] = [
  mysql2("fromMysql2", []),
  mysql2("fromMysql2 without FOUND_ROWS", ["-FOUND_ROWS"]),
];

// Schema in MySQL and MariaDB: a table of cells for all features, and the tables of pools of numeric IDs.

import { mysqlTable } from "./mysqlSql.ts";

/** The database that `setupSql` writes SQL for, if it is MySQL or MariaDB. */
export interface MysqlTarget {
  /** The SQL dialect. */
  readonly dialect: "mysql";
  /** MySQL has none: the tables are in the connection's database. */
  readonly schema?: undefined;
  /** The prefix of the tables. Default `"bitflake"`. */
  readonly prefix?: string | undefined;
}

/** SQL that creates a table. */
export interface MysqlDefinition {
  /** The quoted name of the table. */
  readonly path: string;
  readonly sql: string;
}

/** Names and request keys are bytes, because each collation of text takes some different texts as equal. */
const TYPE = "type VARBINARY(400) NOT NULL";

/** Text of digits and tokens. */
const ASCII = "CHARACTER SET ascii COLLATE ascii_bin";

/** The columns and keys of the table of cells. A key is at most 2,640 bytes, and an index of InnoDB takes 3,072. */
const cells = () => ({
  cells: [
    "k VARBINARY(3072) NOT NULL PRIMARY KEY",
    "value LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL",
    "version VARBINARY(32) NOT NULL",
    "ends BIGINT",
    "KEY ends (ends)",
  ],
});

/** Those of the tables of pools. The comment of numeric/native/mysqlStatements.ts explains the columns. */
const pools = () => ({
  id_types: [
    `${TYPE} PRIMARY KEY`,
    "shape LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL",
    "history VARBINARY(255) NOT NULL",
    `scan VARCHAR(255) ${ASCII} NOT NULL`,
    `refiller VARCHAR(255) ${ASCII}`,
    "claimed_until BIGINT NOT NULL",
    "writes BIGINT NOT NULL",
  ],
  ids: [
    TYPE,
    `id VARCHAR(32) ${ASCII} NOT NULL`,
    "`rank` BIGINT",
    "taken BIGINT",
    "request VARBINARY(1020)",
    // The ID first, so that the optimizer has no way to find IDs but one by one. By the type it would read and lock all.
    "PRIMARY KEY (id, type)",
    // Finds the available IDs by rank, and the ID of a request.
    "KEY available (type, `rank`)",
    "UNIQUE KEY request (type, request)",
  ],
  id_counts: [TYPE, "part SMALLINT NOT NULL", "taken BIGINT NOT NULL", "PRIMARY KEY (type, part)"],
});

/**
 * Returns the definitions of the tables.
 *
 * @param hasPools whether those of pools are among them
 */
export function mysqlDefinitions({ prefix = "bitflake" }: MysqlTarget, hasPools: boolean): MysqlDefinition[] {
  return Object.entries({ ...cells(), ...(hasPools ? pools() : {}) }).map(([name, lines]) => {
    const path = mysqlTable(prefix, name);
    const columns = lines.map((line) => `  ${line}`).join(",\n");
    return {
      path,
      sql: `CREATE TABLE IF NOT EXISTS ${path} (\n${columns}\n) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`,
    };
  });
}

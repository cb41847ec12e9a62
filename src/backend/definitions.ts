// Definitions of tables, columns and indexes as SQL.

import type { SqlPort } from "./ports.ts";
import { qualifiedTable, quotedTable } from "./storeNames.ts";

/** The database that `setupSql` writes SQL for. */
export type SqlTarget = Pick<SqlPort, "dialect" | "schema" | "prefix">;

/** SQL that creates something, and how to find whether it exists. */
export interface Definition {
  /** The table, index or trigger. */
  readonly name: string;
  /** The column of that table, if the SQL adds or fills a column. */
  readonly column?: string;
  readonly sql: string;
  /** SQL that returns a row if nothing is left to do although the column exists. */
  readonly find?: string;
  /** Whether it may take longer than the store's timeout. */
  readonly isSlow?: boolean;
}

/** The columns of a table. */
export interface TableColumns {
  readonly columns: readonly string[];
  /** Columns that tables of an earlier version lack. New tables get them too. */
  readonly added?: readonly string[];
  readonly primaryKey?: string;
}

/** Returns the definitions of a table and of its added columns. */
export function table(
  target: SqlTarget,
  name: string,
  { columns, added = [], primaryKey }: TableColumns,
): Definition[] {
  const lines = [...columns, ...added];
  if (primaryKey !== undefined) lines.push(`PRIMARY KEY (${primaryKey})`);
  const path = qualifiedTable(target, name);
  const ifNotExists = target.dialect === "postgres" ? "IF NOT EXISTS " : "";
  return [
    { name, sql: `CREATE TABLE IF NOT EXISTS ${path} (\n  ${lines.join(",\n  ")}\n)` },
    ...added.map((definition) => ({
      name,
      column: definition.split(" ")[0] as string,
      sql: `ALTER TABLE ${path} ADD COLUMN ${ifNotExists}${definition}`,
    })),
  ];
}

/**
 * Returns the definition of an index.
 *
 * @param what the columns in brackets, and a condition if it covers only some rows
 */
export function index(target: SqlTarget, on: string, name: string, what: string, kind = "INDEX"): Definition {
  const sql = `CREATE ${kind} IF NOT EXISTS ${quotedTable(target, name)} ON ${qualifiedTable(target, on)} ${what}`;
  return { name, sql };
}

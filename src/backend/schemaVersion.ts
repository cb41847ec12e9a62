// Version of the schema: of the tables that features have in a store, or of the values of its cells.
//
// To change it so that the code before can still use the store, as a column with a default does, raise VERSION alone. Otherwise
// raise LEAST to it as well: `setup` of the code before then refuses the store. Deploy such a change in two steps, first code
// that can use both.

import { BackendError } from "../internal.ts";
import { Cells, cellKey } from "./cells.ts";
import { type Definition, type SqlTarget, table } from "./definitions.ts";
import type { MysqlTarget } from "./mysqlSchema.ts";
import { mysqlLiteral, mysqlTable } from "./mysqlSql.ts";
import type { CellPort } from "./ports.ts";
import { qualifiedTable } from "./storeNames.ts";

/** The version of this code. Version 1 is that of stores without a record of their version. */
export const VERSION = 2;

/** The earliest version of code that can use a store of this version. */
const LEAST = 1;

/** The record of a store. */
export interface SchemaRecord {
  readonly version: number;
  /** The earliest version of code that can use the store. */
  readonly least: number;
}

/**
 * Asserts that this code can use a store.
 *
 * @throws {@link BackendError} if the store needs later code
 */
export function assertUsable({ version, least }: SchemaRecord, operation = "setup"): void {
  if (least <= VERSION) return;
  throw new BackendError(
    operation,
    "schema",
    `the store has version ${version} of the schema, which needs code of version ${least} or later, and this code has ` +
      `version ${VERSION}: update bitflake`,
  );
}

/** Returns the definition of the table of the record. */
export function metaTable(target: SqlTarget): Definition[] {
  return table(target, "meta", {
    columns: ["name TEXT PRIMARY KEY", "version BIGINT NOT NULL", "least BIGINT NOT NULL"],
  });
}

/** Returns the definition that records this version, unless a later one is recorded. */
export function recordVersion(target: SqlTarget): Definition {
  const meta = qualifiedTable(target, "meta");
  return {
    name: "meta",
    find: `SELECT 1 AS found FROM ${meta} WHERE name = 'schema' AND version >= ${VERSION}`,
    sql: `INSERT INTO ${meta} AS meta (name, version, least) VALUES ('schema', ${VERSION}, ${LEAST})
ON CONFLICT (name) DO UPDATE SET version = EXCLUDED.version, least = EXCLUDED.least WHERE meta.version < EXCLUDED.version`,
  };
}

/** Returns SQL that reads the record. */
export function readVersionSql(target: SqlTarget): string {
  return `SELECT CAST(version AS TEXT) AS version, CAST(least AS TEXT) AS least FROM ${qualifiedTable(target, "meta")} WHERE name = 'schema'`;
}

/** Returns SQL that records this version in the cells of MySQL, unless a later one is recorded. */
export function recordVersionInMysqlSql({ prefix = "bitflake" }: MysqlTarget): string {
  const [key, value] = [recordKey({ prefix }), OWN_RECORD].map(mysqlLiteral);
  const isEarlier = `JSON_EXTRACT(value, '$.version') < ${VERSION}`;
  // The columns are assigned in this order, so `value`, which the condition reads, is the last one.
  return `INSERT INTO ${mysqlTable(prefix, "cells")} (k, value, version) VALUES (${key}, ${value}, 'setup-${VERSION}')
ON DUPLICATE KEY UPDATE version = IF(${isEarlier}, VALUES(version), version), value = IF(${isEarlier}, VALUES(value), value)`;
}

/**
 * Reads the record of a store of cells. Resolves to `undefined` if there is none.
 *
 * @throws {@link BackendError} if the store needs later code, or fails
 */
export async function readVersionInCell(port: CellPort): Promise<SchemaRecord | undefined> {
  const recorded = await new Cells(port).step("setup", recordKey(port), (value) => ({
    result: parseRecord(value) ?? null,
  }));
  if (recorded) assertUsable(recorded);
  return recorded ?? undefined;
}

/**
 * Records this version in a store of cells, unless a later one is recorded, or the store refuses to keep it, as one does that
 * deletes every value after a time.
 *
 * @throws {@link BackendError} if the store needs later code, or fails
 */
export async function recordVersionInCell(port: CellPort): Promise<void> {
  const recorded = await readVersionInCell(port);
  if (recorded && recorded.version >= VERSION) return;
  const write = new Cells(port).step("setup", recordKey(port), (value) => {
    const { version } = parseRecord(value) ?? { version: 0 };
    return { value: version < VERSION ? OWN_RECORD : undefined, result: true };
  });
  await write.catch((error) => {
    if (error.reason !== "failed") throw error;
  });
}

/** The value of the cell that records this version. */
const OWN_RECORD = /* @__PURE__ */ JSON.stringify({ version: VERSION, least: LEAST } satisfies SchemaRecord);

const recordKey = (port: Pick<CellPort, "prefix">) => cellKey(port, "meta", "schema");

function parseRecord(value: string | undefined): SchemaRecord | undefined {
  if (value === undefined) return undefined;
  const record = JSON.parse(value) as SchemaRecord;
  if (!Number.isSafeInteger(record.version) || !Number.isSafeInteger(record.least)) {
    throw new Error("not the record of a schema");
  }
  return record;
}

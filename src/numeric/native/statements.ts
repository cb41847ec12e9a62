// SQL statements of a pool on PostgreSQL and SQLite. An ID keeps one row forever: `taken` is NULL while it is available,
// and then the time at which it was taken.
//
// Columns and the words of the code: `sweep` is the position of the scan, `filler` the refiller that holds the claim,
// `filling` the time at which the claim ends. The index ids_stock has the available IDs by rank.

import { GRACE_MS } from "../../backend/expiry.ts";
import type { SqlPort } from "../../backend/ports.ts";
import { uncountedSql } from "../../backend/schema.ts";
import { nowMsSql } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";

/** How many counts one merge takes: more than are added between two merges, so that it catches up. */
const MERGE_LIMIT = 1000;

/** The statements by name. */
export type Statements = Readonly<Record<StatementName, string>>;

/** Names of the statements. */
export type StatementName =
  | "readHistory"
  | "upgrade"
  | "recount"
  | "acceptHistory"
  | "issueOne"
  | "issue"
  | "issueOneForRequest"
  | "issueForRequest"
  | "findRequest"
  | "count"
  | "shortage"
  | "status"
  | "add"
  | "markTaken"
  | "mergeCounts"
  | "claimRefill"
  | "releaseRefill"
  | "advanceScan";

/**
 * Returns the statements in the port's dialect. $1 is the type.
 *
 * @param current SQL for the history that the store is on
 */
export function createStatements(port: SqlPort, current: string): Statements {
  const isPostgres = port.dialect === "postgres";
  const [types, ids, counts] = ["id_types", "ids", "id_counts"].map((table) => qualifiedTable(port, table));
  const ms = nowMsSql(isPostgres);
  const int = (parameter: string) => `CAST(${parameter} AS BIGINT)`;
  const available = `FROM ${ids} WHERE type = $1 AND taken IS NULL`;
  const locked = isPostgres ? "FOR UPDATE SKIP LOCKED" : "";
  /**
   * Makes a statement also count the IDs that it takes. In SQLite triggers count them.
   *
   * @param ctes common table expressions that the statement uses
   */
  const counted = (change: string, ctes = "") =>
    isPostgres
      ? `WITH ${ctes && `${ctes}, `}changed AS (${change} RETURNING type, id),
counted AS (INSERT INTO ${counts} (type, taken) SELECT type, COUNT(*) FROM changed GROUP BY type)
SELECT id FROM changed`
      : `${ctes && `WITH ${ctes} `}${change} RETURNING id`;
  const take = (condition: string, extraSet = "") =>
    `UPDATE ${ids} SET taken = ${ms}${extraSet} WHERE type = $1 AND ${current} = $3 AND ${condition}`;
  // Each issue starts at another random rank, so concurrent issues seldom lock the same rows. Starting at the lowest rank
  // would step over the index entries of taken rows not yet vacuumed.
  const next = `SELECT id ${available} AND rank >= ${int("$2")} ORDER BY rank LIMIT`;
  // PostgreSQL looks up each element of an array. For a set, whose size it cannot estimate, it would read the whole table.
  const oneOf = (rows: string) => (isPostgres ? `= ANY(ARRAY(${rows}))` : `IN (${rows})`);
  /** CTEs of the next rows up to the last rank, continued from rank 0. */
  const picked = (
    count: string,
  ) => `later AS MATERIALIZED (${next} ${count} ${locked}), earlier AS MATERIALIZED (
  SELECT id ${available} AND rank < ${int("$2")} ORDER BY rank LIMIT ${count} - (SELECT COUNT(*) FROM later) ${locked}
), picked AS (SELECT id FROM later UNION ALL SELECT id FROM earlier)`;
  const many = (count: string) =>
    `id ${oneOf("SELECT id FROM picked")} AND (SELECT COUNT(*) FROM picked) = ${count}`;
  // The usual case, one ID at a rank below the last, as a separate statement, because it is planned in less time.
  const one = `id = (${next} 1 ${locked})`;
  const request = ", request = $4";
  const isNew = `NOT EXISTS (SELECT 1 FROM ${ids} WHERE type = $1 AND request = $4)`;
  // CAST to TEXT first, because postgres.js would encode a parameter of type JSON a second time.
  const list = isPostgres
    ? "JSON_ARRAY_ELEMENTS(CAST(CAST($2 AS TEXT) AS JSON)) AS entry"
    : "JSON_EACH($2) AS entry";
  const field = (at: number) => (isPostgres ? `(entry->>${at})` : `JSON_EXTRACT(value, '$[${at}]')`);
  const count = (rows: string) => `(SELECT CAST(COUNT(*) AS TEXT) FROM (${rows}) AS counted)`;
  // ORDER BY makes PostgreSQL read the index of available rows only, whatever it estimates.
  const upTo = (most: string) => `SELECT 1 ${available} ORDER BY rank LIMIT ${int(most)}`;
  // One row also if the store was restored to a state without the type.
  const history = `COALESCE(types.history, '') AS recorded, ${current} AS current`;
  const typeIfThere = `(SELECT 1) AS always LEFT JOIN ${types} AS types ON types.type = $1`;
  const merged = isPostgres ? `(SELECT COALESCE(SUM(taken), 0) FROM ${counts} WHERE type = $1)` : "0";
  const uncounted = uncountedSql(port);
  return {
    readHistory: `SELECT ${history}, CASE
  WHEN types.type IS NOT NULL AND (types.taken IS NULL OR (types.history = '' AND ${current} <> '')) THEN 'no' ELSE 'yes'
END AS is_upgraded FROM ${typeIfThere}`,
    // Once for a new pool and for one of an earlier version: records the history and counts the taken IDs.
    upgrade: `UPDATE ${types} AS types SET history = CASE WHEN history = '' THEN ${current} ELSE history END, taken = COALESCE(taken, ${uncounted})
WHERE type = $1`,
    // The same count for a status, which writes nothing.
    recount: `SELECT CAST(${uncounted} + ${merged} AS TEXT) AS taken FROM ${types} AS types WHERE type = $1`,
    // $2 history
    acceptHistory: `UPDATE ${types} SET history = $2 WHERE type = $1 AND ${current} = $2 RETURNING history`,
    // $2 rank, $3 history
    issueOne: counted(take(one)),
    // and $4 count
    issue: counted(take(many(int("$4"))), picked(int("$4"))),
    // and $4 request key
    issueOneForRequest: counted(take(`${one} AND ${isNew}`, request)),
    issueForRequest: counted(take(`${many("1")} AND ${isNew}`, request), picked("1")),
    // $2 request key
    findRequest: `SELECT id FROM ${ids} WHERE type = $1 AND request = $2`,
    // $2 limit
    count: `SELECT sweep, ${count(upTo("$2"))} AS available FROM ${types} WHERE type = $1`,
    shortage: `SELECT sweep, ${history}, ${count(upTo("$2"))} AS available FROM ${typeIfThere}`,
    // and $3 duration of a claim in ms
    status: `SELECT sweep, ${history}, ${count(upTo("$2"))} AS available, CAST(types.taken + ${merged} AS TEXT) AS taken,
  CASE WHEN filler IS NOT NULL AND filling > ${ms} AND filling <= ${ms} + ${int("$3")} + ${GRACE_MS} THEN 'yes' ELSE 'no' END AS is_filling
FROM ${types} AS types WHERE type = $1`,
    // $2 JSON array of [id, rank]
    add: `INSERT INTO ${ids} (type, id, rank) SELECT CAST($1 AS TEXT), ${field(0)}, CAST(${field(1)} AS BIGINT)
FROM ${list} WHERE TRUE ON CONFLICT (type, id) DO NOTHING RETURNING id`,
    // $2 JSON array of [id, request key]. A request that was given another ID keeps that one.
    markTaken: counted(`INSERT INTO ${ids} AS known (type, id, rank, taken, request)
SELECT CAST($1 AS TEXT), ${field(0)}, 0, ${ms}, CASE WHEN NOT EXISTS (
  SELECT 1 FROM ${ids} WHERE type = $1 AND request = ${field(1)}
) THEN ${field(1)} END FROM ${list} WHERE TRUE
ON CONFLICT (type, id) DO UPDATE SET taken = excluded.taken, request = excluded.request WHERE known.taken IS NULL`),
    mergeCounts: `WITH merged AS (DELETE FROM ${counts} WHERE type = $1 AND part = ANY(ARRAY(
  SELECT part FROM ${counts} WHERE type = $1 LIMIT ${MERGE_LIMIT} FOR UPDATE SKIP LOCKED
)) RETURNING type, taken)
INSERT INTO ${counts} (type, taken) SELECT type, SUM(taken) FROM merged GROUP BY type`,
    // $2 refiller, $3 ms. A claim that ends too late was made before a clock was set back.
    claimRefill: `UPDATE ${types} SET filler = $2, filling = ${ms} + ${int("$3")}
WHERE type = $1 AND (filler IS NULL OR filler = $2 OR filling <= ${ms} OR filling > ${ms} + ${int("$3")} + ${GRACE_MS})
RETURNING sweep`,
    releaseRefill: `UPDATE ${types} SET filler = NULL WHERE type = $1 AND filler = $2`,
    // $2 before, $3 after
    advanceScan: `UPDATE ${types} SET sweep = $3 WHERE type = $1 AND sweep = $2 RETURNING sweep`,
  };
}

// SQL statements of a pool on PostgreSQL and SQLite. An ID keeps one row of `ids` forever. The index ids_stock has the
// available IDs by rank.
//
// Some columns have names of an earlier version:
//
// | table     | column    | meaning                                                                            |
// |-----------|-----------|------------------------------------------------------------------------------------|
// | ids       | `taken`   | a time: when the ID was issued or imported; NULL while it is available             |
// | ids       | `request` | the request key that the ID was issued for                                         |
// | id_types  | `taken`   | a number: how many IDs are taken, without those of id_counts; NULL if not counted  |
// | id_counts | `taken`   | a number: how many IDs one issue or import took, or several whose rows were merged           |
// | id_types  | `history` | the store history that the pool began on, or that was accepted last                |
// | id_types  | `sweep`   | the position of the exhaustive scan                                                |
// | id_types  | `filler`  | the refiller that holds the claim                                                  |
// | id_types  | `filling` | a time: when the claim ends                                                        |

import { GRACE_MS } from "../../backend/expiry.ts";
import type { SqlPort } from "../../backend/ports.ts";
import { takenOutsideCountsSql } from "../../backend/schema.ts";
import { nowMsSql } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";

/** How many rows of id_counts one merge replaces by one: more than are added between two merges, so that it catches up. */
const MERGE_LIMIT = 1000;

/** The statements by name. */
export type Statements = Readonly<Record<StatementName, string>>;

/** Names of the statements. */
export type StatementName =
  | "readHistory"
  | "initialize"
  | "recount"
  | "acceptHistory"
  | "issueNext"
  | "issueWrapping"
  | "issueNextForRequest"
  | "issueWrappingForRequest"
  | "findRequest"
  | "count"
  | "countWithHistory"
  | "status"
  | "add"
  | "markTaken"
  | "takenBetween"
  | "mergeCounts"
  | "claimRefill"
  | "releaseRefill"
  | "advanceScan";

/**
 * Returns the statements in the backend's dialect. $1 is the type.
 *
 * @param currentSql SQL for the history that the store is on
 */
export function createStatements(backend: SqlPort, currentSql: string): Statements {
  const isPostgres = backend.dialect === "postgres";
  const [typesTable, idsTable, countsTable] = ["id_types", "ids", "id_counts"].map((table) =>
    qualifiedTable(backend, table),
  );
  const nowSql = nowMsSql(isPostgres);
  const int = (parameter: string) => `CAST(${parameter} AS BIGINT)`;
  const fromAvailable = `FROM ${idsTable} WHERE type = $1 AND taken IS NULL`;
  const lockSql = isPostgres ? "FOR UPDATE SKIP LOCKED" : "";
  /**
   * Makes a statement also add the number of IDs that it takes to id_counts. In SQLite triggers count them.
   *
   * @param ctes common table expressions that the statement uses
   */
  const withCount = (change: string, ctes = "") =>
    isPostgres
      ? `WITH ${ctes && `${ctes}, `}changed AS (${change} RETURNING type, id),
added AS (INSERT INTO ${countsTable} (type, taken) SELECT type, COUNT(*) FROM changed GROUP BY type)
SELECT id FROM changed`
      : `${ctes && `WITH ${ctes} `}${change} RETURNING id`;
  // The recorded history too, because a dump of another store may have been restored to this one.
  const isOnHistorySql = `${currentSql} = $3 AND EXISTS (SELECT 1 FROM ${typesTable} WHERE type = $1 AND history = $3)`;
  const takeSql = (condition: string, extraSet = "") =>
    `UPDATE ${idsTable} SET taken = ${nowSql}${extraSet} WHERE type = $1 AND ${isOnHistorySql} AND ${condition}`;
  // Each issue starts at another random rank, so concurrent issues seldom lock the same rows. Starting at the lowest rank
  // would step over the index entries of taken rows not yet vacuumed.
  const selectNext = `SELECT id ${fromAvailable} AND rank >= ${int("$2")} ORDER BY rank LIMIT`;
  // PostgreSQL looks up each element of an array. For a set, whose size it cannot estimate, it would read the whole table.
  const oneOf = (rows: string) => (isPostgres ? `= ANY(ARRAY(${rows}))` : `IN (${rows})`);
  /** CTEs of the next rows up to the last rank, continued from rank 0. */
  const pickedCtes = (
    wanted: string,
  ) => `later AS MATERIALIZED (${selectNext} ${wanted} ${lockSql}), earlier AS MATERIALIZED (
  SELECT id ${fromAvailable} AND rank < ${int("$2")} ORDER BY rank LIMIT ${wanted} - (SELECT COUNT(*) FROM later) ${lockSql}
), picked AS (SELECT id FROM later UNION ALL SELECT id FROM earlier)`;
  const isPickedSql = (wanted: string) =>
    `id ${oneOf("SELECT id FROM picked")} AND (SELECT COUNT(*) FROM picked) = ${wanted}`;
  // One ID without the wrap to rank 0 is the usual case. It is a statement of its own, because it is planned in less time.
  const isNextSql = `id = (${selectNext} 1 ${lockSql})`;
  const setRequestSql = ", request = $4";
  const isNewRequestSql = `NOT EXISTS (SELECT 1 FROM ${idsTable} WHERE type = $1 AND request = $4)`;
  // CAST to TEXT first, because postgres.js would encode a parameter of type JSON a second time.
  const entriesSql = isPostgres
    ? "JSON_ARRAY_ELEMENTS(CAST(CAST($2 AS TEXT) AS JSON)) AS entry"
    : "JSON_EACH($2) AS entry";
  const field = (at: number) => (isPostgres ? `(entry->>${at})` : `JSON_EXTRACT(value, '$[${at}]')`);
  // ORDER BY makes PostgreSQL read the index of available rows only, whatever it estimates.
  const countAvailable = `(SELECT CAST(COUNT(*) AS TEXT) FROM (
  SELECT 1 ${fromAvailable} ORDER BY rank LIMIT ${int("$2")}
) AS available_rows)`;
  const historyColumns = `COALESCE(types.history, '') AS recorded, ${currentSql} AS current`;
  // One row also if the store was restored to a state without the type.
  const typeIfThere = `(SELECT 1) AS always LEFT JOIN ${typesTable} AS types ON types.type = $1`;
  // How many taken IDs id_counts has, in merged rows and others.
  const takenInCounts = isPostgres
    ? `(SELECT COALESCE(SUM(taken), 0) FROM ${countsTable} WHERE type = $1)`
    : "0";
  const takenOutsideCounts = takenOutsideCountsSql(backend);
  return {
    readHistory: `SELECT ${historyColumns}, CASE
  WHEN types.type IS NOT NULL AND (types.taken IS NULL OR (types.history = '' AND ${currentSql} <> '')) THEN 'no' ELSE 'yes'
END AS is_initialized FROM ${typeIfThere}`,
    // Once for a new pool and for one of an earlier version: records the history and counts the taken IDs.
    initialize: `UPDATE ${typesTable} AS types SET history = CASE WHEN history = '' THEN ${currentSql} ELSE history END, taken = COALESCE(taken, ${takenOutsideCounts})
WHERE type = $1`,
    // The same count for a status, which writes nothing.
    recount: `SELECT CAST(${takenOutsideCounts} + ${takenInCounts} AS TEXT) AS taken FROM ${typesTable} AS types WHERE type = $1`,
    // $2 history
    acceptHistory: `UPDATE ${typesTable} SET history = $2 WHERE type = $1 AND ${currentSql} = $2 RETURNING history`,
    // $2 rank, $3 history
    issueNext: withCount(takeSql(isNextSql)),
    // and $4 count
    issueWrapping: withCount(takeSql(isPickedSql(int("$4"))), pickedCtes(int("$4"))),
    // and $4 request key
    issueNextForRequest: withCount(takeSql(`${isNextSql} AND ${isNewRequestSql}`, setRequestSql)),
    issueWrappingForRequest: withCount(
      takeSql(`${isPickedSql("1")} AND ${isNewRequestSql}`, setRequestSql),
      pickedCtes("1"),
    ),
    // $2 request key
    findRequest: `SELECT id FROM ${idsTable} WHERE type = $1 AND request = $2`,
    // $2 limit of the count
    count: `SELECT sweep, ${countAvailable} AS available FROM ${typesTable} WHERE type = $1`,
    countWithHistory: `SELECT sweep, ${historyColumns}, ${countAvailable} AS available FROM ${typeIfThere}`,
    // and $3 duration of a claim in ms
    status: `SELECT sweep, ${historyColumns}, ${countAvailable} AS available, CAST(types.taken + ${takenInCounts} AS TEXT) AS taken,
  CASE WHEN filler IS NOT NULL AND filling > ${nowSql} AND filling <= ${nowSql} + ${int("$3")} + ${GRACE_MS} THEN 'yes' ELSE 'no' END AS is_filling
FROM ${typesTable} AS types WHERE type = $1`,
    // $2 JSON array of [id, rank]
    add: `INSERT INTO ${idsTable} (type, id, rank) SELECT CAST($1 AS TEXT), ${field(0)}, CAST(${field(1)} AS BIGINT)
FROM ${entriesSql} WHERE TRUE ON CONFLICT (type, id) DO NOTHING RETURNING id`,
    // $2 JSON array of [id, request key]. A request that was given another ID keeps that one.
    markTaken: withCount(`INSERT INTO ${idsTable} AS known (type, id, rank, taken, request)
SELECT CAST($1 AS TEXT), ${field(0)}, 0, ${nowSql}, CASE WHEN NOT EXISTS (
  SELECT 1 FROM ${idsTable} WHERE type = $1 AND request = ${field(1)}
) THEN ${field(1)} END FROM ${entriesSql} WHERE TRUE
ON CONFLICT (type, id) DO UPDATE SET taken = excluded.taken, request = excluded.request WHERE known.taken IS NULL`),
    // $2 first ID, $3 last ID, $4 limit
    takenBetween: `SELECT id FROM ${idsTable} WHERE type = $1 AND id BETWEEN $2 AND $3 AND taken IS NOT NULL ORDER BY id LIMIT ${int("$4")}`,
    mergeCounts: `WITH merged AS (DELETE FROM ${countsTable} WHERE type = $1 AND part = ANY(ARRAY(
  SELECT part FROM ${countsTable} WHERE type = $1 LIMIT ${MERGE_LIMIT} FOR UPDATE SKIP LOCKED
)) RETURNING type, taken)
INSERT INTO ${countsTable} (type, taken) SELECT type, SUM(taken) FROM merged GROUP BY type`,
    // $2 refiller, $3 ms. A claim that ends too late was made before a clock was set back.
    claimRefill: `UPDATE ${typesTable} SET filler = $2, filling = ${nowSql} + ${int("$3")}
WHERE type = $1 AND (filler IS NULL OR filler = $2 OR filling <= ${nowSql} OR filling > ${nowSql} + ${int("$3")} + ${GRACE_MS})
RETURNING sweep`,
    releaseRefill: `UPDATE ${typesTable} SET filler = NULL WHERE type = $1 AND filler = $2`,
    // $2 before, $3 after
    advanceScan: `UPDATE ${typesTable} SET sweep = $3 WHERE type = $1 AND sweep = $2 RETURNING sweep`,
  };
}

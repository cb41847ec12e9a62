// SQL statements of a pool on MySQL and MariaDB. An ID keeps one row of `ids` forever.
//
// | table     | column          | meaning                                                                                |
// |-----------|-----------------|----------------------------------------------------------------------------------------|
// | ids       | `rank`          | a random position, NULL once the ID is taken, because no index is partial              |
// | ids       | `taken`         | a time: when the ID was issued or imported; NULL while it is available                 |
// | ids       | `request`       | the request key that the ID was issued for                                             |
// | id_counts | `taken`         | a number: how many IDs are taken, in COUNT_ROWS rows, so that concurrent issues seldom wait |
// | id_types  | `history`       | the store history that the pool began on, or that was accepted last; empty until it is initialized          |
// | id_types  | `scan`          | the position of the exhaustive scan                                                    |
// | id_types  | `refiller`      | the refiller that holds the claim                                                      |
// | id_types  | `claimed_until` | a time: when the claim ends                                                            |
// | id_types  | `writes`        | changes with each write, because MySQL may count an equal write as no write            |
//
// So that no two deadlock, every statement locks rows of `ids` before those of `id_counts`, and a transaction locks only one row
// of `id_counts` that counts. The row of the queue, also in `id_counts`, is locked before all others.

import { GRACE_MS } from "../../backend/expiry.ts";
import { mysqlLiteral as literal, mysqlTable, MYSQL_NOW_MS as NOW } from "../../backend/mysqlSql.ts";
import type { MysqlPort } from "../../backend/ports.ts";
import type { RankedId } from "../port.ts";
import type { TakenId } from "../recentlyIssued.ts";

/** How many rows of `id_counts` a type has. */
const COUNT_ROWS = 64;

/** One more row, which counts nothing: transactions that issue one after the other lock it. */
const QUEUE = -1;

/** Returns a random row of `id_counts`, so that few transactions wait for the same one. */
export function randomPart(): number {
  return Math.floor(Math.random() * COUNT_ROWS);
}

/** The statements of one type, as functions of their parameters. */
export type MysqlStatements = ReturnType<typeof createMysqlStatements>;

/**
 * Returns the statements.
 *
 * @param currentSql SQL for the history that the store is on
 */
export function createMysqlStatements({ prefix = "bitflake" }: MysqlPort, type: string, currentSql: string) {
  const [types, ids, counts] = ["id_types", "ids", "id_counts"].map((table) => mysqlTable(prefix, table));
  const ofType = `type = ${literal(type)}`;
  // Without hints, the optimizer might read and lock all IDs of the type when its statistics are not up to date.
  const byId = `${ids} FORCE INDEX (PRIMARY)`;
  const fromAvailable = `FROM ${ids} FORCE INDEX (available) WHERE ${ofType} AND \`rank\``;
  const next = (rank: number) => `${fromAvailable} >= ${rank} ORDER BY \`rank\``;
  const availableSql = (max: number) =>
    `(SELECT COUNT(*) FROM (SELECT 1 ${next(0)} LIMIT ${max}) AS available_rows)`;
  const historyColumns = `COALESCE(types.history, '') AS recorded, ${currentSql} AS current`;
  const scanColumn = "COALESCE(types.scan, '') AS scan";
  // One row also if the store was restored to a state without the type.
  const typeIfThere = `(SELECT 1) AS always LEFT JOIN ${types} AS types ON types.${ofType}`;
  // The recorded history too, because a dump of another server may have been restored to this one.
  const recordedSql = `(SELECT history FROM ${types} WHERE ${ofType})`;
  const isOnHistorySql = (history: string) =>
    `${currentSql} = ${literal(history)} AND ${recordedSql} = ${literal(history)}`;
  const write = "writes = writes + 1";
  return {
    readHistory: `SELECT ${historyColumns}, IF(types.history = '', 'no', 'yes') AS is_initialized FROM ${typeIfThere}`,
    addCounts: `INSERT IGNORE INTO ${counts} (type, part, taken) VALUES ${Array.from(
      { length: COUNT_ROWS + 1 },
      (_, at) => `(${literal(type)}, ${at + QUEUE}, 0)`,
    )}`,
    recordHistory: `UPDATE ${types} SET history = ${currentSql}, ${write} WHERE ${ofType} AND history = ''`,
    acceptHistory: (history: string) =>
      `UPDATE ${types} SET history = ${literal(history)}, ${write} WHERE ${ofType} AND ${currentSql} = ${literal(history)}`,
    /** The next available ID that no other connection has locked. */
    pickOne: (fromRank: number) => `SELECT id ${next(fromRank)} LIMIT 1 FOR UPDATE SKIP LOCKED`,
    /** Available IDs from a rank up to another, without the first `offset`. */
    pick: (count: number, offset: number, fromRank: number, toRank: number) =>
      `SELECT id ${fromAvailable} BETWEEN ${fromRank} AND ${toRank} ORDER BY \`rank\`, id LIMIT ${count} OFFSET ${offset}`,
    /** Waits until no other transaction of the queue runs. */
    queue: `SELECT part FROM ${counts} WHERE ${ofType} AND part = ${QUEUE} FOR UPDATE`,
    /** Locks those that are available. It waits for other connections that have locked some of them, or skips these. */
    lock: (picked: readonly string[], count: number, waits: boolean) =>
      `SELECT id, COALESCE(${recordedSql}, '') AS recorded, ${currentSql} AS current FROM ${byId} WHERE ${ofType} AND id IN (${picked.map(idLiteral)}) AND \`rank\` IS NOT NULL LIMIT ${count} FOR UPDATE${waits ? "" : " SKIP LOCKED"}`,
    /** The next available ID, and the ID of a request, if there is one. */
    pickForRequest: (fromRank: number, requestKey: string) =>
      `SELECT id, (SELECT id FROM ${ids} AS issued WHERE issued.${ofType} AND issued.request = ${literal(requestKey)}) AS replay
${next(fromRank)} LIMIT 1 FOR UPDATE SKIP LOCKED`,
    /** Takes and counts the IDs that are still available, if the store is on the history. */
    take: (picked: readonly string[], history: string, requestKey?: string, part: number = randomPart()) =>
      `UPDATE ${ids} AS ids FORCE INDEX (PRIMARY) STRAIGHT_JOIN ${counts} AS counts
SET ids.taken = ${NOW}, ids.\`rank\` = NULL, counts.taken = counts.taken + ${picked.length}${requestKey === undefined ? "" : `, ids.request = ${literal(requestKey)}`}
WHERE ids.${ofType} AND ids.id IN (${picked.map(idLiteral)}) AND ids.\`rank\` IS NOT NULL AND ${isOnHistorySql(history)}
AND counts.${ofType} AND counts.part = ${part}`,
    // A store that was restored to a state without the pool has no row to update.
    countTaken: (count: number) =>
      `INSERT INTO ${counts} (type, part, taken) VALUES (${literal(type)}, ${randomPart()}, ${count})
ON DUPLICATE KEY UPDATE taken = taken + ${count}`,
    findRequest: (requestKey: string) =>
      `SELECT id FROM ${ids} WHERE ${ofType} AND request = ${literal(requestKey)}`,
    count: (max: number) =>
      `SELECT ${scanColumn}, ${historyColumns}, IF(types.type IS NULL, 'no', 'yes') AS is_known, ${availableSql(max)} AS available FROM ${typeIfThere}`,
    status: (max: number, claimMs: number) =>
      `SELECT ${scanColumn}, ${historyColumns}, ${availableSql(max)} AS available,
  (SELECT COALESCE(SUM(taken), 0) FROM ${counts} WHERE ${ofType}) AS taken,
  IF(refiller IS NOT NULL AND claimed_until > ${NOW} AND claimed_until <= ${NOW} + ${claimMs + GRACE_MS}, 'yes', 'no') AS is_filling
FROM ${typeIfThere}`,
    add: (entries: readonly RankedId[]) =>
      `INSERT IGNORE INTO ${ids} (type, id, \`rank\`) VALUES ${entries.map(([id, rank]) => `(${literal(type)}, ${idLiteral(id)}, ${rank})`)}`,
    lockAvailable: (among: readonly TakenId[]) =>
      `SELECT id FROM ${byId} WHERE ${ofType} AND id IN (${among.map(([id]) => idLiteral(id))}) AND \`rank\` IS NOT NULL FOR UPDATE`,
    findRequests: (keys: readonly string[]) =>
      `SELECT request FROM ${ids} FORCE INDEX (request) WHERE ${ofType} AND request IN (${keys.map(literal)})`,
    markTaken: (entries: readonly TakenId[]) => {
      const requests = entries.flatMap(([id, key]) =>
        key === null ? [] : `WHEN ${idLiteral(id)} THEN ${literal(key)}`,
      );
      const request = requests.length === 0 ? "NULL" : `CASE id ${requests.join(" ")} END`;
      return `UPDATE ${byId} SET taken = ${NOW}, \`rank\` = NULL, request = ${request} WHERE ${ofType} AND id IN (${entries.map(([id]) => idLiteral(id))})`;
    },
    takenBetween: (from: string, to: string, max: number) =>
      `SELECT id FROM ${byId} WHERE ${ofType} AND id BETWEEN ${idLiteral(from)} AND ${idLiteral(to)} AND \`rank\` IS NULL ORDER BY id LIMIT ${max}`,
    // A claim that ends too late was made before a clock was set back.
    claimRefill: (refiller: string, ms: number) =>
      `UPDATE ${types} SET refiller = ${literal(refiller)}, claimed_until = ${NOW} + ${ms}, ${write}
WHERE ${ofType} AND (refiller IS NULL OR refiller = ${literal(refiller)} OR claimed_until <= ${NOW} OR claimed_until > ${NOW} + ${ms + GRACE_MS})`,
    readClaimed: (refiller: string) =>
      `SELECT scan FROM ${types} WHERE ${ofType} AND refiller = ${literal(refiller)}`,
    releaseRefill: (refiller: string) =>
      `UPDATE ${types} SET refiller = NULL, ${write} WHERE ${ofType} AND refiller = ${literal(refiller)}`,
    advanceScan: (from: string, to: string) =>
      `UPDATE ${types} SET scan = ${literal(to)}, ${write} WHERE ${ofType} AND scan = ${literal(from)}`,
  };
}

/** Returns the literal of an ID, which has digits alone. A text of the column's own character set is found by the key. */
function idLiteral(id: string): string {
  if (!/^\d{1,32}$/.test(id)) throw new Error(`not an ID: ${id.slice(0, 64)}`);
  return `'${id}'`;
}

// Pools in PostgreSQL and SQLite. An ID has one row for ever: `taken` is empty while it is available, and afterwards
// says when that ended.

import { startTimer } from "../../backend/call.ts";
import { GRACE_MS } from "../../backend/expiry.ts";
import { historySql } from "../../backend/history.ts";
import type { SqlPort, SqlRow } from "../../backend/ports.ts";
import { uncountedSql } from "../../backend/schema.ts";
import { nowMsSql, queryRows } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";
import { BackendError } from "../../internal.ts";
import { amountIn, historyIn, idsIn, stockIn, supplyIn, sweepIn } from "../parseAnswers.ts";
import type { History, PoolPort, Stock, Supply } from "../port.ts";

/** How often an issue is tried that finds enough IDs, and then does not get them because others are faster. */
const TRIES = 50;

/** How many counts are merged at once: more than come in between, so that it catches up. */
const MERGED = 1000;

/**
 * The statements, in a dialect. $1 is the type.
 *
 * @param current SQL for the history that the store is on
 */
function statementsOf(port: SqlPort, current: string) {
  const isPostgres = port.dialect === "postgres";
  const [types, ids, counts] = ["id_types", "ids", "id_counts"].map((table) => qualifiedTable(port, table));
  const ms = nowMsSql(isPostgres);
  const int = (parameter: string) => `CAST(${parameter} AS BIGINT)`;
  const available = `FROM ${ids} WHERE type = $1 AND taken IS NULL`;
  const locked = isPostgres ? "FOR UPDATE SKIP LOCKED" : "";
  /** Counts what a statement takes: in SQLite triggers do. */
  const counted = (change: string, before = "") =>
    isPostgres
      ? `WITH ${before && `${before}, `}changed AS (${change} RETURNING type, id),
counted AS (INSERT INTO ${counts} (type, taken) SELECT type, COUNT(*) FROM changed GROUP BY type)
SELECT id FROM changed`
      : `${before && `WITH ${before} `}${change} RETURNING id`;
  const take = (change: string, condition: string) =>
    `UPDATE ${ids} SET taken = ${ms}${change} WHERE type = $1 AND ${current} = $3 AND ${condition}`;
  // From a rank that differs each time: so those who take at once meet seldom, and what was taken is not all passed by
  // again until the server has cleaned its index.
  const next = `SELECT id ${available} AND rank >= ${int("$2")} ORDER BY rank LIMIT`;
  // As an array PostgreSQL looks each of them up; as a set that it cannot estimate, it would read the whole table.
  const oneOf = (rows: string) => (isPostgres ? `= ANY(ARRAY(${rows}))` : `IN (${rows})`);
  /** Up to the last rank and then from the first. */
  const picked = (
    count: string,
  ) => `later AS MATERIALIZED (${next} ${count} ${locked}), earlier AS MATERIALIZED (
  SELECT id ${available} AND rank < ${int("$2")} ORDER BY rank LIMIT ${count} - (SELECT COUNT(*) FROM later) ${locked}
), picked AS (SELECT id FROM later UNION ALL SELECT id FROM earlier)`;
  const many = (count: string) =>
    `id ${oneOf("SELECT id FROM picked")} AND (SELECT COUNT(*) FROM picked) = ${count}`;
  // The usual case in a statement of its own, which is planned in less time: one ID, from a rank below the last.
  const one = `id = (${next} 1 ${locked})`;
  const request = ", request = $4";
  const isNew = `NOT EXISTS (SELECT 1 FROM ${ids} WHERE type = $1 AND request = $4)`;
  // postgres.js would quote a parameter of the type JSON once more, hence first a text.
  const list = isPostgres
    ? "JSON_ARRAY_ELEMENTS(CAST(CAST($2 AS TEXT) AS JSON)) AS entry"
    : "JSON_EACH($2) AS entry";
  const field = (at: number) => (isPostgres ? `(entry->>${at})` : `JSON_EXTRACT(value, '$[${at}]')`);
  const count = (rows: string) => `(SELECT CAST(COUNT(*) AS TEXT) FROM (${rows}) AS counted)`;
  // In order, so that PostgreSQL reads the index of these alone, whatever it believes of how many there are.
  const upTo = (most: string) => `SELECT 1 ${available} ORDER BY rank LIMIT ${int(most)}`;
  // A row also where the store, put back, does not know of the type any more.
  const history = `COALESCE(types.history, '') AS recorded, ${current} AS current`;
  const typeIfThere = `(SELECT 1) AS always LEFT JOIN ${types} AS types ON types.type = $1`;
  const merged = isPostgres ? `(SELECT COALESCE(SUM(taken), 0) FROM ${counts} WHERE type = $1)` : "0";
  const uncounted = uncountedSql(port);
  return {
    begin: `SELECT ${history}, CASE
  WHEN types.type IS NOT NULL AND (types.taken IS NULL OR (types.history = '' AND ${current} <> '')) THEN 'no' ELSE 'yes'
END AS complete FROM ${typeIfThere}`,
    // Where a pool began under an earlier version, its taken IDs are counted once.
    complete: `UPDATE ${types} AS types SET history = CASE WHEN history = '' THEN ${current} ELSE history END, taken = COALESCE(taken, ${uncounted})
WHERE type = $1`,
    // The same for a look, which leaves nothing behind.
    recount: `SELECT CAST(${uncounted} + ${merged} AS TEXT) AS taken FROM ${types} AS types WHERE type = $1`,
    // $2 history
    accept: `UPDATE ${types} SET history = $2 WHERE type = $1 AND ${current} = $2 RETURNING history`,
    // $2 rank, $3 history
    issueOne: counted(take("", one)),
    // and $4 count
    issue: counted(take("", many(int("$4"))), picked(int("$4"))),
    // and $4 request
    issueOneFor: counted(take(request, `${one} AND ${isNew}`)),
    issueFor: counted(take(request, `${many("1")} AND ${isNew}`), picked("1")),
    // $2 request
    find: `SELECT id FROM ${ids} WHERE type = $1 AND request = $2`,
    // $2 most
    count: `SELECT sweep, ${count(upTo("$2"))} AS available FROM ${types} WHERE type = $1`,
    shortage: `SELECT sweep, ${history}, ${count(upTo("$2"))} AS available FROM ${typeIfThere}`,
    // and $3 how long a claim lasts
    stock: `SELECT sweep, ${history}, ${count(upTo("$2"))} AS available, CAST(types.taken + ${merged} AS TEXT) AS taken,
  CASE WHEN filler IS NOT NULL AND filling > ${ms} AND filling <= ${ms} + ${int("$3")} + ${GRACE_MS} THEN 'yes' ELSE 'no' END AS filling
FROM ${types} AS types WHERE type = $1`,
    // $2 entries
    add: `INSERT INTO ${ids} (type, id, rank) SELECT CAST($1 AS TEXT), ${field(0)}, CAST(${field(1)} AS BIGINT)
FROM ${list} WHERE TRUE ON CONFLICT (type, id) DO NOTHING RETURNING id`,
    // $2 entries. A request that another ID was given keeps that.
    take: counted(`INSERT INTO ${ids} AS known (type, id, rank, taken, request)
SELECT CAST($1 AS TEXT), ${field(0)}, 0, ${ms}, CASE WHEN NOT EXISTS (
  SELECT 1 FROM ${ids} WHERE type = $1 AND request = ${field(1)}
) THEN ${field(1)} END FROM ${list} WHERE TRUE
ON CONFLICT (type, id) DO UPDATE SET taken = excluded.taken, request = excluded.request WHERE known.taken IS NULL`),
    mergeCounts: `WITH merged AS (DELETE FROM ${counts} WHERE type = $1 AND part = ANY(ARRAY(
  SELECT part FROM ${counts} WHERE type = $1 LIMIT ${MERGED} FOR UPDATE SKIP LOCKED
)) RETURNING type, taken)
INSERT INTO ${counts} (type, taken) SELECT type, SUM(taken) FROM merged GROUP BY type`,
    // $2 filler, $3 ms. A claim that ends beyond all reach is of a clock that was set back.
    claim: `UPDATE ${types} SET filler = $2, filling = ${ms} + ${int("$3")}
WHERE type = $1 AND (filler IS NULL OR filler = $2 OR filling <= ${ms} OR filling > ${ms} + ${int("$3")} + ${GRACE_MS})
RETURNING sweep`,
    leave: `UPDATE ${types} SET filler = NULL WHERE type = $1 AND filler = $2`,
    // $2 before, $3 after
    advance: `UPDATE ${types} SET sweep = $3 WHERE type = $1 AND sweep = $2 RETURNING sweep`,
  };
}

type Statements = ReturnType<typeof statementsOf>;

export function sqlStore(port: SqlPort, type: string): PoolPort {
  qualifiedTable(port, "id_counts"); // Refuses a prefix that is too long before anything is asked.
  let statements: Promise<Statements> | undefined;
  /** The statements, once the store has said whether it tells its history. */
  const prepare = (): Promise<Statements> => {
    statements ??= historySql(port).then(
      (current) => statementsOf(port, current),
      (error) => {
        statements = undefined;
        throw error;
      },
    );
    return statements;
  };
  const send = async <T>(
    operation: string,
    name: keyof Statements,
    params: readonly unknown[],
    read: (rows: readonly SqlRow[]) => T,
  ) => queryRows(port, `pool: ${operation}`, (await prepare())[name], [type, ...params], read);
  /** The IDs of the rows, as many as asked for, or none. */
  const issued = (count: number) => (rows: readonly SqlRow[]) => {
    const ids = rows.map(({ id }) => id);
    return idsIn(ids, ids.length === 0 ? 0 : count);
  };
  const count = (most: number): Promise<Supply> =>
    send("count", "count", [most], ([row]) => supplyIn(row as SqlRow & Supply));
  const begin = () =>
    send("begin", "begin", [], ([row]) => ({
      ...historyIn(row as SqlRow & History),
      isComplete: row?.["complete"] !== "no",
    }));

  /** Takes as many as asked for, or says why that cannot be. */
  async function take(
    wanted: number,
    history: string,
    attempt: (isFirst: boolean) => Promise<readonly string[]>,
  ) {
    for (let tries = 0; tries < TRIES; tries++) {
      const ids = await attempt(tries === 0);
      if (ids.length > 0) return ids;
      // The first attempt passes by what has lower ranks.
      if (tries === 0 && wanted === 1) continue;
      // Why not? Others may hold at this moment what they then do not take.
      const shortage = await send("count", "shortage", [wanted], ([row]) => row as SqlRow & Supply & History);
      const { recorded, current } = historyIn(shortage);
      if (current !== history) return { recorded, current };
      const supply = supplyIn(shortage);
      if (supply.available < wanted) return supply;
      await new Promise<void>((wake) => startTimer(wake, Math.random() * 5 * tries));
    }
    throw new BackendError("pool: issue", "failed", `others took what was there, ${TRIES} times`);
  }

  return {
    async begin() {
      const { isComplete, ...history } = await begin();
      if (isComplete) return history;
      await send("begin", "complete", [], () => true);
      return begin();
    },
    accept: (history) => send("accept", "accept", [history], (rows) => rows.length > 0),
    issue: (count, from, history) =>
      take(count, history, (isFirst) =>
        isFirst && count === 1
          ? send("issue", "issueOne", [from, history], issued(1))
          : send("issue", "issue", [from, history, count], issued(count)),
      ),
    issueFor: (request, from, history, onReplay) =>
      take(1, history, async (isFirst) => {
        const find = async () => {
          const ids = await send("find", "find", [request], issued(1));
          if (ids.length > 0) onReplay();
          return ids;
        };
        try {
          const statement = isFirst ? "issueOneFor" : "issueFor";
          const ids = await send("issue", statement, [from, history, request], issued(1));
          return ids.length > 0 ? ids : await find();
        } catch (error) {
          // Of two at once for the same request, PostgreSQL lets one fail; and what got no answer may have been done.
          // A store that has not answered in time is not asked again: the caller would wait twice as long.
          if (error instanceof BackendError && error.reason === "timeout") throw error;
          const ids = await find().catch(() => []);
          if (ids.length > 0) return ids;
          throw error;
        }
      }),
    count,
    async stock(most, claimMs) {
      const look = (taken?: number) =>
        send("status", "stock", [most, claimMs], ([row]) => {
          const stock = row as SqlRow & Record<keyof Stock | "filling", unknown>;
          if (stock.taken === null && taken === undefined) return null; // Begun by an earlier version, and not counted.
          return stockIn({ ...stock, taken: stock.taken ?? taken, isFilling: stock.filling === "yes" });
        });
      const stock = await look();
      if (stock !== null) return stock;
      const taken = await send("status", "recount", [], ([row]) => amountIn(row?.["taken"]));
      return (await look(taken)) as Stock;
    },
    add: (entries) => send("add", "add", [JSON.stringify(entries)], (rows) => rows.length),
    take: (entries) => send("import", "take", [JSON.stringify(entries)], (rows) => rows.length),
    mergeCounts: async () =>
      port.dialect === "postgres" && (await send("merge counts", "mergeCounts", [], () => true)),
    claim: (filler, ms) =>
      send("claim", "claim", [filler, ms], ([row]) => (row ? sweepIn(row["sweep"]) : null)),
    leave: (filler) => send("leave", "leave", [filler], () => true),
    advance: (from, to) => send("advance", "advance", [from, to], (rows) => rows.length > 0),
  };
}

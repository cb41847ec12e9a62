// Pools in PostgreSQL and SQLite. An ID has one row for ever: `taken` is empty while it is available, and afterwards
// says when that ended.

import { startTimer } from "../backend/ask.ts";
import type { SqlPort, SqlRow } from "../backend/ports.ts";
import { askRows } from "../backend/rows.ts";
import { msOf, pathOf } from "../backend/settings.ts";
import { BackendError } from "../core.ts";
import { amountIn, idsIn, stockIn, supplyIn, sweepIn } from "./answers.ts";
import type { PoolStore, Supply } from "./store.ts";

/** How often an issue is tried that finds enough IDs, and then does not get them because others are faster. */
const TRIES = 50;

/** The statements, in a dialect. $1 is the type. */
function statementsOf(port: SqlPort) {
  const isPostgres = port.dialect === "postgres";
  const [types, ids] = [pathOf(port, "id_types"), pathOf(port, "ids")];
  const ms = msOf(isPostgres);
  const int = (parameter: string) => `CAST(${parameter} AS BIGINT)`;
  const available = `FROM ${ids} WHERE type = $1 AND taken IS NULL`;
  const locked = isPostgres ? "FOR UPDATE SKIP LOCKED" : "";
  // From a rank that differs each time: so those who take at once meet seldom, and what was taken is not all passed by
  // again until the server has cleaned its index.
  // As an array PostgreSQL looks each of them up; as a set that it cannot estimate, it would read the whole table.
  const oneOf = (rows: string) => (isPostgres ? `= ANY(ARRAY(${rows}))` : `IN (${rows})`);
  const issue = (change: string, condition: string) => `WITH later AS MATERIALIZED (
  SELECT id ${available} AND rank >= ${int("$3")} ORDER BY rank LIMIT ${int("$2")} ${locked}
), earlier AS MATERIALIZED (
  SELECT id ${available} AND rank < ${int("$3")} ORDER BY rank
  LIMIT ${int("$2")} - (SELECT COUNT(*) FROM later) ${locked}
), picked AS (SELECT id FROM later UNION ALL SELECT id FROM earlier)
UPDATE ${ids} SET taken = ${ms}${change}
WHERE type = $1 AND id ${oneOf("SELECT id FROM picked")} AND (SELECT COUNT(*) FROM picked) = ${int("$2")}${condition}
RETURNING id`;
  // postgres.js would quote a parameter of the type JSON once more, hence first a text.
  const [list, id, rank] = isPostgres
    ? [
        "JSON_ARRAY_ELEMENTS(CAST(CAST($2 AS TEXT) AS JSON)) AS entry",
        "entry->>0",
        "CAST(entry->>1 AS BIGINT)",
      ]
    : ["JSON_EACH($2) AS entry", "JSON_EXTRACT(value, '$[0]')", "JSON_EXTRACT(value, '$[1]')"];
  const count = (rows: string) => `(SELECT CAST(COUNT(*) AS TEXT) FROM (${rows}) AS counted)`;
  const upTo = (most: string) => `SELECT 1 ${available} LIMIT ${int(most)}`;
  return {
    // $2 count, $3 rank
    issue: issue("", ""),
    // and $4 request
    issueFor: issue(
      ", request = $4",
      ` AND NOT EXISTS (SELECT 1 FROM ${ids} WHERE type = $1 AND request = $4)`,
    ),
    // $2 request
    find: `SELECT id FROM ${ids} WHERE type = $1 AND request = $2`,
    // $2 most
    count: `SELECT sweep, ${count(upTo("$2"))} AS available FROM ${types} WHERE type = $1`,
    stock: `SELECT sweep, CASE WHEN filler IS NOT NULL AND filling > ${ms} THEN 'yes' ELSE 'no' END AS filling,
  ${count(`SELECT 1 ${available}`)} AS available, ${count(`SELECT 1 FROM ${ids} WHERE type = $1`)} AS total
FROM ${types} WHERE type = $1`,
    // $2 entries
    add: `INSERT INTO ${ids} (type, id, rank) SELECT CAST($1 AS TEXT), ${id}, ${rank} FROM ${list} WHERE TRUE
ON CONFLICT (type, id) DO NOTHING RETURNING id`,
    take: `INSERT INTO ${ids} AS known (type, id, rank, taken)
SELECT CAST($1 AS TEXT), ${id}, ${rank}, ${ms} FROM ${list} WHERE TRUE
ON CONFLICT (type, id) DO UPDATE SET taken = excluded.taken WHERE known.taken IS NULL RETURNING id`,
    // $2 filler, $3 ms
    claim: `UPDATE ${types} SET filler = $2, filling = ${ms} + ${int("$3")}
WHERE type = $1 AND (filler IS NULL OR filler = $2 OR filling <= ${ms}) RETURNING sweep`,
    leave: `UPDATE ${types} SET filler = NULL WHERE type = $1 AND filler = $2`,
    // $2 before, $3 after
    advance: `UPDATE ${types} SET sweep = $3 WHERE type = $1 AND sweep = $2 RETURNING sweep`,
  };
}

export function sqlStore(port: SqlPort, type: string): PoolStore {
  const statements = statementsOf(port);
  const send = <T>(
    operation: string,
    text: string,
    params: readonly unknown[],
    read: (rows: readonly SqlRow[]) => T,
  ) => askRows(port, `pool: ${operation}`, text, [type, ...params], read);
  /** The IDs of the rows, as many as asked for, or none. */
  const issued = (count: number) => (rows: readonly SqlRow[]) => {
    const ids = rows.map(({ id }) => id);
    return idsIn(ids, ids.length === 0 ? 0 : count);
  };
  const count = (most: number): Promise<Supply> =>
    send("count", statements.count, [most], ([row]) => supplyIn(row as SqlRow & Supply));

  /** Takes as many as asked for, or says why that cannot be. */
  async function take(wanted: number, attempt: () => Promise<readonly string[]>) {
    for (let tries = 1; tries <= TRIES; tries++) {
      const ids = await attempt();
      if (ids.length > 0) return ids;
      // Why not? Others may hold at this moment what they then do not take.
      const shortage = await count(wanted);
      if (shortage.available < wanted) return shortage;
      await new Promise<void>((wake) => startTimer(wake, Math.random() * 5 * tries));
    }
    throw new BackendError("pool: issue", "failed", `others took what was there, ${TRIES} times`);
  }

  return {
    issue: (count, from) => take(count, () => send("issue", statements.issue, [count, from], issued(count))),
    issueFor: (request, from, onReplay) =>
      take(1, async () => {
        const find = async () => {
          const ids = await send("find", statements.find, [request], issued(1));
          if (ids.length > 0) onReplay();
          return ids;
        };
        try {
          const ids = await send("issue", statements.issueFor, [1, from, request], issued(1));
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
    stock: () =>
      send("status", statements.stock, [], ([row]) => {
        const { available, sweep, total, filling } = row as SqlRow & Record<string, unknown>;
        const taken = amountIn(total) - amountIn(available);
        return stockIn({ available, sweep, taken, isFilling: filling === "yes" });
      }),
    add: (entries) => send("add", statements.add, [JSON.stringify(entries)], (rows) => rows.length),
    take: (ids) => {
      const entries = ids.map((id) => [id, 0]);
      return send("import", statements.take, [JSON.stringify(entries)], (rows) => rows.length);
    },
    claim: (filler, ms) =>
      send("claim", statements.claim, [filler, ms], ([row]) => (row ? sweepIn(row["sweep"]) : null)),
    leave: (filler) => send("leave", statements.leave, [filler], () => true),
    advance: (from, to) => send("advance", statements.advance, [from, to], (rows) => rows.length > 0),
  };
}

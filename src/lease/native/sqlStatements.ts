// Leases in PostgreSQL and SQLite: the rule as statements, each one an atomic step by the server's clock.
//
// A namespace has one row with its shape, history ID and fence, and one row per node. Rows of nodes that were never
// granted have `until` -1; they are inserted in groups when no free node is left. These columns have other names than
// the fields of the rule: `since` is `from`, `history` is `historyId`, `stale` is `staleUntil`, `longest` is
// `longestReachTicks`, and `space` is the first node of a node's space. All values are sent and returned as text, so that
// no client rounds a number.

import type { SqlPort } from "../../backend/ports.ts";
import { nowMsSql } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";

/** The statements, by name. Each one lists its parameters. */
export type LeaseStatements = Readonly<
  Record<
    | "acquire"
    | "renew"
    | "release"
    | "readSpace"
    | "countCurrent"
    | "addNamespace"
    | "recordHistory"
    | "addNodes"
    | "readNodes"
    | "readNamespace",
    string
  >
>;

/**
 * Returns the statements of a dialect.
 *
 * @param historyId SQL for the history ID of the store; `undefined` in SQLite and without a fence: the store is taken for
 *   one that loses nothing
 */
export function leaseStatements(backend: SqlPort, historyId: string | undefined): LeaseStatements {
  const isPostgres = backend.dialect === "postgres";
  const [namespaces, nodes] = [qualifiedTable(backend, "namespaces"), qualifiedTable(backend, "nodes")];
  const [max, min] = isPostgres ? ["GREATEST", "LEAST"] : ["MAX", "MIN"];
  const ms = nowMsSql(isPostgres);
  const int = (parameter: string) => `CAST(${parameter} AS BIGINT)`;
  const now = int("$4");
  const skewed = `ABS(${now} - ${ms}) > ${int("$5")}`;
  const tick = (ms: string, epoch = "$6", length = "$7") => `((${ms} - ${int(epoch)}) / ${int(length)})`;
  const newUntil = `${max}(until, ${tick(`${max}(${now}, ${ms})`)} + ${int("$8")})`;
  const reachedByBoth = `${max}(${tick(`${min}(${now}, ${ms})`)}, -1)`;
  const asText = (...names: string[]) => names.map((name) => `CAST(${name} AS TEXT) AS ${name}`).join(", ");
  const grantColumns = `${asText("node", "since", "until")}, CAST(${ms} AS TEXT) AS ms`;
  const hasHistory = isPostgres && historyId !== undefined;
  // Whether the store's history ID differs from the stored one.
  const isChanged = hasHistory ? `${historyId} NOT IN ('', history)` : "FALSE";
  const mayHaveLost = `history <> '' AND ${isChanged}`;
  type Parameters = Readonly<Record<"epoch" | "length" | "maxSkewTicks" | "maxReachTicks", string>>;
  const newStale = ({ epoch, length, maxSkewTicks }: Parameters) =>
    `CASE WHEN ${mayHaveLost}
    THEN ${max}(stale, ${tick(ms, epoch, length)} + ${int(maxSkewTicks)}) ELSE stale END`;
  const noticeHistory = (parameters: Parameters) => {
    const { epoch, length, maxReachTicks } = parameters;
    return `history = CASE WHEN ${isChanged} THEN ${historyId} ELSE history END, stale = ${newStale(parameters)},
  fence = CASE WHEN ${mayHaveLost}
    THEN ${max}(fence, ${tick(ms, epoch, length)} + ${max}(longest, ${int(maxReachTicks)})) ELSE fence END`;
  };
  const inRenewal = { epoch: "$6", length: "$7", maxSkewTicks: "$12", maxReachTicks: "$13" };
  const inRecord = { epoch: "$3", length: "$4", maxSkewTicks: "$5", maxReachTicks: "$2" };
  const stale = `(SELECT stale FROM ${namespaces} WHERE namespace = $1)`;
  // Whether the store cannot have forgotten a later grant of the node to another holder.
  const isLive = (until = "until") => (historyId === undefined ? "TRUE" : `${until} > ${stale}`);
  // The update in the CTE is not visible here, so compute `stale` again.
  const isLiveNow = hasHistory
    ? `until > (SELECT ${newStale(inRenewal)} FROM ${namespaces} WHERE namespace = $1)`
    : isLive();
  const isPastFence = historyId === undefined ? "TRUE" : `fence <= ${max}(${reachedByBoth}, 0)`;
  const isOwn = `n.owner = $2 AND n.nonce = $3 AND ${isLive("n.until")}`;
  const isCurrent = (generation: string, grantNonce: string) => `owner = $2 AND (
  (generation = ${int(generation)} AND nonce = ${grantNonce}) OR (generation = ${int(generation)} + 1 AND nonce = $3)
  OR generation < ${int(generation)})`;
  return {
    // $1 namespace, $2 owner, $3 nonce, $4 nowMs, $5 maxSkewMs, $6 epochMs, $7 tickMs, $8 ttlTicks, $9 maxReachTicks,
    // $10 first node of the space, $11 shape
    acquire: `WITH chosen AS MATERIALIZED (
  SELECT COALESCE(
    (SELECT node FROM ${nodes} WHERE namespace = $1 AND owner = $2 AND nonce = $3 AND ${isLive()} LIMIT 1),
    (SELECT node FROM ${nodes} WHERE namespace = $1 AND space = ${int("$10")} AND until <= ${reachedByBoth}
      ORDER BY until, node LIMIT 1 ${isPostgres ? "FOR UPDATE SKIP LOCKED" : ""})
  ) AS pick
)
UPDATE ${nodes} AS n SET
  owner = $2,
  since = CASE WHEN ${isOwn} THEN since ELSE ${max}(until, ${tick(now)}) END,
  until = ${newUntil},
  generation = 0,
  nonce = $3
WHERE namespace = $1 AND node = (SELECT pick FROM chosen) AND ((${isOwn}) OR until <= ${reachedByBoth})
  AND NOT ${skewed} AND EXISTS (SELECT 1 FROM ${namespaces} WHERE namespace = $1 AND shape = $11
    AND longest >= ${int("$9")} AND NOT ${isChanged} AND ((${isOwn}) OR ${isPastFence}))
RETURNING ${grantColumns}`,
    // $1 namespace, $2 owner, $3 nonce, $4 nowMs, $5 maxSkewMs, $6 epochMs, $7 tickMs, $8 ttlTicks, $9 node,
    // $10 generation, $11 grantNonce; if the store has a history, $12 maxSkewTicks, $13 maxReachTicks
    renew: `${
      hasHistory
        ? `WITH noticed AS (
  UPDATE ${namespaces} SET ${noticeHistory(inRenewal)} WHERE namespace = $1 AND ${isChanged} RETURNING 1
)
`
        : ""
    }UPDATE ${nodes} SET until = ${newUntil}, generation = ${int("$10")} + 1, nonce = $3
WHERE namespace = $1 AND node = ${int("$9")} AND ${isCurrent("$10", "$11")} AND ${isLiveNow} AND NOT ${skewed}
RETURNING ${grantColumns}`,
    // $1 namespace, $2 owner, $3 nonce, $4 node, $5 generation, $6 grantNonce, $7 nextTick
    release: `UPDATE ${nodes} SET owner = NULL, until = ${max}(since, ${int("$7")})
WHERE namespace = $1 AND node = ${int("$4")} AND ${isCurrent("$5", "$6")}`,
    // $1 namespace, $2 first node of the space, $3 maxReachTicks
    readSpace: `SELECT CAST(${ms} AS TEXT) AS ms,
  (SELECT shape FROM ${namespaces} WHERE namespace = $1) AS shape,
  (SELECT CAST(fence AS TEXT) FROM ${namespaces} WHERE namespace = $1) AS fence,
  (SELECT CAST(COUNT(*) AS TEXT) FROM ${namespaces} WHERE namespace = $1 AND longest >= ${int("$3")} AND NOT ${isChanged}) AS recorded,
  (SELECT CAST(MAX(node) AS TEXT) FROM ${nodes} WHERE namespace = $1 AND space = ${int("$2")}) AS largest,
  (SELECT CAST(MIN(until) AS TEXT) FROM ${nodes} WHERE namespace = $1 AND space = ${int("$2")}) AS soonest`,
    // $1 namespace, $2 owner, $3 nonce, $4 node, $5 generation, $6 grantNonce. Counts the node if the proof is current.
    countCurrent: `SELECT CAST(${ms} AS TEXT) AS ms, CAST(COUNT(*) AS TEXT) AS current
FROM ${nodes} WHERE namespace = $1 AND node = ${int("$4")} AND ${isCurrent("$5", "$6")} AND ${isLive()}`,
    // $1 namespace, $2 shape
    addNamespace: `INSERT INTO ${namespaces} (namespace, shape) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
    // $1 namespace, $2 maxReachTicks; if the store has a history, $3 epochMs, $4 tickMs, $5 maxSkewTicks
    recordHistory: `UPDATE ${namespaces} SET longest = ${max}(longest, ${int("$2")})${
      hasHistory ? `, ${noticeHistory(inRecord)}` : ""
    } WHERE namespace = $1`,
    // $1 namespace, $2 first node of the space, $3 first and $4 last node to add
    addNodes: `WITH RECURSIVE fresh (node) AS (
  SELECT ${int("$3")} UNION ALL SELECT node + 1 FROM fresh WHERE node < ${int("$4")}
)
INSERT INTO ${nodes} (namespace, space, node, owner, since, until)
SELECT CAST($1 AS TEXT), ${int("$2")}, node, NULL, -1, -1 FROM fresh WHERE TRUE ON CONFLICT DO NOTHING`,
    // $1 namespace
    readNodes: `SELECT ${asText("node", "since", "until", "generation")}, nonce, owner FROM ${nodes}
WHERE namespace = $1 AND since >= 0 ORDER BY ${nodes}.node`,
    // $1 namespace
    readNamespace: `SELECT CAST(${ms} AS TEXT) AS ms, shape, history, ${asText("fence", "stale", "longest")}
FROM (SELECT 1) AS one LEFT JOIN ${namespaces} ON namespace = $1`,
  };
}

// Leases in PostgreSQL and SQLite: the protocol as statements, each one an atomic step by the server's clock.
//
// A namespace has one row for its shape and its store, and one row per node. Rows of nodes that were never granted have
// `until` -1; they are inserted in groups when no free node is left. All values are sent and returned as text, so that no
// client rounds a number.

import type { SqlPort } from "../../backend/ports.ts";
import { nowMsSql } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";

/** The statements, by name. Each one lists its parameters. */
export type LeaseStatements = Readonly<
  Record<
    | "acquire"
    | "renew"
    | "release"
    | "look"
    | "check"
    | "addNamespace"
    | "notice"
    | "addNodes"
    | "readNodes"
    | "readNamespace",
    string
  >
>;

/**
 * Returns the statements of a dialect.
 *
 * @param history SQL for the history of the store; `undefined` if the store is taken for one that loses nothing
 */
export function leaseStatements(port: SqlPort, history: string | undefined): LeaseStatements {
  const isPostgres = port.dialect === "postgres";
  const [namespaces, nodes] = [qualifiedTable(port, "namespaces"), qualifiedTable(port, "nodes")];
  const [most, least] = isPostgres ? ["GREATEST", "LEAST"] : ["MAX", "MIN"];
  const ms = nowMsSql(isPostgres);
  const int = (parameter: string) => `CAST(${parameter} AS BIGINT)`;
  const now = int("$4");
  const skewed = `ABS(${now} - ${ms}) > ${int("$5")}`;
  const tick = (ms: string, epoch = "$6", length = "$7") => `((${ms} - ${int(epoch)}) / ${int(length)})`;
  const end = `${most}(until, ${tick(`${most}(${now}, ${ms})`)} + ${int("$8")})`;
  const reachedByBoth = `${most}(${tick(`${least}(${now}, ${ms})`)}, -1)`;
  const texts = (...names: string[]) => names.map((name) => `CAST(${name} AS TEXT) AS ${name}`).join(", ");
  const columns = `${texts("node", "since", "until")}, CAST(${ms} AS TEXT) AS ms`;
  const hasHistory = isPostgres && history !== undefined;
  // Whether the store's history differs from the stored one.
  const isChanged = hasHistory ? `${history} NOT IN ('', history)` : "FALSE";
  const wentBack = `history <> '' AND ${isChanged}`;
  type Parameters = Readonly<Record<"epoch" | "length" | "reach" | "ttl", string>>;
  const staleBy = ({ epoch, length, reach, ttl }: Parameters) =>
    `CASE WHEN ${wentBack}
    THEN ${most}(stale, ${tick(ms, epoch, length)} + (${int(reach)} - ${int(ttl)} + 1) / 2) ELSE stale END`;
  const noticeHistory = (parameters: Parameters) => {
    const { epoch, length, reach } = parameters;
    return `history = CASE WHEN ${isChanged} THEN ${history} ELSE history END, stale = ${staleBy(parameters)},
  fence = CASE WHEN ${wentBack}
    THEN ${most}(fence, ${tick(ms, epoch, length)} + ${most}(longest, ${int(reach)})) ELSE fence END`;
  };
  const ofRenewal = { epoch: "$6", length: "$7", reach: "$12", ttl: "$8" };
  const ofNotice = { epoch: "$3", length: "$4", reach: "$2", ttl: "$5" };
  const staleAt = `(SELECT stale FROM ${namespaces} WHERE namespace = $1)`;
  // Not a grant that had ended when the store went back, because another holder may have had the node since.
  const isLive = (until = "until") => (history === undefined ? "TRUE" : `${until} > ${staleAt}`);
  // The update in the CTE is not visible here, so compute `stale` again.
  const isLiveNow = hasHistory
    ? `until > (SELECT ${staleBy(ofRenewal)} FROM ${namespaces} WHERE namespace = $1)`
    : isLive();
  const isPastFence = history === undefined ? "TRUE" : `fence <= ${most}(${reachedByBoth}, 0)`;
  const isOwn = `n.owner = $2 AND n.nonce = $3 AND ${isLive("n.until")}`;
  const isCurrent = (generation: string, grantNonce: string) => `owner = $2 AND (
  (generation = ${int(generation)} AND nonce = ${grantNonce}) OR (generation = ${int(generation)} + 1 AND nonce = $3)
  OR generation < ${int(generation)})`;
  return {
    // $1 namespace, $2 owner, $3 nonce, $4 now, $5 skew, $6 epoch, $7 tick, $8 ttl, $9 reach, $10 space, $11 shape
    acquire: `WITH chosen AS MATERIALIZED (
  SELECT COALESCE(
    (SELECT node FROM ${nodes} WHERE namespace = $1 AND owner = $2 AND nonce = $3 AND ${isLive()} LIMIT 1),
    (SELECT node FROM ${nodes} WHERE namespace = $1 AND space = ${int("$10")} AND until <= ${reachedByBoth}
      ORDER BY until, node LIMIT 1 ${isPostgres ? "FOR UPDATE SKIP LOCKED" : ""})
  ) AS pick
)
UPDATE ${nodes} AS n SET
  owner = $2,
  since = CASE WHEN ${isOwn} THEN since ELSE ${most}(until, ${tick(now)}) END,
  until = ${end},
  generation = 0,
  nonce = $3
WHERE namespace = $1 AND node = (SELECT pick FROM chosen) AND ((${isOwn}) OR until <= ${reachedByBoth})
  AND NOT ${skewed} AND EXISTS (SELECT 1 FROM ${namespaces} WHERE namespace = $1 AND shape = $11
    AND longest >= ${int("$9")} AND NOT ${isChanged} AND ((${isOwn}) OR ${isPastFence}))
RETURNING ${columns}`,
    // $1 namespace, $2 owner, $3 nonce, $4 now, $5 skew, $6 epoch, $7 tick, $8 ttl, $9 node, $10 generation, $11 nonce of
    // the grant, and $12 reach if the store has a history
    renew: `${
      hasHistory
        ? `WITH noticed AS (
  UPDATE ${namespaces} SET ${noticeHistory(ofRenewal)} WHERE namespace = $1 AND ${isChanged} RETURNING 1
)
`
        : ""
    }UPDATE ${nodes} SET until = ${end}, generation = ${int("$10")} + 1, nonce = $3
WHERE namespace = $1 AND node = ${int("$9")} AND ${isCurrent("$10", "$11")} AND ${isLiveNow} AND NOT ${skewed}
RETURNING ${columns}`,
    // $1 namespace, $2 owner, $3 nonce, $4 node, $5 generation, $6 nonce of the grant, $7 first tick not stamped
    release: `UPDATE ${nodes} SET owner = NULL, until = ${most}(since, ${int("$7")})
WHERE namespace = $1 AND node = ${int("$4")} AND ${isCurrent("$5", "$6")}`,
    // $1 namespace, $2 space, $3 reach
    look: `SELECT CAST(${ms} AS TEXT) AS ms,
  (SELECT shape FROM ${namespaces} WHERE namespace = $1) AS shape,
  (SELECT CAST(fence AS TEXT) FROM ${namespaces} WHERE namespace = $1) AS fence,
  (SELECT CAST(COUNT(*) AS TEXT) FROM ${namespaces} WHERE namespace = $1 AND longest >= ${int("$3")} AND NOT ${isChanged}) AS known,
  (SELECT CAST(MAX(node) AS TEXT) FROM ${nodes} WHERE namespace = $1 AND space = ${int("$2")}) AS newest,
  (SELECT CAST(MIN(until) AS TEXT) FROM ${nodes} WHERE namespace = $1 AND space = ${int("$2")}) AS soonest`,
    // $1 namespace, $2 owner, $3 nonce, $4 node, $5 generation, $6 nonce of the grant
    check: `SELECT CAST(${ms} AS TEXT) AS ms, CAST(COUNT(*) AS TEXT) AS owned
FROM ${nodes} WHERE namespace = $1 AND node = ${int("$4")} AND ${isCurrent("$5", "$6")} AND ${isLive()}`,
    // $1 namespace, $2 shape
    addNamespace: `INSERT INTO ${namespaces} (namespace, shape) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
    // $1 namespace, $2 reach, and $3 epoch, $4 tick, $5 ttl if the store has a history
    notice: `UPDATE ${namespaces} SET longest = ${most}(longest, ${int("$2")})${
      hasHistory ? `, ${noticeHistory(ofNotice)}` : ""
    } WHERE namespace = $1`,
    // $1 namespace, $2 space, $3 first, $4 last
    addNodes: `WITH RECURSIVE fresh (node) AS (
  SELECT ${int("$3")} UNION ALL SELECT node + 1 FROM fresh WHERE node < ${int("$4")}
)
INSERT INTO ${nodes} (namespace, space, node, owner, since, until)
SELECT CAST($1 AS TEXT), ${int("$2")}, node, NULL, -1, -1 FROM fresh WHERE TRUE ON CONFLICT DO NOTHING`,
    // $1 namespace
    readNodes: `SELECT ${texts("node", "since", "until", "generation")}, nonce, owner FROM ${nodes}
WHERE namespace = $1 AND since >= 0 ORDER BY ${nodes}.node`,
    // $1 namespace
    readNamespace: `SELECT CAST(${ms} AS TEXT) AS ms, shape, history, ${texts("fence", "stale", "longest")}
FROM (SELECT 1) AS one LEFT JOIN ${namespaces} ON namespace = $1`,
  };
}

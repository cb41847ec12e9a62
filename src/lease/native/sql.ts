// Leases in PostgreSQL and SQLite: the protocol as statements, each one step by the server's own clock.
//
// A namespace has one row for its shape and its store, and one for each node. Rows of nodes that were never granted have
// `until` -1; they are made a few at a time, when none is left that is free. All that is sent and asked for is text, so
// that no client gets to round a number.

import { type CallOptions, callStore, startTimer } from "../../backend/call.ts";
import { historySql } from "../../backend/history.ts";
import type { SqlPort, SqlRow } from "../../backend/ports.ts";
import { nowMsSql } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";
import { parseGrant, parseWholes } from "../parseAnswer.ts";
import type { LeasePort } from "../port.ts";
import { type NodeState, type LeaseAnswer, type LeaseClaim, type NodeSpace, tickAt } from "../rule.ts";

/** How many rows of nodes are made at once. */
const ROWS = 1024;

/** The `until` of the first node where there is none. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** How often an acquire is sent that finds a node free, and then does not get it because others are faster. */
const TRIES = 50;

/**
 * The statements, in a dialect.
 *
 * @param history SQL for the history of the store; `undefined` if it is taken for one that forgets nothing
 */
function statementsOf(port: SqlPort, history: string | undefined) {
  const isPostgres = port.dialect === "postgres";
  const [namespaces, nodes] = [qualifiedTable(port, "namespaces"), qualifiedTable(port, "nodes")];
  const [most, least] = isPostgres ? ["GREATEST", "LEAST"] : ["MAX", "MIN"];
  const ms = nowMsSql(isPostgres);
  const int = (parameter: string) => `CAST(${parameter} AS BIGINT)`;
  const now = int("$4");
  const skewed = `ABS(${now} - ${ms}) > ${int("$5")}`;
  const tick = (of: string, epoch = "$6", length = "$7") => `((${of} - ${int(epoch)}) / ${int(length)})`;
  const ends = `${most}(until, ${tick(`${most}(${now}, ${ms})`)} + ${int("$8")})`;
  const past = `${most}(${tick(`${least}(${now}, ${ms})`)}, -1)`;
  const texts = (...names: string[]) => names.map((name) => `CAST(${name} AS TEXT) AS ${name}`).join(", ");
  const asked = `${texts("node", "since", "until")}, CAST(${ms} AS TEXT) AS ms`;
  const isTold = isPostgres && history !== undefined;
  // Whether the store is on another history than the one that is written down.
  const isOther = isTold ? `${history} NOT IN ('', history)` : "FALSE";
  const isReturned = `history <> '' AND ${isOther}`;
  type Parameters = Readonly<Record<"epoch" | "length" | "reach" | "ttl", string>>;
  const staleBy = ({ epoch, length, reach, ttl }: Parameters) =>
    `CASE WHEN ${isReturned}
    THEN ${most}(stale, ${tick(ms, epoch, length)} + (${int(reach)} - ${int(ttl)} + 1) / 2) ELSE stale END`;
  const notice = (parameters: Parameters) => {
    const { epoch, length, reach } = parameters;
    return `history = CASE WHEN ${isOther} THEN ${history} ELSE history END, stale = ${staleBy(parameters)},
  fence = CASE WHEN ${isReturned}
    THEN ${most}(fence, ${tick(ms, epoch, length)} + ${most}(longest, ${int(reach)})) ELSE fence END`;
  };
  const ofRenewal = { epoch: "$6", length: "$7", reach: "$12", ttl: "$8" };
  const ofNotice = { epoch: "$3", length: "$4", reach: "$2", ttl: "$5" };
  const staleAt = `(SELECT stale FROM ${namespaces} WHERE namespace = $1)`;
  // A grant that had ended when the store went back: another may have had the node since.
  const isLive = history === undefined ? "TRUE" : `until > ${staleAt}`;
  // The statement that notices sees the row as it was before.
  const isLiveNow = isTold
    ? `until > (SELECT ${staleBy(ofRenewal)} FROM ${namespaces} WHERE namespace = $1)`
    : isLive;
  const isFree = history === undefined ? "TRUE" : `fence <= ${most}(${past}, 0)`;
  const isMine = `n.owner = $2 AND n.nonce = $3 AND ${isLive.replace("until", "n.until")}`;
  const is = (generation: string, held: string) => `owner = $2 AND (
  (generation = ${int(generation)} AND nonce = ${held}) OR (generation = ${int(generation)} + 1 AND nonce = $3)
  OR generation < ${int(generation)})`;
  return {
    // $1 namespace, $2 owner, $3 nonce, $4 now, $5 skew, $6 epoch, $7 tick, $8 ttl, $9 reach, $10 space, $11 shape
    acquire: `WITH chosen AS MATERIALIZED (
  SELECT COALESCE(
    (SELECT node FROM ${nodes} WHERE namespace = $1 AND owner = $2 AND nonce = $3 AND ${isLive} LIMIT 1),
    (SELECT node FROM ${nodes} WHERE namespace = $1 AND space = ${int("$10")} AND until <= ${past}
      ORDER BY until, node LIMIT 1 ${isPostgres ? "FOR UPDATE SKIP LOCKED" : ""})
  ) AS pick
)
UPDATE ${nodes} AS n SET
  owner = $2,
  since = CASE WHEN ${isMine} THEN since ELSE ${most}(until, ${tick(now)}) END,
  until = ${ends},
  generation = 0,
  nonce = $3
WHERE namespace = $1 AND node = (SELECT pick FROM chosen) AND ((${isMine}) OR until <= ${past})
  AND NOT ${skewed} AND EXISTS (SELECT 1 FROM ${namespaces} WHERE namespace = $1 AND shape = $11
    AND longest >= ${int("$9")} AND NOT ${isOther} AND ((${isMine}) OR ${isFree}))
RETURNING ${asked}`,
    // $1 namespace, $2 owner, $3 nonce, $4 now, $5 skew, $6 epoch, $7 tick, $8 ttl, $9 node, $10 generation, $11 nonce of
    // the grant, and $12 reach where the history is told
    renew: `${
      isTold
        ? `WITH noticed AS (
  UPDATE ${namespaces} SET ${notice(ofRenewal)} WHERE namespace = $1 AND ${isOther} RETURNING 1
)
`
        : ""
    }UPDATE ${nodes} SET until = ${ends}, generation = ${int("$10")} + 1, nonce = $3
WHERE namespace = $1 AND node = ${int("$9")} AND ${is("$10", "$11")} AND ${isLiveNow} AND NOT ${skewed}
RETURNING ${asked}`,
    // $1 namespace, $2 owner, $3 nonce, $4 node, $5 generation, $6 nonce of the grant, $7 unused
    release: `UPDATE ${nodes} SET owner = NULL, until = ${most}(since, ${int("$7")})
WHERE namespace = $1 AND node = ${int("$4")} AND ${is("$5", "$6")}`,
    // $1 namespace, $2 space, $3 reach
    look: `SELECT CAST(${ms} AS TEXT) AS ms,
  (SELECT shape FROM ${namespaces} WHERE namespace = $1) AS shape,
  (SELECT CAST(fence AS TEXT) FROM ${namespaces} WHERE namespace = $1) AS fence,
  (SELECT CAST(COUNT(*) AS TEXT) FROM ${namespaces} WHERE namespace = $1 AND longest >= ${int("$3")} AND NOT ${isOther}) AS known,
  (SELECT CAST(MAX(node) AS TEXT) FROM ${nodes} WHERE namespace = $1 AND space = ${int("$2")}) AS newest,
  (SELECT CAST(MIN(until) AS TEXT) FROM ${nodes} WHERE namespace = $1 AND space = ${int("$2")}) AS soonest`,
    // $1 namespace, $2 owner, $3 nonce, $4 node, $5 generation, $6 nonce of the grant
    whose: `SELECT CAST(${ms} AS TEXT) AS ms, CAST(COUNT(*) AS TEXT) AS mine
FROM ${nodes} WHERE namespace = $1 AND node = ${int("$4")} AND ${is("$5", "$6")} AND ${isLive}`,
    // $1 namespace, $2 shape
    name: `INSERT INTO ${namespaces} (namespace, shape) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
    // $1 namespace, $2 reach, and $3 epoch, $4 tick, $5 ttl where the history is told
    notice: `UPDATE ${namespaces} SET longest = ${most}(longest, ${int("$2")})${
      isTold ? `, ${notice(ofNotice)}` : ""
    } WHERE namespace = $1`,
    // $1 namespace, $2 space, $3 first, $4 last
    grow: `WITH RECURSIVE fresh (node) AS (
  SELECT ${int("$3")} UNION ALL SELECT node + 1 FROM fresh WHERE node < ${int("$4")}
)
INSERT INTO ${nodes} (namespace, space, node, owner, since, until)
SELECT CAST($1 AS TEXT), ${int("$2")}, node, NULL, -1, -1 FROM fresh WHERE TRUE ON CONFLICT DO NOTHING`,
    // $1 namespace
    read: `SELECT ${texts("node", "since", "until", "generation")}, nonce, owner FROM ${nodes}
WHERE namespace = $1 AND since >= 0 ORDER BY ${nodes}.node`,
    // $1 namespace
    book: `SELECT CAST(${ms} AS TEXT) AS ms, shape, history, ${texts("fence", "stale", "longest")}
FROM (SELECT 1) AS one LEFT JOIN ${namespaces} ON namespace = $1`,
  };
}

/** What there is of a space. */
interface Look {
  readonly storeMs: number;
  readonly shape: unknown;
  readonly fence: number;
  /** Whether the reach of the holder and the history of the store are written down. */
  readonly isKnown: boolean;
  readonly newest: number;
  readonly soonest: number;
}

export function sqlStore(port: SqlPort, namespace: string): LeasePort {
  const plain = statementsOf(port, undefined);
  /** The statements of a space, and whether they take what the history of the store asks for. */
  const statementsFor = async ({ isFenced }: NodeSpace) => {
    if (!isFenced || port.dialect !== "postgres") return { ...plain, isTold: false };
    const history = await historySql(port);
    return { ...statementsOf(port, history), isTold: true };
  };
  type Read<T> = (rows: readonly SqlRow[]) => T | undefined;
  type Asked<T> = CallOptions & { readonly onLateAnswer?: (meaning: T) => void };
  const send = <T>(operation: string, text: string, params: unknown[], read: Read<T>, asking?: Asked<T>) => {
    const call = () => port.query(text, [namespace, ...params].map(String));
    return callStore(port, `lease: ${operation}`, call, (rows) => read(rows as readonly SqlRow[]), asking);
  };
  const terms = ({ maxSkewMs, epochMs, tickMs, ttlTicks }: NodeSpace) => [
    maxSkewMs,
    epochMs,
    tickMs,
    ttlTicks,
  ];
  /** The grant, if a row says so; `null` if there is none. */
  const grantOf =
    (nodes: Pick<NodeSpace, "first" | "count">) =>
    ([row]: readonly SqlRow[]): LeaseAnswer | null =>
      row ? parseGrant(nodes, [row["node"], row["since"], row["until"], row["ms"]]) : null;
  const readLook =
    (space: NodeSpace): Read<Look> =>
    ([row]) => {
      const { ms, shape, fence, known, newest, soonest } = row as SqlRow & Record<string, unknown>;
      const numbers = [ms, fence ?? 0, known, newest ?? space.first - 1, soonest ?? NEVER];
      const [storeMs = 0, raised = 0, isKnown = 0, last = 0, end = 0] = parseWholes(numbers);
      return { storeMs, shape, fence: raised, isKnown: isKnown > 0, newest: last, soonest: end };
    };

  return {
    async acquire(space, { owner, nonce }, nowMs, acquiring = {}) {
      const { onLateAnswer, ...asking } = acquiring;
      const { first, count, shape, reach, epochMs, tickMs, ttlTicks, isFenced } = space;
      const statements = await statementsFor(space);
      const params = [owner, nonce, nowMs, ...terms(space), reach, first, shape];
      const last = first + count - 1;
      for (let tries = 1; ; tries++) {
        const grant = await send("acquire", statements.acquire, params, grantOf(space), acquiring);
        if (grant) return grant;
        // Why not? What is seen now may have changed since; it only decides what to say, or whether to ask again.
        const look = await send("look", statements.look, [first, reach], readLook(space), asking);
        const { storeMs, newest, soonest } = look;
        if (look.shape !== null && look.shape !== shape)
          return { outcome: "shape", shape: String(look.shape) };
        if (Math.abs(nowMs - storeMs) > space.maxSkewMs) return { outcome: "skew", storeMs };
        const past = Math.max(tickAt(space, Math.min(nowMs, storeMs)), -1);
        if (look.isKnown && isFenced && look.fence > Math.max(past, 0)) {
          return { outcome: "fenced", until: look.fence, storeMs };
        }
        const isFree = soonest <= past;
        if (tries === TRIES || (look.isKnown && !isFree && newest >= last)) {
          return { outcome: "taken", soonest, storeMs };
        }
        if (look.shape === null) await send("name", statements.name, [shape], () => true, asking);
        if (!look.isKnown) {
          const noticed = statements.isTold ? [reach, epochMs, tickMs, ttlTicks] : [reach];
          await send("notice", statements.notice, noticed, () => true, asking);
        }
        if (!isFree && newest < last) {
          const range = [first, newest + 1, Math.min(newest + ROWS, last)];
          await send("grow", statements.grow, range, () => true, asking);
        }
        // Others ask at the same moment: not all of them again at the same moment.
        if (tries > 1)
          await new Promise<void>((wake) => startTimer(wake, Math.random() * 5 * tries, asking.background));
      }
    },
    async renew(space, { owner, nonce, node, generation, grantNonce }, nowMs, asking) {
      const statements = await statementsFor(space);
      const claim = [node, generation, grantNonce];
      const params = [
        owner,
        nonce,
        nowMs,
        ...terms(space),
        ...claim,
        ...(statements.isTold ? [space.reach] : []),
      ];
      const grant = await send("renew", statements.renew, params, grantOf({ first: node, count: 1 }), asking);
      if (grant) return grant;
      const read: Read<LeaseAnswer> = ([row]) => {
        const [storeMs = 0, mine = 0] = parseWholes([row?.["ms"], row?.["mine"]]);
        return { outcome: mine ? "skew" : "lost", storeMs };
      };
      return send("renew", statements.whose, [owner, nonce, ...claim], read, asking);
    },
    async release(_space, { owner, nonce, node, generation, grantNonce }: LeaseClaim, unused) {
      await send("release", plain.release, [owner, nonce, node, generation, grantNonce, unused], () => true);
    },
    async read() {
      const row = await send("read", plain.book, [], ([first]) => first);
      const { ms, shape, history } = row;
      const numbers = [ms, row["fence"] ?? 0, row["stale"] ?? 0, row["longest"] ?? 0];
      const [storeMs = 0, fence = 0, stale = 0, longest = 0] = parseWholes(numbers);
      const nodes = await send("read", plain.read, [], (rows) => {
        const all = new Map<number, NodeState>();
        for (const { node, since, until, generation, nonce, owner } of rows) {
          const [name = 0, from = 0, end = 0, renewals = 0] = parseWholes([node, since, until, generation]);
          const holder = owner === null ? null : String(owner);
          all.set(name, { owner: holder, from, until: end, generation: renewals, nonce: String(nonce) });
        }
        return all;
      });
      const book = { shape: String(shape), nodes, history: String(history), fence, stale, longest };
      return { book: shape === null ? undefined : book, storeMs };
    },
  };
}

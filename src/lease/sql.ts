// Leases in PostgreSQL and SQLite: the protocol as statements, each one step by the server's own clock.
//
// A namespace has one row for its shape and one for each node. Rows of nodes that were never granted have `until` -1;
// they are made a few at a time, when none is left that is free. All that is sent and asked for is text, so that no
// client gets to round a number.

import { type Asking, ask, startTimer } from "../backend/ask.ts";
import type { SqlPort, SqlRow } from "../backend/ports.ts";
import { msOf, pathOf } from "../backend/settings.ts";
import { readGrant, wholes } from "./answer.ts";
import { type Answer, type Holding, type Space, tickAt } from "./protocol.ts";
import type { LeaseStore } from "./store.ts";

/** How many rows of nodes are made at once. */
const ROWS = 1024;

/** The `until` of the first node where there is none. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** How often an acquire is sent that finds a node free, and then does not get it because others are faster. */
const TRIES = 50;

/** The statements, in a dialect. */
function statementsOf(port: SqlPort) {
  const isPostgres = port.dialect === "postgres";
  const [namespaces, nodes] = [pathOf(port, "namespaces"), pathOf(port, "nodes")];
  const [most, least] = isPostgres ? ["GREATEST", "LEAST"] : ["MAX", "MIN"];
  const ms = msOf(isPostgres);
  const int = (parameter: string) => `CAST(${parameter} AS BIGINT)`;
  const now = int("$3");
  const skewed = `ABS(${now} - ${ms}) > ${int("$4")}`;
  const tick = (of: string) => `((${of} - ${int("$5")}) / ${int("$6")})`;
  const ends = `${most}(until, ${tick(`${most}(${now}, ${ms})`)} + ${int("$7")})`;
  const past = `${most}(${tick(`${least}(${now}, ${ms})`)}, -1)`;
  const texts = (...names: string[]) => names.map((name) => `CAST(${name} AS TEXT) AS ${name}`).join(", ");
  const asked = `${texts("node", "since", "until")}, CAST(${ms} AS TEXT) AS ms`;
  return {
    // $1 namespace, $2 owner, $3 now, $4 skew, $5 epoch, $6 tick, $7 ttl, $8 space, $9 shape
    acquire: `WITH chosen AS MATERIALIZED (
  SELECT COALESCE(
    (SELECT node FROM ${nodes} WHERE namespace = $1 AND owner = $2 LIMIT 1),
    (SELECT node FROM ${nodes} WHERE namespace = $1 AND space = ${int("$8")} AND until <= ${past}
      ORDER BY until, node LIMIT 1 ${isPostgres ? "FOR UPDATE SKIP LOCKED" : ""})
  ) AS pick
)
UPDATE ${nodes} SET
  owner = $2,
  since = CASE WHEN owner = $2 THEN since ELSE ${most}(until, ${tick(now)}) END,
  until = ${ends}
WHERE namespace = $1 AND node = (SELECT pick FROM chosen) AND (owner = $2 OR until <= ${past})
  AND NOT ${skewed} AND EXISTS (SELECT 1 FROM ${namespaces} WHERE namespace = $1 AND shape = $9)
RETURNING ${asked}`,
    // $1 namespace, $2 owner, $3 now, $4 skew, $5 epoch, $6 tick, $7 ttl, $8 node
    renew: `UPDATE ${nodes} SET until = ${ends}
WHERE namespace = $1 AND owner = $2 AND node = ${int("$8")} AND NOT ${skewed}
RETURNING ${asked}`,
    // $1 namespace, $2 owner, $3 node, $4 unused
    release: `UPDATE ${nodes} SET owner = NULL, until = ${least}(until, ${most}(since, ${int("$4")}))
WHERE namespace = $1 AND owner = $2 AND node = ${int("$3")}`,
    // $1 namespace, $2 space
    look: `SELECT CAST(${ms} AS TEXT) AS ms,
  (SELECT shape FROM ${namespaces} WHERE namespace = $1) AS shape,
  (SELECT CAST(MAX(node) AS TEXT) FROM ${nodes} WHERE namespace = $1 AND space = ${int("$2")}) AS newest,
  (SELECT CAST(MIN(until) AS TEXT) FROM ${nodes} WHERE namespace = $1 AND space = ${int("$2")}) AS soonest`,
    // $1 namespace, $2 owner, $3 node
    whose: `SELECT CAST(${ms} AS TEXT) AS ms, CAST(COUNT(*) AS TEXT) AS mine
FROM ${nodes} WHERE namespace = $1 AND owner = $2 AND node = ${int("$3")}`,
    // $1 namespace, $2 shape
    name: `INSERT INTO ${namespaces} (namespace, shape) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
    // $1 namespace, $2 space, $3 first, $4 last
    grow: `WITH RECURSIVE fresh (node) AS (
  SELECT ${int("$3")} UNION ALL SELECT node + 1 FROM fresh WHERE node < ${int("$4")}
)
INSERT INTO ${nodes} (namespace, space, node, owner, since, until)
SELECT CAST($1 AS TEXT), ${int("$2")}, node, NULL, -1, -1 FROM fresh WHERE TRUE ON CONFLICT DO NOTHING`,
    // $1 namespace
    read: `SELECT ${texts("node", "since", "until")}, owner FROM ${nodes}
WHERE namespace = $1 AND since >= 0 ORDER BY ${nodes}.node`,
  };
}

export function sqlStore(port: SqlPort, namespace: string): LeaseStore {
  const statements = statementsOf(port);
  type Read<T> = (rows: readonly SqlRow[]) => T | undefined;
  type Asked<T> = Asking & { readonly late?: (meaning: T) => void };
  const send = <T>(operation: string, text: string, params: unknown[], read: Read<T>, asking?: Asked<T>) => {
    const call = () => port.query(text, [namespace, ...params].map(String));
    return ask(port, `lease: ${operation}`, call, (rows) => read(rows as readonly SqlRow[]), asking);
  };
  const terms = ({ maxSkewMs, epochMs, tickMs, ttlTicks }: Space) => [maxSkewMs, epochMs, tickMs, ttlTicks];
  /** The grant, if a row says so; `null` if there is none. */
  const grantOf =
    (nodes: Pick<Space, "first" | "count">) =>
    ([row]: readonly SqlRow[]): Answer | null =>
      row ? readGrant(nodes, [row["node"], row["since"], row["until"], row["ms"]]) : null;
  /** What there is of a space. */
  const look = (space: Pick<Space, "first">, asking?: Asking) => {
    const read: Read<{ storeMs: number; shape: unknown; newest: number; soonest: number }> = ([row]) => {
      const { ms, shape, newest, soonest } = row as SqlRow &
        Record<"ms" | "shape" | "newest" | "soonest", unknown>;
      const [storeMs = 0, last = 0, end = 0] = wholes([ms, newest ?? space.first - 1, soonest ?? NEVER]);
      return { storeMs, shape, newest: last, soonest: end };
    };
    return send("look", statements.look, [space.first], read, asking);
  };

  return {
    async acquire(space, owner, nowMs, acquiring = {}) {
      const { late, ...asking } = acquiring;
      const params = [owner, nowMs, ...terms(space), space.first, space.shape];
      const last = space.first + space.count - 1;
      for (let tries = 1; ; tries++) {
        const grant = await send("acquire", statements.acquire, params, grantOf(space), acquiring);
        if (grant) return grant;
        // Why not? What is seen now may have changed since; it only decides what to say, or whether to ask again.
        const { storeMs, shape, newest, soonest } = await look(space, asking);
        if (shape !== null && shape !== space.shape) return { outcome: "shape", shape: String(shape) };
        if (Math.abs(nowMs - storeMs) > space.maxSkewMs) return { outcome: "skew", storeMs };
        const isFree = soonest <= Math.max(tickAt(space, Math.min(nowMs, storeMs)), -1);
        if (tries === TRIES || (!isFree && newest >= last && shape !== null)) {
          return { outcome: "taken", soonest, storeMs };
        }
        if (shape === null) await send("name", statements.name, [space.shape], () => true, asking);
        if (!isFree && newest < last) {
          const range = [space.first, newest + 1, Math.min(newest + ROWS, last)];
          await send("grow", statements.grow, range, () => true, asking);
        }
        // Others ask at the same moment: not all of them again at the same moment.
        if (tries > 1)
          await new Promise<void>((wake) => startTimer(wake, Math.random() * 5 * tries, asking.background));
      }
    },
    async renew(space, owner, node, nowMs, asking) {
      const params = [owner, nowMs, ...terms(space), node];
      const grant = await send("renew", statements.renew, params, grantOf({ first: node, count: 1 }), asking);
      if (grant) return grant;
      const read: Read<Answer> = ([row]) => {
        const [storeMs = 0, mine = 0] = wholes([row?.["ms"], row?.["mine"]]);
        return { outcome: mine ? "skew" : "lost", storeMs };
      };
      return send("renew", statements.whose, [owner, node], read, asking);
    },
    async release(_space, owner, node, unused) {
      await send("release", statements.release, [owner, node, unused], () => true);
    },
    async read() {
      const { shape, storeMs } = await look({ first: 0 });
      const nodes = await send("read", statements.read, [], (rows) => {
        const all = new Map<number, Holding>();
        for (const { node, since, until, owner } of rows) {
          const [name = 0, from = 0, end = 0] = wholes([node, since, until]);
          all.set(name, { owner: owner === null ? null : String(owner), from, until: end });
        }
        return all;
      });
      return { book: shape === null ? undefined : { shape: String(shape), nodes }, storeMs };
    },
  };
}

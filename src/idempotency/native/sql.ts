// Keys in PostgreSQL and SQLite: each step one statement, by the server's own clock.

import type { CallOptions } from "../../backend/call.ts";
import { GRACE_MS, makeRowCleaner } from "../../backend/expiry.ts";
import type { SqlPort, SqlRow } from "../../backend/ports.ts";
import { nowMsSql, queryRows } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";
import { BackendError } from "../../internal.ts";
import { parseAcquireResult } from "../parseAnswers.ts";
import type { OncePort } from "../port.ts";
import type { AcquireResult, LockRequest } from "../rule.ts";

/** How often a beginning is tried that finds the key taken, and then finds it free. */
const TRIES = 50;

/** The statements, in a dialect. $1 is the name, $2 the key, $3 the owner. */
function statementsOf(port: SqlPort, now: string) {
  const once = qualifiedTable(port, "once");
  const after = (parameter: string) => `${now} + CAST(${parameter} AS BIGINT)`;
  const mine = `WHERE name = $1 AND key = $2 AND owner = $3 AND ends > ${now}`;
  const isRunning = "until IS NOT NULL";
  // Not known of a lock that an earlier version took.
  const isOutOfReach = `until - ${now} > lock_ms + ${GRACE_MS}`;
  return {
    // $4 fingerprint, $5 lock, $6 keep
    begin: `INSERT INTO ${once} AS held (name, key, owner, fingerprint, until, lock_ms, value, ends)
VALUES ($1, $2, $3, $4, ${after("$5")}, CAST($5 AS BIGINT), NULL, ${after("$6")})
ON CONFLICT (name, key) DO UPDATE SET
  owner = excluded.owner, fingerprint = excluded.fingerprint, until = excluded.until,
  lock_ms = excluded.lock_ms, value = NULL, ends = excluded.ends
WHERE held.ends <= ${now} OR (
  held.fingerprint = excluded.fingerprint AND held.${isRunning} AND (held.owner = excluded.owner OR held.until <= ${now})
) RETURNING key`,
    // $1 name, $2 key
    look: `SELECT fingerprint, value, CAST(until - ${now} AS TEXT) AS wait,
  CASE WHEN ${isOutOfReach} THEN 'yes' ELSE 'no' END AS far
FROM ${once} WHERE name = $1 AND key = $2 AND ends > ${now}`,
    // $1 name, $2 key
    pullBack: `UPDATE ${once} SET until = ${now} + lock_ms WHERE name = $1 AND key = $2 AND ${isOutOfReach}`,
    // $4 lock, $5 keep
    extend: `UPDATE ${once} SET until = ${after("$4")}, lock_ms = CAST($4 AS BIGINT), ends = ${after("$5")}
${mine} AND ${isRunning} RETURNING key`,
    // $4 keep, $5 value
    complete: (value: string) =>
      `UPDATE ${once} SET until = NULL, value = ${value}, ends = ${after("$4")} ${mine} RETURNING key`,
    release: `DELETE FROM ${once} ${mine} AND ${isRunning} RETURNING key`,
  };
}

export function sqlStore(port: SqlPort, name: string): OncePort {
  const now = nowMsSql(port.dialect === "postgres");
  const statements = statementsOf(port, now);
  const clean = makeRowCleaner(port, "once", now);
  const send = <T>(
    operation: string,
    text: string,
    params: readonly unknown[],
    read: (rows: readonly SqlRow[]) => T,
    asking?: CallOptions,
  ) =>
    queryRows(
      port,
      `idempotency: ${operation}`,
      text,
      [name, ...params],
      (rows) => (rows.length > 1 ? undefined : read(rows)),
      asking,
    );
  const isDone = (rows: readonly SqlRow[]) => rows.length > 0;
  const look = (key: string, fingerprint: string, asking?: CallOptions) =>
    send("begin", statements.look, [key], ([row]) => (row ? seen(row, fingerprint) : null), asking);

  return {
    async acquire(key, claim: LockRequest, { onLateAnswer, ...asking } = {}) {
      clean();
      const { owner, fingerprint, lockMs, keepMs } = claim;
      const started = (rows: readonly SqlRow[]): AcquireResult | null =>
        isDone(rows) ? { outcome: "started" } : null;
      const lateStart = {
        ...asking,
        onLateAnswer: (start: AcquireResult | null) => start && onLateAnswer?.(start),
      };
      for (let tries = 0; tries < TRIES; tries++) {
        const params = [key, owner, fingerprint, lockMs, keepMs];
        const start = await send("begin", statements.begin, params, started, lateStart);
        // Why not? What is seen now may have changed since; then it is asked for again.
        const beginning = start ?? (await look(key, fingerprint, asking));
        if (beginning === "far") await send("begin", statements.pullBack, [key], () => true, asking);
        else if (beginning !== null) return beginning;
      }
      throw new BackendError("idempotency: begin", "failed", `the key changed hands, ${TRIES} times`);
    },
    extend: (key, { owner, lockMs, keepMs }, asking) =>
      send("extend", statements.extend, [key, owner, lockMs, keepMs], isDone, asking),
    complete: (key, { owner, keepMs }, value) =>
      value === null
        ? send("complete", statements.complete("NULL"), [key, owner, keepMs], isDone)
        : send("complete", statements.complete("$5"), [key, owner, keepMs, value], isDone),
    release: (key, owner, asking) => send("release", statements.release, [key, owner], isDone, asking),
  };
}

/** What a row says of a key, `null` if it has become free; "far" of a lock that is out of all reach. */
function seen(row: SqlRow, fingerprint: string): AcquireResult | "far" | null {
  const { fingerprint: known, value, wait, far } = row;
  if (typeof known !== "string") throw new Error("no fingerprint");
  if (known !== fingerprint) return { outcome: "mismatch" };
  if (wait === null) return parseAcquireResult({ outcome: "completed", value });
  if (far === "yes") return "far";
  const waitMs = Number(wait);
  return waitMs <= 0 ? null : parseAcquireResult({ outcome: "running", waitMs });
}

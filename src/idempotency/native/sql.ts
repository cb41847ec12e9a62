// Idempotency keys in PostgreSQL and SQLite: each operation one statement, by the server's own clock.

import type { AnswerOptions, CallOptions } from "../../backend/call.ts";
import { GRACE_MS, makeRowCleaner } from "../../backend/expiry.ts";
import type { SqlPort, SqlRow } from "../../backend/ports.ts";
import { nowMsSql, queryRows } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";
import { BackendError } from "../../internal.ts";
import { parseAcquireResult, parsePeekResult } from "../parseAnswer.ts";
import type { OncePort } from "../port.ts";
import type { AcquireResult, ForgetResult, PeekResult } from "../rule.ts";

/** How often an acquire or a forget is tried that finds the key locked, and then finds it free. */
const TRIES = 50;

/** Returns the statements in a dialect. $1 is the name, $2 the key, $3 the owner. */
function createStatements(backend: SqlPort, now: string) {
  const once = qualifiedTable(backend, "once");
  const after = (parameter: string) => `${now} + CAST(${parameter} AS BIGINT)`;
  const whereOwned = `WHERE name = $1 AND key = $2 AND owner = $3 AND ends > ${now}`;
  const isLocked = "until IS NOT NULL";
  // NULL, so not true, for locks of an earlier version, which have no lock_ms.
  const isImplausiblyFar = `until - ${now} > lock_ms + ${GRACE_MS}`;
  return {
    // $4 fingerprint, $5 lock, $6 keep
    acquire: `INSERT INTO ${once} AS existing (name, key, owner, fingerprint, until, lock_ms, value, ends)
VALUES ($1, $2, $3, $4, ${after("$5")}, CAST($5 AS BIGINT), NULL, ${after("$6")})
ON CONFLICT (name, key) DO UPDATE SET
  owner = excluded.owner, fingerprint = excluded.fingerprint, until = excluded.until,
  lock_ms = excluded.lock_ms, value = NULL, ends = excluded.ends
WHERE existing.ends <= ${now} OR (
  existing.fingerprint = excluded.fingerprint AND existing.${isLocked}
  AND (existing.owner = excluded.owner OR existing.until <= ${now})
) RETURNING key`,
    // $1 name, $2 key
    look: `SELECT fingerprint, value, CAST(until - ${now} AS TEXT) AS wait,
  CASE WHEN ${isImplausiblyFar} THEN 'yes' ELSE 'no' END AS far
FROM ${once} WHERE name = $1 AND key = $2 AND ends > ${now}`,
    // $1 name, $2 key. It deletes no row whose lock holds.
    forget: `DELETE FROM ${once} WHERE name = $1 AND key = $2 AND ends > ${now} AND (until IS NULL OR until <= ${now}) RETURNING key`,
    // $1 name, $2 key
    pullBack: `UPDATE ${once} SET until = ${now} + lock_ms WHERE name = $1 AND key = $2 AND ${isImplausiblyFar}`,
    // $4 lock, $5 keep
    extend: `UPDATE ${once} SET until = ${after("$4")}, lock_ms = CAST($4 AS BIGINT), ends = ${after("$5")}
${whereOwned} AND ${isLocked} RETURNING key`,
    // $4 keep, $5 value
    complete: (value: string) =>
      `UPDATE ${once} SET until = NULL, value = ${value}, ends = ${after("$4")} ${whereOwned} RETURNING key`,
    release: `DELETE FROM ${once} ${whereOwned} AND ${isLocked} RETURNING key`,
  };
}

/**
 * Opens the keys of a name.
 *
 * @param options.isInTransaction whether all calls belong to a transaction of the caller. Then no rows are cleaned up, because
 *   that would be a part of it
 */
export function sqlOncePort(
  backend: SqlPort,
  name: string,
  { isInTransaction = false }: { readonly isInTransaction?: boolean } = {},
): OncePort {
  const now = nowMsSql(backend.dialect === "postgres");
  const statements = createStatements(backend, now);
  const clean = isInTransaction ? () => {} : makeRowCleaner(backend, "once", now);
  const send = <T>(
    operation: string,
    text: string,
    params: readonly unknown[],
    parse: (rows: readonly SqlRow[]) => T,
    options?: AnswerOptions<T>,
  ) =>
    queryRows(
      backend,
      `idempotency: ${operation}`,
      text,
      [name, ...params],
      (rows) => (rows.length > 1 ? undefined : parse(rows)),
      options,
    );
  const hasRow = (rows: readonly SqlRow[]) => rows.length > 0;
  const look = (key: string, fingerprint: string, options: CallOptions) =>
    send("acquire", statements.look, [key], ([row]) => (row ? parseRow(row, fingerprint) : null), options);
  const changedHands = (operation: string) =>
    new BackendError(`idempotency: ${operation}`, "failed", `the key changed hands ${TRIES} times`);
  const peek = (operation: string, key: string) => send(operation, statements.look, [key], parseState);

  return {
    async acquire(key, { owner, fingerprint, lockMs, keepMs }, { onLateAnswer, ...options } = {}) {
      clean();
      const parseAcquired = (rows: readonly SqlRow[]): AcquireResult | null =>
        hasRow(rows) ? { outcome: "acquired" } : null;
      const answerOptions = {
        ...options,
        onLateAnswer: (result: AcquireResult | null) => result && onLateAnswer?.(result),
      };
      for (let tries = 0; tries < TRIES; tries++) {
        const params = [key, owner, fingerprint, lockMs, keepMs];
        const acquired = await send("acquire", statements.acquire, params, parseAcquired, answerOptions);
        // The look tells why the lock was not acquired. The key may have become free since: then this tries again.
        const result = acquired ?? (await look(key, fingerprint, options));
        if (result === "far") await send("acquire", statements.pullBack, [key], () => true, options);
        else if (result !== null) return result;
      }
      throw changedHands("acquire");
    },
    extend: (key, { owner, lockMs, keepMs }, options) =>
      send("extend", statements.extend, [key, owner, lockMs, keepMs], hasRow, options),
    complete: (key, { owner, keepMs }, value) =>
      value === null
        ? send("complete", statements.complete("NULL"), [key, owner, keepMs], hasRow)
        : send("complete", statements.complete("$5"), [key, owner, keepMs, value], hasRow),
    release: (key, owner, options) => send("release", statements.release, [key, owner], hasRow, options),
    peek: (key) => peek("peek", key),
    async forget(key): Promise<ForgetResult> {
      for (let tries = 0; tries < TRIES; tries++) {
        if (await send("forget", statements.forget, [key], hasRow)) return { outcome: "forgotten" };
        const state = await peek("forget", key);
        if (state.outcome === "absent") return { outcome: "absent" };
        // Otherwise the work has ended since, or its lock.
        if (state.outcome === "running" && state.waitMs > 0) return state;
      }
      throw changedHands("forget");
    },
  };
}

/** Reads the row of a key: `null` if its lock has ended, `"far"` if the lock ends implausibly late. */
function parseRow(row: SqlRow, fingerprint: string): AcquireResult | "far" | null {
  const { fingerprint: stored, value, wait, far } = row;
  if (typeof stored !== "string") throw new Error("no fingerprint");
  if (stored !== fingerprint) return { outcome: "mismatch" };
  if (wait === null) return parseAcquireResult({ outcome: "completed", value });
  if (far === "yes") return "far";
  const waitMs = Number(wait);
  return waitMs <= 0 ? null : parseAcquireResult({ outcome: "running", waitMs });
}

/** Reads the state of a key from its row, if it has one. */
function parseState([row]: readonly SqlRow[]): PeekResult {
  if (!row) return { outcome: "absent" };
  const { value, wait } = row;
  if (wait === null) return parsePeekResult({ outcome: "completed", value });
  return parsePeekResult({ outcome: "running", waitMs: Math.max(0, Number(wait)) });
}

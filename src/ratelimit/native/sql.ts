// Rate limits in PostgreSQL and SQLite: one statement for an allowed call, by the server's own clock.

import { makeRowCleaner } from "../../backend/expiry.ts";
import type { SqlPort, SqlRow } from "../../backend/ports.ts";
import { nowMsSql, queryRows } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";
import { OPERATION, plausibleOrUndefined } from "../parseAnswer.ts";
import type { RateLimitPort } from "../port.ts";
import { type ConsumeResult, type Gcra, isImplausiblyFar, peek } from "../rule.ts";

/**
 * Returns the statements in a dialect. $1 is the name, $2 the key. The column `ends` is the TAT; in the row of the name for
 * blocks it is the end of the block. A row of its own needs no new column, and is deleted like the others when it has ended.
 */
function createStatements(backend: SqlPort, now: string) {
  const rates = qualifiedTable(backend, "rates");
  const isPostgres = backend.dialect === "postgres";
  const [larger, smaller] = isPostgres ? ["GREATEST", "LEAST"] : ["MAX", "MIN"];
  const whole = (parameter: string) => `CAST(${parameter} AS BIGINT)`;
  const asText = (column: string) => `CAST(${column} AS TEXT)`;
  const endsOf = (name: string) => `SELECT ${asText("ends")} FROM ${rates} WHERE name = ${name} AND key = $2`;
  return {
    // $3 the cost in microseconds, $4 how far ahead the TAT may be before the call, $5 the name for blocks. The row's TAT is
    // compared before anything is added to it, because adding to 2^63 - 1 would overflow in every call.
    consume: `INSERT INTO ${rates} AS rate (name, key, ends) SELECT ${asText("$1")}, ${asText("$2")}, ${now} + ${whole("$3")}
WHERE NOT EXISTS (SELECT 1 FROM ${rates} WHERE name = $5 AND key = $2 AND ends > ${now})
ON CONFLICT (name, key) DO UPDATE SET ends = ${larger}(rate.ends, ${now}) + ${whole("$3")}
WHERE rate.ends <= ${now} + ${whole("$4")} RETURNING ${asText("ends")} AS ends, ${asText(now)} AS now`,
    // $3 the name for blocks
    read: `SELECT (${endsOf("$1")}) AS ends, (${endsOf("$3")}) AS blocked, ${asText(now)} AS now`,
    // $3 the new TAT, $4 the TAT that was seen
    pullBack: `UPDATE ${rates} SET ends = ${whole("$3")} WHERE name = $1 AND key = $2 AND ends = ${whole("$4")}`,
    // $3 how much to give back, $4 the TAT after the call that is refunded
    refund: `UPDATE ${rates} SET ends = ends - ${smaller}(${whole("$3")}, ${whole("$4")} - ${now})
WHERE name = $1 AND key = $2 AND ends > ${now} AND ${whole("$4")} > ${now}`,
    // $1 the name for blocks, $3 the length of the block
    block: `INSERT INTO ${rates} AS rate (name, key, ends) VALUES ($1, $2, ${now} + ${whole("$3")})
ON CONFLICT (name, key) DO UPDATE SET ends = ${larger}(rate.ends, ${now} + ${whole("$3")})`,
    // $3 the name for blocks
    reset: `DELETE FROM ${rates} WHERE name IN ($1, $3) AND key = $2`,
  };
}

/** Reads the time of a row in microseconds, which is text: `undefined` if there is none. Throws on anything else. */
function parseTime(value: unknown): number | undefined {
  if (value === null) return undefined;
  if (typeof value !== "string" || !/^-?\d+$/.test(value)) throw new Error("not a time");
  return Number(value);
}

/** Reads the only row. Throws if there is another number of them, or if it has no time. */
function parseRow(rows: readonly SqlRow[]) {
  const { ends, blocked = null, now } = rows[0] as SqlRow & Record<"ends" | "blocked" | "now", unknown>;
  const time = parseTime(now);
  if (rows.length !== 1 || time === undefined || time < 0) throw new Error("not a row");
  return { tat: parseTime(ends), text: ends, blockedUntil: parseTime(blocked), now: time };
}

export function sqlRateLimitPort(backend: SqlPort, name: string, gcra: Gcra): RateLimitPort {
  const { tolerance } = gcra;
  const nowUsSql = `(${nowMsSql(backend.dialect === "postgres")} * 1000)`;
  const statements = createStatements(backend, nowUsSql);
  const clean = makeRowCleaner(backend, "rates", nowUsSql);
  // No name of a limit has braces.
  const blockName = `{block}${name}`;
  const isDone = () => true;
  const send = <T>(
    operation: string,
    text: string,
    params: readonly unknown[],
    parse: (rows: readonly SqlRow[]) => T | undefined,
  ) => queryRows(backend, operation, text, params, parse);
  const readKey = (operation: string, key: string) =>
    send(operation, statements.read, [name, key, blockName], parseRow);

  return {
    async consume(key, costUs) {
      clean();
      const params = [name, key, costUs, tolerance - costUs, blockName];
      const consumed = await send(OPERATION.consume, statements.consume, params, (rows) => {
        if (rows.length === 0) return null;
        const { tat = Number.NaN, now } = parseRow(rows);
        return plausibleOrUndefined(gcra, costUs, { allowed: true, tat, now });
      });
      if (consumed !== null) return consumed;

      // Denied. The second statement reads when the client should try again. It does no harm if the row has changed
      // since. A row that is gone has used nothing.
      const { tat = 0, text, blockedUntil = 0, now } = await readKey(OPERATION.consume, key);
      const isBlocked = blockedUntil > now;
      const denied = (tatAfter: number): ConsumeResult => ({
        allowed: false,
        tat: isBlocked ? Math.max(tatAfter, now) : tatAfter,
        now,
        ...(isBlocked ? { blockedUntil } : {}),
      });
      if (!isImplausiblyFar(tolerance, tat, now)) return denied(tat);
      // Only if the TAT is still the same: in PostgreSQL this statement may wait for others, whose time is later.
      await send(OPERATION.consume, statements.pullBack, [name, key, now + tolerance, text], isDone);
      return denied(now + tolerance);
    },

    async peek(key, costUs) {
      const { tat, blockedUntil, now } = await readKey(OPERATION.peek, key);
      return peek(gcra, costUs, tat, now, undefined, blockedUntil);
    },

    async refund(key, costUs, callTat) {
      await send(OPERATION.refund, statements.refund, [name, key, costUs, callTat], isDone);
    },

    async block(key, forUs) {
      clean();
      await send(OPERATION.block, statements.block, [blockName, key, forUs], isDone);
    },

    async reset(key) {
      await send(OPERATION.reset, statements.reset, [name, key, blockName], isDone);
    },
  };
}

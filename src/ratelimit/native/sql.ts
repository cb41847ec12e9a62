// Rate limits in PostgreSQL and SQLite: one statement for an allowed call, by the server's own clock.

import { makeRowCleaner } from "../../backend/expiry.ts";
import type { SqlPort, SqlRow } from "../../backend/ports.ts";
import { nowMsSql, queryRows } from "../../backend/sql.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";
import { OPERATION, plausibleOrUndefined } from "../parseAnswer.ts";
import type { RateLimitPort } from "../port.ts";
import { type Gcra, isImplausiblyFar } from "../rule.ts";

/** Returns the statements in a dialect. The column `ends` is the TAT. $1 is the name, $2 the key. */
function createStatements(backend: SqlPort, now: string) {
  const rates = qualifiedTable(backend, "rates");
  const larger = backend.dialect === "postgres" ? "GREATEST" : "MAX";
  const whole = (parameter: string) => `CAST(${parameter} AS BIGINT)`;
  const columns = `CAST(ends AS TEXT) AS ends, CAST(${now} AS TEXT) AS now`;
  return {
    // $3 the cost in microseconds, $4 how far ahead the TAT may be before the call. The row's TAT is compared before
    // anything is added to it, because adding to 2^63 - 1 would overflow in every call.
    consume: `INSERT INTO ${rates} AS rate (name, key, ends) VALUES ($1, $2, ${now} + ${whole("$3")})
ON CONFLICT (name, key) DO UPDATE SET ends = ${larger}(rate.ends, ${now}) + ${whole("$3")}
WHERE rate.ends <= ${now} + ${whole("$4")} RETURNING ${columns}`,
    read: `SELECT ${columns} FROM ${rates} WHERE name = $1 AND key = $2`,
    // $3 the new TAT, $4 the TAT that was seen
    pullBack: `UPDATE ${rates} SET ends = ${whole("$3")} WHERE name = $1 AND key = $2 AND ends = ${whole("$4")}`,
  };
}

/** Reads the one row: `null` if there is none, `undefined` if the answer is not valid. */
function parseRow(rows: readonly SqlRow[]) {
  if (rows.length === 0) return null;
  const { ends, now } = rows[0] as SqlRow & Record<"ends" | "now", unknown>;
  const areTexts =
    typeof ends === "string" && typeof now === "string" && /^-?\d+ \d+$/.test(`${ends} ${now}`);
  return areTexts && rows.length === 1 ? { tat: Number(ends), now: Number(now), text: ends } : undefined;
}

export function sqlRateLimitPort(backend: SqlPort, name: string, gcra: Gcra): RateLimitPort {
  const { tolerance } = gcra;
  const nowUsSql = `(${nowMsSql(backend.dialect === "postgres")} * 1000)`;
  const statements = createStatements(backend, nowUsSql);
  const clean = makeRowCleaner(backend, "rates", nowUsSql);
  return {
    async consume(key, costUs) {
      clean();
      const send = <T>(
        text: string,
        params: readonly unknown[],
        parse: (rows: readonly SqlRow[]) => T | undefined,
      ) => queryRows(backend, OPERATION, text, [name, key, ...params], parse);

      const consumed = await send(statements.consume, [costUs, tolerance - costUs], (rows) => {
        const row = parseRow(rows);
        return row && plausibleOrUndefined(gcra, costUs, { allowed: true, ...row });
      });
      if (consumed !== null) return { allowed: true, tat: consumed.tat, now: consumed.now };

      // Denied. The second statement reads when the client should try again. It does no harm if the row has changed
      // since. A row that is gone has used nothing.
      const seen = await send(statements.read, [], parseRow);
      if (seen === null) return { allowed: false, tat: 0, now: 0 };
      const { tat, now, text } = seen;
      if (!isImplausiblyFar(tolerance, tat, now)) return { allowed: false, tat, now };
      // Only if the TAT is still the same: in PostgreSQL this statement may wait for others, whose time is later.
      await send(statements.pullBack, [now + tolerance, text], () => true);
      return { allowed: false, tat: now + tolerance, now };
    },
  };
}

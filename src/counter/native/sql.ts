// Counters in PostgreSQL and SQLite: the rule as one statement. Values travel as decimal text, and SQL calculates with
// 64-bit integers, so no value ever becomes a double.

import { callStore } from "../../backend/call.ts";
import type { SqlPort } from "../../backend/ports.ts";
import { qualifiedTable } from "../../backend/storeNames.ts";
import { BackendError, parseId } from "../../internal.ts";
import { type CounterPort, RESERVE } from "../port.ts";
import { checkOutcome, MAX_VALUE, NO_VALUE, reserve } from "../rule.ts";

/** How often a reservation is tried when it asks for more than is left while other clients take from that. */
const MAX_TRIES = 50;

/** Returns the statements. Each returns the counter's last value; `start` and `proceed` return no row if they change nothing. */
function statementsOf(backend: SqlPort) {
  const counters = qualifiedTable(backend, "counters");
  const [count, floor, fits, highest] = ["$2", "$3", "$4", "$5"].map((text) => `CAST(${text} AS BIGINT)`);
  const before = `CASE WHEN counter.last < ${floor} THEN ${floor} - 1 ELSE counter.last END`;
  const change = `last = ${before} + ${count}`;
  const columns = "CAST(last AS TEXT) AS last";
  return {
    // $1 name, $2 count, $3 floor, $4 the highest last value from which the whole count fits
    start: `INSERT INTO ${counters} AS counter (name, last) VALUES ($1, ${floor} - 1 + ${count})
ON CONFLICT (name) DO UPDATE SET ${change} WHERE ${before} <= ${fits} RETURNING ${columns}`,
    // The same for a client that has had values, $5 being the highest. Then the row exists or is lost, and is not inserted.
    proceed: `UPDATE ${counters} AS counter SET ${change}
WHERE name = $1 AND last >= ${highest} AND ${before} <= ${fits} RETURNING ${columns}`,
    // $1 name
    look: `SELECT ${columns} FROM ${counters} WHERE name = $1`,
  };
}

/** Returns the counter's last value from its row, {@link NO_VALUE} if there is no row. */
function parseLast(rows: unknown): bigint {
  if (!Array.isArray(rows) || rows.length > 1) throw new Error("not one row or none");
  return rows.length === 0 ? NO_VALUE : parseId((rows[0] as { last: unknown }).last);
}

export function sqlCounterPort(backend: SqlPort, name: string): CounterPort {
  const { start, proceed, look } = statementsOf(backend);
  return {
    async reserve(request, options) {
      const { floor, highest } = request;
      // SQLite silently turns a sum above 2^63 - 1 into a double, so the count never leads to one.
      const most = MAX_VALUE - floor + 1n;
      let count = request.count < most ? request.count : most;
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const params = [name, count, floor, MAX_VALUE - count].map(String);
        const send = () =>
          highest === NO_VALUE
            ? backend.query(start, params)
            : backend.query(proceed, [...params, `${highest}`]);
        const parse = (rows: unknown) => {
          const after = parseLast(rows);
          return after === NO_VALUE ? null : checkOutcome({ ...request, count }, after - count, after);
        };
        const granted = await callStore(backend, RESERVE, send, parse, options);
        if (granted !== null) return granted;
        // Refused. The current value may change again; it decides only which error to report, or how many to ask for.
        const current = await callStore(
          backend,
          RESERVE,
          () => backend.query(look, [name]),
          parseLast,
          options,
        );
        const [last, result] = reserve(current, request);
        if (typeof result === "string") return result;
        count = last - result.first + 1n;
      }
      throw new BackendError(RESERVE, "failed", `other clients took what was left, ${MAX_TRIES} times`);
    },
  };
}

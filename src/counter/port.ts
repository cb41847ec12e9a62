// The rule of counters on each kind of store, every reservation one atomic step.
//
// Numbers travel as decimal text, and Redis and SQL calculate with 64-bit integers: nothing is ever a double.

import { type CallOptions, callStore } from "../backend/call.ts";
import type { Backend, MemoryPort, RedisPort, SqlPort } from "../backend/ports.ts";
import { qualifiedTable, redisKey } from "../backend/storeNames.ts";
import { BackendError, parseId } from "../internal.ts";
import { LAST, NONE, type Outcome, outcomeOf, type Reservation, reserve } from "./rule.ts";

/** The step, on a store. */
export type CounterPort = (request: Reservation, asking?: CallOptions) => Promise<Outcome>;

const OPERATION = "counter: reserve";

/** The counter of a name. */
export function counterPort(backend: Backend, name: string): CounterPort {
  if ("eval" in backend) return redisStore(backend, name);
  if ("query" in backend) return sqlStore(backend, name);
  return memoryStore(backend, name);
}

function memoryStore(port: MemoryPort, name: string): CounterPort {
  return (request, asking) => {
    const change = (at: bigint = NONE) => {
      const [after] = reserve(at, request);
      return [after, { before: at, after }] as const;
    };
    return callStore(
      port,
      OPERATION,
      async () => port.change(`counter:${name}`, change),
      (answer) => {
        const { before, after } = answer as { before: bigint; after: bigint };
        return outcomeOf(request, before, after);
      },
      asking,
    );
  };
}

/**
 * ARGV: how many values; the highest that the asker has had, or nothing; the floor; where a reservation from the floor
 * ends; the last value from which a whole one fits; the last value that there is.
 *
 * Lua's numbers are doubles, so values stay texts: the longer is the larger, and of the same length the one whose
 * digits come later. Only INCRBY adds, in integers.
 */
const SCRIPT = `
local function below(a, b) return #a < #b or (#a == #b and a < b) end
local count, highest, floor, floor_end, fits, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local at = redis.call('GET', KEYS[1]) or ''
if string.find(at, '%D') or below(most, at) then
  return redis.error_reply('ERR ' .. KEYS[1] .. ' holds no counter')
end
if not below(at, highest) and at ~= most then
  if below(at, floor) then
    redis.call('SET', KEYS[1], floor_end)
  elseif below(fits, at) then
    redis.call('SET', KEYS[1], most)
  else
    redis.call('INCRBY', KEYS[1], count)
  end
end
return 'from ' .. at .. ' to ' .. (redis.call('GET', KEYS[1]) or '')
`;

function redisStore(port: RedisPort, name: string): CounterPort {
  const key = redisKey(port, name, "counter");
  return (request, asking) => {
    const { count, floor, highest } = request;
    const [floorEnd] = reserve(floor - 1n, { ...request, highest: NONE });
    const args = [count, highest === NONE ? "" : highest, floor, floorEnd, LAST - count, LAST].map(String);
    return callStore(
      port,
      OPERATION,
      () => port.eval(SCRIPT, [key], args),
      (answer) => {
        if (typeof answer !== "string") return undefined;
        const [, before, after] = /^from (\d*) to (\d*)$/.exec(answer) ?? [];
        const read = (value: string | undefined) => (value === "" ? NONE : parseId(value));
        return outcomeOf(request, read(before), read(after));
      },
      asking,
    );
  };
}

/** How often an SQL reservation is tried that is too large for what is left, while others take of that too. */
const TRIES = 50;

/** The statements. Each says where the counter is; those that reserve say nothing where they change nothing. */
function statementsOf(port: SqlPort) {
  const counters = qualifiedTable(port, "counters");
  const [count, floor, fits, highest] = ["$2", "$3", "$4", "$5"].map((text) => `CAST(${text} AS BIGINT)`);
  const before = `CASE WHEN counter.last < ${floor} THEN ${floor} - 1 ELSE counter.last END`;
  const change = `last = ${before} + ${count}`;
  const asked = "CAST(last AS TEXT) AS last";
  return {
    // $1 name, $2 count, $3 floor, $4 the last value from which as many fit
    start: `INSERT INTO ${counters} AS counter (name, last) VALUES ($1, ${floor} - 1 + ${count})
ON CONFLICT (name) DO UPDATE SET ${change} WHERE ${before} <= ${fits} RETURNING ${asked}`,
    // The same for one who has had values, $5 the highest: then the row is there, or lost, but never made.
    proceed: `UPDATE ${counters} AS counter SET ${change}
WHERE name = $1 AND last >= ${highest} AND ${before} <= ${fits} RETURNING ${asked}`,
    // $1 name
    look: `SELECT ${asked} FROM ${counters} WHERE name = $1`,
  };
}

/** Where a counter is by the one row that says so, {@link NONE} if there is no row. */
function readRows(rows: unknown): bigint {
  if (!Array.isArray(rows) || rows.length > 1) throw new Error("not one row or none");
  return rows.length === 0 ? NONE : parseId((rows[0] as { last: unknown }).last);
}

function sqlStore(port: SqlPort, name: string): CounterPort {
  const { start, proceed, look } = statementsOf(port);
  return async (request, asking) => {
    const { floor, highest } = request;
    // In SQLite a sum past 2^63 - 1 is a double without a word, so none is ever asked for.
    const most = LAST - floor + 1n;
    let count = request.count < most ? request.count : most;
    for (let tries = 0; tries < TRIES; tries++) {
      const params = [name, count, floor, LAST - count].map(String);
      const send = () =>
        highest === NONE ? port.query(start, params) : port.query(proceed, [...params, `${highest}`]);
      const read = (rows: unknown) => {
        const after = readRows(rows);
        return after === NONE ? null : outcomeOf({ ...request, count }, after - count, after);
      };
      const range = await callStore(port, OPERATION, send, read, asking);
      if (range !== null) return range;
      // Why not? What is seen now may have changed since; it only decides what to say, or how many to ask for.
      const at = await callStore(port, OPERATION, () => port.query(look, [name]), readRows, asking);
      const [last, outcome] = reserve(at, request);
      if (typeof outcome === "string") return outcome;
      count = last - outcome.first + 1n;
    }
    throw new BackendError(OPERATION, "failed", `others took what was left, ${TRIES} times`);
  };
}

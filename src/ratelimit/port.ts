// The rule of rate limits on each kind of store, every call one atomic step by the store's own clock.

import { callStore } from "../backend/call.ts";
import { makeRowCleaner, putExpiring } from "../backend/expiry.ts";
import type { Backend, MemoryPort, RedisPort, SqlPort, SqlRow } from "../backend/ports.ts";
import { nowMsSql, queryRows } from "../backend/sql.ts";
import { qualifiedTable, redisKey } from "../backend/storeNames.ts";
import { type ConsumeResult, consume, type Gcra, GRACE_US, isImplausiblyFar, isPlausible } from "./rule.ts";

/** The step of a key, on a store. */
export type RateLimitPort = (key: string, price: number) => Promise<ConsumeResult>;

const OPERATION = "ratelimit: limit";

/** The keys of a name. */
export function rateLimitPort(backend: Backend, name: string, rate: Gcra): RateLimitPort {
  if ("eval" in backend) return redisStore(backend, name, rate);
  if ("query" in backend) return sqlStore(backend, name, rate);
  return memoryStore(backend, name, rate);
}

/** Lets through what the rule can have come to. */
function possible(rate: Gcra, price: number, outcome: ConsumeResult): ConsumeResult | undefined {
  return isPlausible(rate, price, outcome) ? outcome : undefined;
}

/** All keys of a name that owe something. Changed in place: copied at each call it would be slow. */
type Book = Map<string, { readonly ends: number }>;

function memoryStore(port: MemoryPort, name: string, rate: Gcra): RateLimitPort {
  return (key, price) => {
    const change = (book: Book = new Map(), nowMs: number) => {
      const held = book.get(key)?.ends;
      const outcome = consume(rate, price, held, Math.floor(nowMs * 1000));
      const { ends, now } = outcome;
      if (ends !== held) putExpiring(book, key, { ends }, now);
      return [book, outcome] as const;
    };
    return callStore(
      port,
      OPERATION,
      async () => port.change(`rate:${name}`, change),
      (answer) => possible(rate, price, answer as ConsumeResult),
    );
  };
}

/**
 * ARGV: the price; the tolerance; the grace.
 *
 * Lua's numbers are doubles, in which microseconds of this age are exact; only their text must be asked for by `%.0f`.
 * Redis forgets a key by itself when it owes nothing more.
 */
const SCRIPT = `
local price, tolerance, grace = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local function text(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held = redis.call('GET', KEYS[1]) or '0'
if not string.find(held, '^%d+$') then return redis.error_reply('ERR the key holds no rate limit') end
local function put(ends) redis.call('SET', KEYS[1], text(ends), 'PX', text(math.ceil((ends - now) / 1000))) end
local ends = math.max(tonumber(held), now)
if ends + price - now <= tolerance then
  put(ends + price)
  return 'allowed ' .. text(ends + price) .. ' ' .. text(now)
end
if ends - now > tolerance + grace then
  ends = now + tolerance
  put(ends)
end
return 'denied ' .. text(ends) .. ' ' .. text(now)
`;

function redisStore(port: RedisPort, name: string, rate: Gcra): RateLimitPort {
  return (key, price) => {
    // The key in the braces, not the name: so the keys of one limit spread over a cluster. The name comes last and has
    // no braces, so that no two keys are written alike.
    const keys = [redisKey(port, key, `rate:${name}`)];
    const args = [price, rate.tolerance, GRACE_US].map(String);
    return callStore(
      port,
      OPERATION,
      () => port.eval(SCRIPT, keys, args),
      (answer) => {
        if (typeof answer !== "string") return undefined;
        const [, word, ends, now] = /^(allowed|denied) (\d+) (\d+)$/.exec(answer) ?? [];
        return possible(rate, price, { allowed: word === "allowed", ends: Number(ends), now: Number(now) });
      },
    );
  };
}

/** The statements, in a dialect. $1 is the name, $2 the key. */
function statementsOf(port: SqlPort, now: string) {
  const rates = qualifiedTable(port, "rates");
  const larger = port.dialect === "postgres" ? "GREATEST" : "MAX";
  const whole = (parameter: string) => `CAST(${parameter} AS BIGINT)`;
  const asked = `CAST(ends AS TEXT) AS ends, CAST(${now} AS TEXT) AS now`;
  return {
    // $3 price, $4 how far ahead a key may be that can still pay it. Nothing is added to a row's own number before it
    // is known to be within that: one of 2^63 - 1 would be an overflow, for ever.
    take: `INSERT INTO ${rates} AS rate (name, key, ends) VALUES ($1, $2, ${now} + ${whole("$3")})
ON CONFLICT (name, key) DO UPDATE SET ends = ${larger}(rate.ends, ${now}) + ${whole("$3")}
WHERE rate.ends <= ${now} + ${whole("$4")} RETURNING ${asked}`,
    look: `SELECT ${asked} FROM ${rates} WHERE name = $1 AND key = $2`,
    // $3 where to, $4 where from
    pullBack: `UPDATE ${rates} SET ends = ${whole("$3")} WHERE name = $1 AND key = $2 AND ends = ${whole("$4")}`,
  };
}

/** What the one row says; `null` if there is none. */
function readRow(rows: readonly SqlRow[]) {
  if (rows.length === 0) return null;
  const { ends, now } = rows[0] as SqlRow & Record<"ends" | "now", unknown>;
  const areTexts =
    typeof ends === "string" && typeof now === "string" && /^-?\d+ \d+$/.test(`${ends} ${now}`);
  return areTexts && rows.length === 1 ? { ends: Number(ends), now: Number(now), text: ends } : undefined;
}

function sqlStore(port: SqlPort, name: string, rate: Gcra): RateLimitPort {
  const { tolerance } = rate;
  const now = `(${nowMsSql(port.dialect === "postgres")} * 1000)`;
  const { take, look, pullBack } = statementsOf(port, now);
  const clean = makeRowCleaner(port, "rates", now);
  return async (key, price) => {
    clean();
    const send = <T>(
      text: string,
      params: readonly unknown[],
      read: (rows: readonly SqlRow[]) => T | undefined,
    ) => queryRows(port, OPERATION, text, [name, key, ...params], read);

    const taken = await send(take, [price, tolerance - price], (rows) => {
      const row = readRow(rows);
      return row && possible(rate, price, { allowed: true, ...row });
    });
    if (taken !== null) return { allowed: true, ends: taken.ends, now: taken.now };

    // When then? What is seen now may have changed since; it only decides what to say. A row that is gone owes nothing.
    const seen = await send(look, [], readRow);
    if (seen === null) return { allowed: false, ends: 0, now: 0 };
    const { ends, now: seenAt, text } = seen;
    if (!isImplausiblyFar(tolerance, ends, seenAt)) return { allowed: false, ends, now: seenAt };
    // Only if it is still the same, for in PostgreSQL this statement may wait for others, whose time is later.
    await send(pullBack, [seenAt + tolerance, text], () => true);
    return { allowed: false, ends: seenAt + tolerance, now: seenAt };
  };
}

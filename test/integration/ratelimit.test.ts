// Rate limits on real stores: each implements the rule, concurrent calls never exceed the limit, and unused keys are
// deleted.

import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { Redis } from "ioredis";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { cellKey } from "../../src/backend/cells.ts";
import { MAX_SKEW_MS } from "../../src/backend/expiry.ts";
import { type Backend, BackendError, fromIORedis, fromPg, setup } from "../../src/backend/index.ts";
import { RateLimit } from "../../src/ratelimit/index.ts";
import { rateLimitPort } from "../../src/ratelimit/openPort.ts";
import { consume, type Gcra, GRACE_US, gcraOf } from "../../src/ratelimit/rule.ts";
import { anyLimit, anyShare } from "../ratelimit/arbitraries.ts";
import { startable, startRedis } from "./servers.ts";
import { enginesWithoutClock, featureStores, onStore, overwrite } from "./stores.ts";

/** A prefix of this run alone, because the servers may have other users. */
const prefix = `ratelimit_${process.pid}`;
const TABLE = `"${prefix}_rates"`;
const keyOf = (name: string, key: string) => `${prefix}:{${key}}:rate:${name}`;

let names = 0;
/** Returns a new name with characters that are special in scripts and statements. */
const freshName = () => `api ${names++} ü'" %s $1 ?`;

/** Keys with the same characters, and more that only keys may have. */
const KEYS = [
  "ada",
  "ADA",
  "{",
  "}",
  "{}",
  "a}:rate:b{",
  "'",
  '"',
  "''\"\"",
  "%s %d %%",
  "$1 $2 ? ?1 :a @b",
  "\\",
  "\n",
  "\r\n\t",
  "a\nb",
  " ",
  "1",
  "true",
  "null",
  '{"a":1}',
  "[1]",
  "🙂",
  "é",
  "e\u0301",
  "\u202e",
  "a".repeat(255),
  "🙂".repeat(255),
  "2001:db8:1:200::/56",
];

type Entries = Map<string, { readonly ends: number }>;

/** Returns a key's TAT as text. */
async function look(port: Backend, name: string, key: string): Promise<string | undefined> {
  if ("eval" in port) {
    const script = "return '=' .. (redis.call('GET', KEYS[1]) or '')";
    return String(await port.eval(script, [keyOf(name, key)], [])).slice(1) || undefined;
  }
  if ("query" in port) {
    const select = `SELECT CAST(ends AS TEXT) AS ends FROM ${TABLE} WHERE name = $1 AND key = $2`;
    const [row] = await port.query(select, [name, key]);
    return row?.["ends"] as string | undefined;
  }
  if ("swap" in port) return (await port.read(cellKey(port, "rate", name, key))).value;
  const read = (entries: Entries = new Map()) => [entries, entries.get(key)?.ends] as const;
  const tat = port.change(`rate:${name}`, read);
  return tat === undefined ? undefined : String(tat);
}

/** Stores a key's TAT. */
async function put(port: Backend, name: string, key: string, tat: number): Promise<void> {
  if ("eval" in port) {
    await port.eval("return redis.call('SET', KEYS[1], ARGV[1])", [keyOf(name, key)], [`${tat}`]);
  } else if ("query" in port) {
    await port.query(`DELETE FROM ${TABLE} WHERE name = $1 AND key = $2`, [name, key]);
    const insert = `INSERT INTO ${TABLE} (name, key, ends) VALUES ($1, $2, CAST($3 AS BIGINT))`;
    await port.query(insert, [name, key, `${tat}`]);
  } else if ("swap" in port) await overwrite(port, cellKey(port, "rate", name, key), `${tat}`);
  else port.change(`rate:${name}`, (entries: Entries = new Map()) => [entries.set(key, { ends: tat }), true]);
}

/** Returns a key's TAT in microseconds; 0 if it has used nothing. */
async function tatOf(port: Backend, name: string, key: string): Promise<number> {
  // In some stores the end of a block follows it.
  return Number.parseInt((await look(port, name, key)) ?? "0", 10);
}

/** Counts the calls that pass. */
async function countPassing(calls: Promise<{ readonly allowed: boolean }>[]): Promise<number> {
  return (await Promise.all(calls)).filter(({ allowed }) => allowed).length;
}

describe.each(featureStores(prefix, "one of each engine"))(
  "rate limits on $name",
  ({ engine, open, runs }) => {
    let port: Backend;
    onStore(open, ["ratelimit"], (opened) => {
      port = opened;
    });

    test("the store returns and keeps the outcomes of the rule, for any stored TAT", async () => {
      const anyOffset = fc.oneof(
        fc.constantFrom(
          0,
          1,
          -1,
          GRACE_US,
          2 * GRACE_US,
          -GRACE_US,
          MAX_SKEW_MS * 1000,
          2 * MAX_SKEW_MS * 1000,
        ),
        fc.integer({ min: -1e12, max: 1e12 }),
        fc.integer({ min: -1e15, max: 1e15 }),
      );
      /** The TAT that the key is set to before the call, if it is: a share of the tolerance, and an offset. */
      const anyCall = fc.record({
        start: fc.option(fc.tuple(anyShare, anyOffset), { nil: undefined }),
        share: anyShare,
      });
      const anyCalls = fc.array(anyCall, { minLength: 1, maxLength: 10, size: "max" });
      await fc.assert(
        fc.asyncProperty(anyLimit, anyCalls, async (options, calls) => {
          const gcra: Gcra = gcraOf(options.limit, options.windowMs);
          const [name, key] = [freshName(), KEYS[names % KEYS.length]];
          const store = rateLimitPort(port, name, gcra);
          let tat: number | undefined;
          let now = Date.now() * 1000; // All stores are on this machine.
          for (const { start, share } of calls) {
            if (start) {
              const [part, offset] = start;
              tat = Math.max(0, now + Math.floor(part * gcra.tolerance) + offset);
              await put(port, name, key, tat);
            }
            const price = Math.max(1, Math.ceil(share * options.limit)) * gcra.interval;
            const before = Date.now();
            const outcome = await store.consume(key, price);
            now = outcome.now;
            expect(now / 1000).toBeGreaterThan(before - 2000);
            expect(now / 1000).toBeLessThan(Date.now() + 2000);
            const graceUs = enginesWithoutClock.includes(engine) ? MAX_SKEW_MS * 1000 : GRACE_US;
            const wanted = consume(gcra, price, tat, now, graceUs);
            if (outcome.allowed === wanted.allowed) expect(outcome).toEqual(wanted);
            else {
              // SQL sends two statements, and between them the quota became available.
              expect("query" in port && wanted.allowed).toBe(true);
              expect(outcome).toEqual({ allowed: false, tat, now });
            }
            tat = outcome.tat;
            // A key whose TAT has passed may be gone.
            const found = await look(port, name, key);
            if (found === undefined) expect(tat).toBeLessThan(Date.now() * 1000 + 2000);
            else expect(found).toBe(String(tat));
          }
        }),
        // Each call takes a few round trips, on each store.
        { numRuns: runs(40) },
      );
    });

    test("of 200 concurrent calls by several limiters of one name, 10 pass a limit of 10", async () => {
      const options = { backend: port, name: freshName(), limit: 10, windowMs: 3_600_000 };
      const limiters = Array.from({ length: 5 }, () => new RateLimit(options));
      const all = (key: string, cost?: number) =>
        countPassing(Array.from({ length: 200 }, (_, call) => limiters[call % 5].limit(key, cost)));
      expect(await all("ada")).toBe(10);
      expect(await all("ada")).toBe(0);
      expect(await all("bob", 3)).toBe(3);
      expect(await limiters[0].limit("bob", 1)).toMatchObject({ allowed: true, remaining: 0 });
      const denied = await limiters[0].limit("bob", 10);
      expect(denied).toMatchObject({ allowed: false, remaining: 0 });
      expect(denied.retryAfterMs).toBeGreaterThan(3_590_000);
      expect(denied.retryAfterMs).toBeLessThanOrEqual(3_600_000);
    });

    test("under load no more calls pass than the limit and the time allow", async () => {
      const [limit, windowMs] = [20, 400];
      const limiter = new RateLimit({ backend: port, name: freshName(), limit, windowMs });
      const until = performance.now() + 600;
      const begin = performance.now();
      let passed = 0;
      const callRepeatedly = async () => {
        while (performance.now() < until) if ((await limiter.limit("ada")).allowed) passed++;
      };
      await Promise.all(Array.from({ length: 40 }, callRepeatedly));
      const most = limit + ((performance.now() - begin + 2) * limit) / windowMs;
      expect(passed).toBeLessThanOrEqual(most);
      expect(passed).toBeGreaterThanOrEqual(limit);
    });

    test("a steady client passes at each of its times, however many calls come too early", async () => {
      const limiter = new RateLimit({ backend: port, name: freshName(), limit: 1, windowMs: 50 });
      for (let call = 0; call < 8; call++) {
        expect(await limiter.limit("ada")).toMatchObject({ allowed: true, remaining: 0 });
        // A call that comes too early costs nothing.
        let retryAfterMs = 1;
        for (let tries = 0; tries < 3 && retryAfterMs > 0; tries++) {
          const early = await limiter.limit("ada", 1);
          // A busy machine may be late.
          if (early.allowed) break;
          retryAfterMs = early.retryAfterMs;
        }
        expect(retryAfterMs).toBeLessThanOrEqual(51);
        // The store's clock counts, and setTimeout may be a millisecond early.
        await sleep(55);
      }
    });

    test("a denied call passes after retryAfterMs", async () => {
      const limiter = new RateLimit({ backend: port, name: freshName(), limit: 4, windowMs: 200 });
      await limiter.limit("ada", 4);
      for (const cost of [1, 3, 4]) {
        const { allowed, retryAfterMs } = await limiter.limit("ada", cost);
        if (allowed) continue; // The machine is busy.
        await sleep(retryAfterMs + 2);
        expect((await limiter.limit("ada", cost)).allowed).toBe(true);
      }
    });

    test("keys and names are separate, whatever characters they have", async () => {
      const options = { backend: port, limit: 2, windowMs: 3_600_000 };
      const limiters = [freshName(), freshName()].map((name) => new RateLimit({ ...options, name }));
      for (const limiter of limiters) {
        expect(await countPassing(KEYS.map((key) => limiter.limit(key)))).toBe(KEYS.length);
      }
      for (const limiter of limiters) {
        for (const key of KEYS) {
          expect(await limiter.limit(key)).toMatchObject({ allowed: true, remaining: 0 });
          expect(await limiter.limit(key)).toMatchObject({ allowed: false });
        }
      }
    });

    test("a TAT that is implausibly far ahead is pulled back to a window", async () => {
      const [name, windowMs] = [freshName(), 300];
      const limiter = new RateLimit({ backend: port, name, limit: 3, windowMs });
      await put(port, name, "ada", (Date.now() + 86_400_000) * 1000);
      const denied = await limiter.limit("ada");
      expect(denied).toEqual({ allowed: false, remaining: 0, retryAfterMs: 100, resetMs: 300 });
      await sleep(windowMs + 2);
      expect(await limiter.limit("ada", 3)).toMatchObject({ allowed: true });
    });

    test("a peek returns what a call would, and changes nothing", async () => {
      const [name, key] = [freshName(), KEYS[names % KEYS.length]];
      const limiter = new RateLimit({ backend: port, name, limit: 10, windowMs: 3_600_000, burst: 5 });
      expect(await limiter.peek(key)).toEqual({ allowed: true, remaining: 5, retryAfterMs: 0, resetMs: 0 });
      expect(await look(port, name, key)).toBe(undefined);
      await limiter.limit(key, 3);
      const before = await look(port, name, key);
      expect(await limiter.peek(key, 2)).toMatchObject({ allowed: true, remaining: 2, retryAfterMs: 0 });
      const denied = await limiter.peek(key, 3);
      expect(denied).toMatchObject({ allowed: false, remaining: 2 });
      expect(denied.retryAfterMs).toBeGreaterThan(350_000);
      expect(denied.retryAfterMs).toBeLessThanOrEqual(360_000);
      expect(await limiter.limit(key, 6)).toMatchObject({ allowed: false, retryAfterMs: Infinity });
      expect(await look(port, name, key)).toBe(before);
    });

    test("a refund gives back what a decision or a key has used, and never more", async () => {
      const [name, windowMs] = [freshName(), 3_600_000];
      const limiter = new RateLimit({ backend: port, name, limit: 10, windowMs });
      const { interval } = gcraOf(10, windowMs);
      const [key, other] = ["a}b", "ü'\"\n🙂"];
      for (const each of [key, other]) {
        const first = await limiter.limit(each, 4);
        await limiter.limit(each, 3);
        const tat = await tatOf(port, name, each);
        await Promise.all([limiter.refund(first, 3), limiter.refund(first, 3), limiter.refund(first)]);
        // Time has given back a little of the call on a key that had used nothing.
        const after = await tatOf(port, name, each);
        expect(after).toBeGreaterThanOrEqual(tat - 4 * interval);
        expect(after).toBeLessThan(tat - 3.9 * interval);
        await limiter.refund(each, 2);
        expect(await tatOf(port, name, each)).toBe(after - 2 * interval);
        await limiter.refund(each, 1000);
        expect(await limiter.peek(each)).toMatchObject({ remaining: 10, resetMs: 0 });
        await limiter.refund("unknown", 10);
        expect(await countPassing(Array.from({ length: 20 }, () => limiter.limit(each)))).toBe(10);
      }
      // The moment at which time has given the call back has come.
      const quick = new RateLimit({ backend: port, name: freshName(), limit: 1, windowMs: 20 });
      const late = await quick.limit(key);
      await sleep(25);
      const slow = new RateLimit({ backend: port, name: quick.name, limit: 1, windowMs });
      await slow.limit(key);
      const tat = await tatOf(port, quick.name, key);
      await quick.refund(late);
      expect(await tatOf(port, quick.name, key)).toBe(tat);
    });

    test("of 100 concurrent calls and refunds, none is lost", async () => {
      const name = freshName();
      const options = { backend: port, name, limit: 1000, windowMs: 3_600_000 };
      const limiters = [new RateLimit(options), new RateLimit(options)];
      const { interval } = gcraOf(1000, 3_600_000);
      await limiters[0].limit("ada", 500);
      const before = await tatOf(port, name, "ada");
      const decisions = await Promise.all(
        Array.from({ length: 50 }, (_, call) => limiters[call % 2].limit("ada", 3)),
      );
      expect(decisions.every(({ allowed }) => allowed)).toBe(true);
      await Promise.all(
        decisions.flatMap((decision, call) => [
          limiters[call % 2].refund(decision, 2),
          limiters[call % 2].limit("ada", 1),
        ]),
      );
      expect(await tatOf(port, name, "ada")).toBe(before + 50 * 2 * interval);
    });

    test("a block denies a key until the longest one ends, and quota comes back meanwhile", async () => {
      const [name, key] = [freshName(), "}block{ ü'"];
      const options = { backend: port, name, limit: 10, windowMs: 3_600_000 };
      const limiters = [new RateLimit(options), new RateLimit(options)];
      await limiters[0].limit(key, 4);
      const tat = await tatOf(port, name, key);
      await Promise.all([5000, 3_000_000, 1000, 2000].map((forMs, at) => limiters[at % 2].block(key, forMs)));
      const denied = await limiters[1].limit(key);
      expect(denied).toMatchObject({ allowed: false, remaining: 0 });
      for (const ms of [denied.blockedMs, denied.retryAfterMs, denied.resetMs]) {
        expect(ms).toBeGreaterThan(2_990_000);
        expect(ms).toBeLessThanOrEqual(3_000_000);
      }
      expect(await limiters[0].peek(key)).toMatchObject({ allowed: false, blockedMs: expect.any(Number) });
      expect(await limiters[0].limit("another")).toMatchObject({ allowed: true, remaining: 9 });
      expect(await tatOf(port, name, key)).toBe(tat);
      await limiters[0].reset(key);
      expect(await limiters[1].limit(key, 10)).toMatchObject({ allowed: true, remaining: 0 });
      expect((await limiters[1].peek(key)).blockedMs).toBe(undefined);
    });

    test("a block of a key that has used nothing ends by itself, and then counts again", async () => {
      const name = freshName();
      const limiter = new RateLimit({ backend: port, name, limit: 3, windowMs: 3_600_000 });
      await limiter.block("ada", 400);
      const { allowed, blockedMs = 0 } = await limiter.limit("ada");
      // A busy machine may be late.
      if (!allowed) expect(blockedMs).toBeLessThanOrEqual(400);
      await sleep(blockedMs + 2);
      const expected = allowed ? 1 : 2;
      expect(await limiter.limit("ada")).toMatchObject({ allowed: true, remaining: expected });
      // And a reset of a key that has ended is no error.
      await limiter.block("bob", 1);
      await sleep(5);
      await limiter.reset("bob");
      expect(await limiter.limit("bob", 3)).toMatchObject({ allowed: true });
    });

    test("a block outlasts the TAT of its key in the store", async () => {
      const name = freshName();
      const limiter = new RateLimit({ backend: port, name, limit: 1000, windowMs: 1000 });
      await limiter.limit("ada");
      await limiter.block("ada", 3_600_000);
      await sleep(5);
      // Each limiter cleans SQL with its first call, and memory with each call.
      for (let i = 0; i < 3; i++) {
        await new RateLimit({ backend: port, name, limit: 1000, windowMs: 1000 }).limit("bob");
      }
      await sleep(20);
      expect(await limiter.limit("ada")).toMatchObject({ allowed: false, blockedMs: expect.any(Number) });
    });

    test("of 60 concurrent calls against two limits, as many pass as the strictest allows, and only they count", async () => {
      const names = [freshName(), freshName()];
      const make = () => {
        const options = { backend: port, windowMs: 3_600_000 };
        return [
          new RateLimit({ ...options, name: names[0], limit: 7 }),
          new RateLimit({ ...options, name: names[1], limit: 100 }),
        ];
      };
      const pairs = [make(), make(), make()];
      const isOneStep = "eval" in port || "change" in port;
      for (const keys of [
        ["ada", "ada"],
        ["192.0.2.7", "account"],
      ]) {
        const calls = Array.from({ length: 60 }, (_, call) =>
          RateLimit.limitAll(pairs[call % 3].map((limiter, at) => ({ limiter, key: keys[at] }))),
        );
        expect(await countPassing(calls)).toBe(7);
        const [strict, loose] = pairs[0];
        expect(await strict.peek(keys[0])).toMatchObject({ allowed: false, remaining: 0 });
        expect(await loose.peek(keys[1])).toMatchObject({ remaining: 93 });
        // Now the other one first, which takes before the strict one denies.
        const order = [
          { limiter: loose, key: keys[1] },
          { limiter: strict, key: keys[0] },
        ];
        const before = await look(port, names[1], keys[1]);
        const denied = await RateLimit.limitAll(order);
        expect(denied).toMatchObject({ allowed: false, limiter: strict });
        // A given back call may leave a TAT that is a little later, if it took while the other had ended.
        if (isOneStep) expect(await look(port, names[1], keys[1])).toBe(before);
        expect(await loose.peek(keys[1])).toMatchObject({ remaining: 93 });
      }
    });

    test("a key whose TAT has passed is deleted", async () => {
      const name = freshName();
      const limiter = new RateLimit({ backend: port, name, limit: 10, windowMs: 5000 });
      await limiter.limit("ada");
      if ("eval" in port) {
        const ttl = "return 'ms ' .. redis.call('PTTL', KEYS[1])";
        const [, left] = String(await port.eval(ttl, [keyOf(name, "ada")], [])).split(" ");
        // -2 if it has ended already.
        expect(Number(left)).not.toBe(-1);
        expect(Number(left)).toBeLessThanOrEqual(500);
        await put(port, name, "bob", (Date.now() + 86_400_000) * 1000);
        await limiter.limit("bob");
        const [, pulled] = String(await port.eval(ttl, [keyOf(name, "bob")], [])).split(" ");
        expect(Number(pulled)).not.toBe(-1);
        expect(Number(pulled)).toBeLessThanOrEqual(5000);
        await sleep(505);
        expect(await look(port, name, "ada")).toBe(undefined);
      } else {
        await sleep(505);
        // Each limiter cleans SQL with its first call, and memory with each call.
        await new RateLimit({ backend: port, name, limit: 10, windowMs: 3_600_000 }).limit("bob");
        await expect.poll(() => look(port, name, "ada")).toBe(undefined);
        expect(await look(port, name, "bob")).not.toBe(undefined);
      }
    });

    test("a stored value that is not a TAT is an error, and so is a missing table", async () => {
      const name = freshName();
      if ("eval" in port) {
        for (const text of [
          "",
          "abc",
          "-5",
          "1.5",
          " 1",
          "1e3",
          "nan",
          "inf",
          "1 x",
          "1  2",
          "1 2 3",
          "1 -2",
        ]) {
          await port.eval("return redis.call('SET', KEYS[1], ARGV[1])", [keyOf(name, "ada")], [text]);
          const limiter = new RateLimit({ backend: port, name, limit: 10, windowMs: 1000 });
          const error = await limiter.limit("ada").catch((error: unknown) => error);
          expect(error).toBeInstanceOf(BackendError);
          expect(error).toMatchObject({
            reason: "failed",
            message: expect.stringContaining("holds no rate limit"),
          });
        }
        // A number that is far too large is pulled back.
        await port.eval(
          "return redis.call('SET', KEYS[1], ARGV[1])",
          [keyOf(name, "ada")],
          ["9".repeat(400)],
        );
        const limiter = new RateLimit({ backend: port, name, limit: 10, windowMs: 1000 });
        expect(await limiter.limit("ada")).toMatchObject({ allowed: false, resetMs: 1000 });
      } else if ("query" in port) {
        const backend = { ...port, prefix: `${prefix}_not` };
        const limiter = new RateLimit({ backend, name, limit: 10, windowMs: 1000 });
        await expect(limiter.limit("ada")).rejects.toMatchObject({
          reason: "failed",
          message: expect.stringContaining("has setup() been run?"),
        });
        const insert = `INSERT INTO ${TABLE} (name, key, ends) VALUES ($1, $2, 9223372036854775807)`;
        await port.query(insert, [name, "ada"]);
        const here = new RateLimit({ backend: port, name, limit: 10, windowMs: 1000 });
        expect(await here.limit("ada")).toMatchObject({ allowed: false, resetMs: 1000 });
        await sleep(102);
        expect(await here.limit("ada")).toMatchObject({ allowed: true });
      } else if ("swap" in port) {
        await overwrite(port, cellKey(port, "rate", name, "ada"), "no number");
        const limiter = new RateLimit({ backend: port, name, limit: 10, windowMs: 1000 });
        await expect(limiter.limit("ada")).rejects.toMatchObject({ reason: "answer" });
      } else {
        port.change(`rate:${name}`, () => [Symbol("no map"), true]);
        const limiter = new RateLimit({ backend: port, name, limit: 10, windowMs: 1000 });
        await expect(limiter.limit("ada")).rejects.toBeInstanceOf(BackendError);
      }
    });
  },
);

describe.skipIf(!process.env.DATABASE_URL)("a PostgreSQL", () => {
  test("decides rightly when a statement waited for a lock and has an older time than the row", async () => {
    const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
    const own = `${prefix}_wait`;
    const table = `"${own}_rates"`;
    try {
      const backend = fromPg(pool, { prefix: own });
      await setup(backend, ["ratelimit"]);
      const limiter = new RateLimit({ backend, name: "api", limit: 10, windowMs: 1_000_000 });
      await limiter.limit("ada");
      /** Makes a call while another transaction locks the row and moves its TAT so far ahead at its end. */
      const whileHeld = async (ahead: number) => {
        const other = await pool.connect();
        try {
          await other.query("BEGIN");
          await other.query(`SELECT 1 FROM ${table} FOR UPDATE`);
          const waiting = limiter.limit("ada");
          const waits = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND position('${own}' IN query) > 0`;
          while ((await pool.query(waits)).rowCount === 0) await sleep(10);
          await sleep(300);
          const now = "CAST(EXTRACT(EPOCH FROM CLOCK_TIMESTAMP()) * 1000000 AS BIGINT)";
          await other.query(`UPDATE ${table} SET ends = ${now} + ${ahead}`);
          await other.query("COMMIT");
          return await waiting;
        } finally {
          other.release();
        }
      };
      const passed = await whileHeld(0);
      expect(passed).toMatchObject({ allowed: true, remaining: 8 });
      expect(passed.resetMs).toBeGreaterThan(100_200);
      const denied = await whileHeld(1_000_000_000);
      expect(denied).toMatchObject({ allowed: false, remaining: 0 });
      expect(denied.retryAfterMs).toBeGreaterThan(40_000);
      expect(denied.retryAfterMs).toBeLessThanOrEqual(100_001);
    } finally {
      await pool.query(`DROP TABLE IF EXISTS ${table}`);
      await pool.end();
    }
  });
});

describe.skipIf(!startable.redis)("a Redis Cluster", () => {
  test("counts several limits of one key in one step, and of several keys one after the other", async () => {
    const server = await startRedis({ cluster: true });
    const redis = new Redis(server.url);
    try {
      await redis.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383);
      await expect
        .poll(async () => String(await redis.call("CLUSTER", "INFO")), { timeout: 10_000 })
        .toContain("cluster_state:ok");
      const backend = fromIORedis(redis);
      const limits = ["burst", "daily"].map(
        (name, at) => new RateLimit({ backend, name, limit: [5, 100][at], windowMs: 3_600_000 }),
      );
      for (const keys of [
        ["ada", "ada"],
        ["a}b", "a}b"],
        ["192.0.2.7", "bob"],
        ["}", "}"],
        ["", "}x"].map((key) => `}${key}`),
      ]) {
        const calls = Array.from({ length: 20 }, () =>
          RateLimit.limitAll(limits.map((limiter, at) => ({ limiter, key: keys[at] }))),
        );
        // Several keys: a call may be denied by quota that is then given back.
        const passed = await countPassing(calls);
        expect(passed).toBeLessThanOrEqual(5);
        expect(passed).toBeGreaterThan(0);
        expect((await limits[0].peek(keys[0])).remaining).toBe(5 - passed);
        expect((await limits[1].peek(keys[1])).remaining).toBe(100 - passed);
        for (const [at, limiter] of limits.entries()) {
          await limiter.block(keys[at], 1000);
          await limiter.refund(keys[at]);
          await limiter.reset(keys[at]);
        }
      }
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });
});

describe.skipIf(!startable.redis)("a Redis that stops", () => {
  test("hanging or killed: limits fail or allow by onStoreError, and recover when it is back", async () => {
    const server = await startRedis();
    const redis = new Redis(server.url, { maxRetriesPerRequest: 0, retryStrategy: () => 20 });
    redis.on("error", () => {});
    try {
      const backend = fromIORedis(redis, { timeoutMs: 5000 });
      const options = { backend, name: "api", limit: 10, windowMs: 3_600_000 };
      const failing = new RateLimit(options);
      const allowing = new RateLimit({ ...options, onStoreError: "allow" });
      const isDown = async (reason: "failed" | "timeout") => {
        const error = await failing.limit("ada").catch((error: unknown) => error);
        expect(error).toBeInstanceOf(BackendError);
        expect(error).toMatchObject({ operation: "ratelimit: limit", reason });
        const decision = await allowing.limit("ada");
        expect(decision).toMatchObject({ allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 0 });
        expect(decision.error).toMatchObject({ code: "ERR_BACKEND", reason });
      };
      expect(await failing.limit("ada", 5)).toMatchObject({ allowed: true, remaining: 5 });
      server.pause();
      await isDown("timeout");
      server.resume();
      await expect.poll(async () => (await allowing.limit("bob")).error, { timeout: 60_000 }).toBe(undefined);
      await server.kill();
      await isDown("failed");
      await server.restart();
      await expect.poll(async () => (await allowing.limit("bob")).error, { timeout: 60_000 }).toBe(undefined);
      // It has no persistence, so all keys have their whole quota.
      expect(await failing.limit("ada")).toMatchObject({ allowed: true, remaining: 9 });
    } finally {
      server.resume();
      redis.disconnect();
      await server.stop();
    }
  });
});

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

/** Counts the calls that pass. */
async function countPassing(calls: Promise<{ readonly allowed: boolean }>[]): Promise<number> {
  return (await Promise.all(calls)).filter(({ allowed }) => allowed).length;
}

describe.each(featureStores(prefix))("rate limits on $name", ({ engine, open, runs }) => {
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
          const outcome = await store.consume(key, price);
          now = outcome.now;
          expect(Math.abs(now / 1000 - Date.now())).toBeLessThan(2000);
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
      { numRuns: runs(process.env.CI ? 200 : 40) },
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

  test("a key whose TAT has passed is deleted", async () => {
    const name = freshName();
    const limiter = new RateLimit({ backend: port, name, limit: 10, windowMs: 5000 });
    await limiter.limit("ada");
    if ("eval" in port) {
      const ttl = "return 'ms ' .. redis.call('PTTL', KEYS[1])";
      const [, left] = String(await port.eval(ttl, [keyOf(name, "ada")], [])).split(" ");
      expect(Number(left)).toBeGreaterThan(0);
      expect(Number(left)).toBeLessThanOrEqual(500);
      await put(port, name, "bob", (Date.now() + 86_400_000) * 1000);
      await limiter.limit("bob");
      const [, pulled] = String(await port.eval(ttl, [keyOf(name, "bob")], [])).split(" ");
      expect(Number(pulled)).toBeGreaterThan(0);
      expect(Number(pulled)).toBeLessThanOrEqual(5000);
      await sleep(505);
      expect(await look(port, name, "ada")).toBe(undefined);
    } else {
      await sleep(505);
      // Each limiter cleans SQL with its first call, and memory with each call.
      await new RateLimit({ backend: port, name, limit: 10, windowMs: 5000 }).limit("bob");
      await expect.poll(() => look(port, name, "ada")).toBe(undefined);
      expect(await look(port, name, "bob")).not.toBe(undefined);
    }
  });

  test("a stored value that is not a TAT is an error, and so is a missing table", async () => {
    const name = freshName();
    if ("eval" in port) {
      for (const text of ["", "abc", "-5", "1.5", " 1", "1e3", "nan", "inf"]) {
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
      await port.eval("return redis.call('SET', KEYS[1], ARGV[1])", [keyOf(name, "ada")], ["9".repeat(400)]);
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
});

describe.skipIf(!process.env.DATABASE_URL)("a PostgreSQL", () => {
  test("decides rightly when a statement waited for a lock and has an older time than the row", async () => {
    const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
    const own = `${prefix}_wait`;
    const table = `"${own}_rates"`;
    try {
      const backend = fromPg(pool, { prefix: own });
      await setup(backend, ["ratelimit"]);
      const limiter = new RateLimit({ backend, name: "api", limit: 10, windowMs: 10_000 });
      await limiter.limit("ada");
      /** Makes a call while another transaction locks the row and moves its TAT so far ahead at its end. */
      const whileHeld = async (ahead: number) => {
        const other = await pool.connect();
        try {
          await other.query("BEGIN");
          await other.query(`SELECT 1 FROM ${table} FOR UPDATE`);
          const waiting = limiter.limit("ada");
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
      expect(passed.resetMs).toBeGreaterThan(1200);
      const denied = await whileHeld(10_000_000);
      expect(denied).toMatchObject({ allowed: false, remaining: 0 });
      expect(denied.retryAfterMs).toBeGreaterThan(900);
      expect(denied.retryAfterMs).toBeLessThanOrEqual(1001);
    } finally {
      await pool.query(`DROP TABLE IF EXISTS ${table}`);
      await pool.end();
    }
  });
});

describe.skipIf(!startable.redis)("a Redis that stops", () => {
  test("hanging or killed: limits fail or allow by onStoreError, and recover when it is back", async () => {
    const server = await startRedis();
    const redis = new Redis(server.url, { maxRetriesPerRequest: 0, retryStrategy: () => 20 });
    redis.on("error", () => {});
    try {
      const backend = fromIORedis(redis, { timeoutMs: 200 });
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
      await expect.poll(async () => (await allowing.limit("bob")).error, { timeout: 5000 }).toBe(undefined);
      await server.kill();
      await isDown("failed");
      await server.restart();
      await expect.poll(async () => (await allowing.limit("bob")).error, { timeout: 10_000 }).toBe(undefined);
      // It has no persistence, so all keys have their whole quota.
      expect(await failing.limit("ada")).toMatchObject({ allowed: true, remaining: 9 });
    } finally {
      server.resume();
      redis.disconnect();
      await server.stop();
    }
  });
});

// Conformance suite of counters: every store follows the rule, for any action of requests; concurrent callers never get
// one value twice; and lost data is detected.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { cellKey } from "../../src/backend/cells.ts";
import {
  type Backend,
  BackendError,
  type CellPort,
  fromIORedis,
  type RedisPort,
  type SqlPort,
  setup,
} from "../../src/backend/index.ts";
import { Counter, CounterBackwardsError, CounterExhaustedError } from "../../src/counter/index.ts";
import { counterPort } from "../../src/counter/openPort.ts";
import { MAX_VALUE, NO_VALUE, type Reservation, reserve } from "../../src/counter/rule.ts";
import { anyCount, anyRequest, anyValue } from "../counter/arbitraries.ts";
import { again } from "./backend/outcomes.ts";
import { mysqlAdapters } from "./mysql-clients.ts";
import { postgresAdapters } from "./postgres-clients.ts";
import { redisAdapters } from "./redis-clients.ts";
import { startable, startRedis } from "./servers.ts";
import { sqliteAdapters } from "./sqlite-clients.ts";
import { clean, featureStores, onStore, overwrite } from "./stores.ts";

/** A prefix of this run alone, because the servers may have other users. */
const prefix = `counter_${process.pid}`;
const { REDIS_URL, DATABASE_URL, MYSQL_URL } = process.env;

let names = 0;
/** Returns a new name with characters that are special in scripts and statements. */
const freshName = () => `orders ${names++} ü'" %s $1 ?`;

/** Reads a counter's last value, as text to keep all digits. */
async function readLast(port: Backend, name: string): Promise<string | undefined> {
  if ("eval" in port) {
    const at = await port.eval("return '=' .. (redis.call('GET', KEYS[1]) or '')", [keyOf(name)], []);
    return String(at).slice(1) || undefined;
  }
  if ("query" in port) {
    const [row] = await port.query(`SELECT CAST(last AS TEXT) AS last FROM ${TABLE} WHERE name = $1`, [name]);
    return row?.["last"] as string | undefined;
  }
  if ("swap" in port) return (await port.read(cellKey(port, "counter", name))).value;
  const at = port.change<bigint | undefined, bigint>(`counter:${name}`, (state = NO_VALUE) => [state, state]);
  return at === NO_VALUE ? undefined : String(at);
}

/** Sets a counter's last value, or deletes the counter. */
async function setLast(port: Backend, name: string, at: bigint): Promise<void> {
  if ("eval" in port) {
    if (at === NO_VALUE) await port.eval("return redis.call('DEL', KEYS[1])", [keyOf(name)], []);
    else await port.eval("return redis.call('SET', KEYS[1], ARGV[1])", [keyOf(name)], [`${at}`]);
  } else if ("query" in port) {
    await port.query(`DELETE FROM ${TABLE} WHERE name = $1`, [name]);
    const insert = `INSERT INTO ${TABLE} (name, last) VALUES ($1, CAST($2 AS BIGINT))`;
    if (at !== NO_VALUE) await port.query(insert, [name, `${at}`]);
  } else if ("swap" in port)
    await overwrite(port, cellKey(port, "counter", name), at === NO_VALUE ? undefined : `${at}`);
  else
    port.change<bigint | undefined, true>(`counter:${name}`, () => [at === NO_VALUE ? undefined : at, true]);
}

const keyOf = (name: string) => `${prefix}:{${name}}:counter`;
const TABLE = `"${prefix}_counters"`;

/** An action: a request, or a change of the counter. */
type Action =
  | { readonly put: bigint }
  | { readonly request: Reservation }
  | { readonly near: readonly bigint[] };

const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ put: fc.oneof(fc.constant(NO_VALUE), anyValue) }) },
  { weight: 2, arbitrary: fc.record({ request: anyRequest }) },
  // Around the counter's value: a count, and the distances of floor and highest from it.
  {
    weight: 4,
    arbitrary: fc.record({ near: fc.tuple(anyCount, fc.bigInt(-2n, 2n), fc.bigInt(-2n, 1n)) }),
  },
);

const inRange = (value: bigint, least: bigint) =>
  value < least ? least : value > MAX_VALUE ? MAX_VALUE : value;

function requestOf(action: Exclude<Action, { put: bigint }>, at: bigint): Reservation {
  if ("request" in action) return action.request;
  const [count, floor, highest] = action.near;
  return { count, floor: inRange(at + floor, 0n), highest: inRange(at + highest, NO_VALUE) };
}

describe.each(featureStores(prefix, "one of each engine"))("counters on $name", ({ open, runs }) => {
  let port: Backend;
  onStore(open, ["counter"], (opened) => {
    port = opened;
  });

  test("the store follows the rule, and answers so", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.constant(NO_VALUE), anyValue),
        fc.array(anyAction, { maxLength: 20, size: "max" }),
        async (start, actions) => {
          const name = freshName();
          const store = counterPort(port, name);
          await setLast(port, name, start);
          let at = start;
          for (const action of actions) {
            if ("put" in action) {
              at = action.put;
              await setLast(port, name, at);
              continue;
            }
            const request = requestOf(action, at);
            const [after, outcome] = reserve(at, request);
            expect(await store.reserve(request)).toEqual(outcome);
            expect(await readLast(port, name)).toBe(after === NO_VALUE ? undefined : String(after));
            at = after;
          }
        },
      ),
      // Each action takes several round trips, on each store.
      { numRuns: runs(50) },
    );
  });

  test("issues 40 consecutive values to 40 concurrent callers, twice", async () => {
    const name = freshName();
    const counters = Array.from({ length: 4 }, () => new Counter({ backend: port, name }));
    for (const from of [0, 40]) {
      const calls = Array.from({ length: 40 }, (_, call) => counters[call % 4].next());
      const values = (await Promise.all(calls)).sort((a, b) => Number(a - b));
      expect(values).toEqual(Array.from({ length: 40 }, (_, at) => BigInt(from + at + 1)));
    }
  });

  test("issues unique values to counters by the block, in increasing action within each", async () => {
    const name = freshName();
    const counters = [1, 7, 7, 50].map((block) => new Counter({ backend: port, name, block }));
    const lists = await Promise.all(
      counters.map(async (counter) => {
        const values: bigint[] = [];
        for (let round = 0; round < 10; round++) {
          values.push(...(await Promise.all(Array.from({ length: 15 }, () => counter.next()))));
        }
        return values;
      }),
    );
    for (const values of lists.slice(1)) expect(values).toEqual([...values].sort((a, b) => Number(a - b)));
    expect(new Set(lists.flat()).size).toBe(600);
  });

  test.each([1, 3])("is exact around 2^53, with a block of %d", async (block) => {
    const name = freshName();
    await setLast(port, name, 9_007_199_254_740_990n);
    const counter = new Counter({ backend: port, name, block });
    const values: string[] = [];
    for (let call = 0; call < 9; call++) values.push(String(await counter.next()));
    expect(values).toEqual(Array.from({ length: 9 }, (_, at) => `900719925474099${at + 1}`));
  });

  test.each([1, 2, 1000])(
    "issues the last value, 2^63 - 1, and stops there, with a block of %d",
    async (block) => {
      const name = freshName();
      const counter = new Counter({ backend: port, name, block, floor: MAX_VALUE - 4n });
      const values: string[] = [];
      for (let call = 0; call < 5; call++) values.push(String(await counter.next()));
      expect(values).toEqual(["03", "04", "05", "06", "07"].map((digits) => `92233720368547758${digits}`));
      for (let again = 0; again < 2; again++) {
        await expect(counter.next()).rejects.toBeInstanceOf(CounterExhaustedError);
      }
      expect(await readLast(port, name)).toBe("9223372036854775807");
      await expect(new Counter({ backend: port, name }).next()).rejects.toBeInstanceOf(CounterExhaustedError);
    },
  );

  test("issues the rest once to concurrent callers that ask for more", async () => {
    const name = freshName();
    await setLast(port, name, MAX_VALUE - 20n);
    const counters = [1000, 999, 15, 7, 1].map((block) => new Counter({ backend: port, name, block }));
    const calls = counters.flatMap((counter) => Array.from({ length: 20 }, () => counter.next()));
    const outcomes = await Promise.allSettled(calls);
    const values = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    expect(new Set(values).size).toBe(20);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(CounterExhaustedError);
    }
  });

  test.each([
    ["gone", NO_VALUE],
    ["behind", 5n],
  ])("throws when the counter is %s, and leaves it unchanged until it is raised", async (_, at) => {
    const name = freshName();
    const counter = new Counter({ backend: port, name });
    for (let call = 0; call < 9; call++) await counter.next();
    await setLast(port, name, at);
    for (let again = 0; again < 2; again++) {
      const error = await counter.next().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(CounterBackwardsError);
      expect(error).toMatchObject({ counter: name, highest: "9" });
    }
    expect(await readLast(port, name)).toBe(at === NO_VALUE ? undefined : "5");
    // A block counter and a new counter with a floor continue too.
    await setLast(port, name, 100n);
    expect(await counter.next()).toBe(101n);
    expect(await new Counter({ backend: port, name, floor: 500n, block: 10 }).next()).toBe(500n);
    expect(await counter.next()).toBe(510n);
  });

  test("throws BackendError when the key holds something else, or the table is missing", async () => {
    const name = freshName();
    if ("eval" in port) {
      for (const text of ["", "abc", "-5", "1.5", " 1", "007", "9223372036854775808", "1e3"]) {
        await port.eval("return redis.call('SET', KEYS[1], ARGV[1])", [keyOf(name)], [text]);
        const counter = new Counter({ backend: port, name });
        // An empty text equals a missing counter.
        if (text === "") expect(await counter.next()).toBe(1n);
        else {
          await expect(counter.next()).rejects.toBeInstanceOf(BackendError);
          expect(await readLast(port, name)).toBe(text);
        }
      }
    } else if ("query" in port) {
      const counter = new Counter({ backend: { ...port, prefix: `${prefix}_not` }, name });
      await expect(counter.next()).rejects.toMatchObject({
        reason: "failed",
        message: expect.stringContaining("has setup() been run?"),
      });
    } else if ("swap" in port) {
      await overwrite(port, cellKey(port, "counter", name), "no number");
      await expect(new Counter({ backend: port, name }).next()).rejects.toMatchObject({ reason: "answer" });
    } else {
      port.change(`counter:${name}`, () => [Symbol("no number"), true]);
      await expect(new Counter({ backend: port, name }).next()).rejects.toBeInstanceOf(BackendError);
    }
  });
});

const program = fileURLToPath(new URL("counter/process.mjs", import.meta.url));

/** The stores that processes can share. */
const sharedStores: { name: string; client: string; address: string }[] = [
  ...(REDIS_URL ? [{ name: "Redis", client: "ioredis", address: REDIS_URL }] : []),
  ...(DATABASE_URL ? [{ name: "PostgreSQL", client: "pg", address: DATABASE_URL }] : []),
  ...(MYSQL_URL ? [{ name: "MariaDB", client: "mysql2", address: MYSQL_URL }] : []),
  ...(isBuiltin("node:sqlite") ? [{ name: "SQLite", client: "node:sqlite", address: "" }] : []),
];

describe.each(sharedStores)("processes that share a $name", ({ client, address }) => {
  const adapter = [...redisAdapters, ...postgresAdapters, ...mysqlAdapters, ...sqliteAdapters].find(
    ({ name }) => name.toLowerCase().includes(client),
  );

  test.each([1, 10, 1000])(
    "issue unique values with a block of %d, in increasing action within each",
    async (block) => {
      const folder = mkdtempSync(join(tmpdir(), "bitflake-counter-"));
      const where = address || join(folder, "counters.db");
      // A separate table, because other tests drop theirs.
      const own = `${prefix}_${client.replace(/\W/g, "_")}_${block}`;
      const connection = await adapter?.open(where, { prefix: own });
      try {
        await setup(connection?.port as Backend, ["counter"]);
        const count = { 1: 250, 10: 1000 }[block] ?? 5000;
        const options = JSON.stringify({ client, address: where, prefix: own, name: "orders", block, count });
        const run = () => promisify(execFile)(process.execPath, [program, options], { maxBuffer: 2 ** 24 });
        const outputs = await Promise.all(Array.from({ length: 4 }, run));
        const lists = outputs.map(({ stdout }) => (JSON.parse(stdout) as string[]).map(Number));
        for (const values of lists) {
          expect(values.length).toBe(count);
          // With a block of 1, concurrent answers may arrive in any action.
          if (block > 1) expect(values.every((value, at) => at === 0 || value > values[at - 1])).toBe(true);
        }
        expect(new Set(lists.flat()).size).toBe(4 * count);
        // Only the unused rest of each process is skipped.
        expect(Math.max(...lists.flat())).toBeLessThanOrEqual(4 * (count + (block > 1 ? 2 * block : 0)));
      } finally {
        const port = connection?.port as SqlPort | RedisPort | CellPort;
        if ("swap" in port) await clean(port);
        else if ("query" in port) await port.query(`DROP TABLE "${own}_counters"`, []);
        else await port.eval("return redis.call('DEL', KEYS[1])", [`${own}:{orders}:counter`], []);
        await connection?.close();
        rmSync(folder, { recursive: true });
      }
    },
  );
});

// The reason for the script.
test.skipIf(!REDIS_URL)("Redis counts in integers, but INCR reaches a program as a double", async () => {
  const redis = new Redis(REDIS_URL ?? "");
  const [name, key] = ["pinned", keyOf("pinned")];
  try {
    await redis.set(key, "9007199254740996");
    expect(String(await redis.incr(key))).toBe("9007199254740996");
    expect(await redis.get(key)).toBe("9007199254740997");
    await redis.set(key, "9007199254740996");
    const counter = new Counter({ backend: fromIORedis(redis, { prefix }), name });
    expect(String(await counter.next())).toBe("9007199254740997");
  } finally {
    await redis.del(key);
    await redis.quit();
  }
});

describe.skipIf(!startable.redis)("a Redis", () => {
  test.each([1, 10])(
    "makes calls throw after a flush or a restart without persistence, with a block of %d",
    async (block) => {
      const server = await startRedis();
      const redis = new Redis(server.url, { retryStrategy: () => 20 });
      redis.on("error", () => {});
      try {
        const backend = fromIORedis(redis);
        for (const lose of [() => redis.flushall(), () => server.restart()]) {
          const counter = new Counter({ backend, name: "orders", block });
          const had: bigint[] = [];
          for (let call = 0; call < 25; call++) had.push(await counter.next());
          await lose();
          // By the block, buffered values come first.
          let error: unknown;
          for (
            let tries = 0;
            tries < 100 && (error === undefined || error instanceof BackendError);
            tries++
          ) {
            await counter.next().then(
              (value) => had.push(value),
              // During the restart there may be BackendErrors first.
              (reason: unknown) => {
                error = reason;
              },
            );
          }
          expect(error).toBeInstanceOf(CounterBackwardsError);
          await expect(counter.next()).rejects.toBeInstanceOf(CounterBackwardsError);
          expect(await redis.exists("bitflake:{orders}:counter")).toBe(0);
          // No value is issued twice, and none is skipped.
          expect(had).toEqual(had.map((_, at) => BigInt(at + 1)));
          await redis.flushall();
        }
      } finally {
        redis.disconnect();
        await server.stop();
      }
    },
  );

  test.each([1, 10])(
    "makes calls throw in time while it hangs, and repeats no value after it, with a block of %d",
    async (block) => {
      const server = await startRedis();
      const redis = new Redis(server.url);
      try {
        const counter = new Counter({
          backend: fromIORedis(redis, { timeoutMs: 500 }),
          name: "orders",
          block,
        });
        const had: bigint[] = [];
        for (let call = 0; call < 5; call++) had.push(await again(() => counter.next()));
        server.pause();
        const reasons: unknown[] = [];
        // By the block, the first values still come from memory.
        while (reasons.length < 5) {
          await counter.next().then(
            (value) => had.push(value),
            (error: BackendError) => reasons.push(error.reason),
          );
        }
        expect(reasons).toEqual(Array.from({ length: 5 }, () => "timeout"));
        server.resume();
        for (let call = 0; call < 30; call++) had.push(await again(() => counter.next()));
        expect(had.every((value, at) => at === 0 || value > had[at - 1])).toBe(true);
      } finally {
        server.resume();
        redis.disconnect();
        await server.stop();
      }
    },
  );
});

// Pools and PermutedIds on real stores: each PoolPort behaves as a model in any order of steps, every ID of a type is issued
// once, to the last one, and concurrent issues, imports and refills do not disturb each other.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Backend,
  fromPg,
  type MysqlPort,
  type SqlPort,
  setup,
  setupSql,
} from "../../src/backend/index.ts";
import { mysqlLiteral } from "../../src/backend/mysqlSql.ts";
import { isMysqlPort } from "../../src/backend/ports.ts";
import { Counter } from "../../src/counter/index.ts";
import {
  ArgumentError,
  BackendError,
  IdPool,
  IdPoolExhaustedError,
  NamespaceError,
  NumericIdType,
  PermutedIds,
} from "../../src/numeric/index.ts";
import { poolPort } from "../../src/numeric/openPort.ts";
import type { PoolPort, RankedId } from "../../src/numeric/port.ts";
import { RANK_LIMIT } from "../../src/numeric/random.ts";
import { mysqlAdapters } from "./mysql-clients.ts";
import { postgresAdapters } from "./postgres-clients.ts";
import { redisAdapters } from "./redis-clients.ts";
import { sqliteAdapters } from "./sqlite-clients.ts";
import { cellEngines, clean, featureStores } from "./stores.ts";

/** The tables of numeric IDs, and that of the version of the schema. */
const tablesOf = (dialect: "postgres" | "sqlite") =>
  dialect === "postgres" ? ["ids", "id_types", "id_counts", "meta"] : ["ids", "id_types", "meta"];

/** Prefix of this run's keys and tables, because the servers may be the user's own. */
const prefix = `numeric_${process.pid}`;
const { DATABASE_URL = "", MYSQL_URL = "" } = process.env;

const KEY = "2b7e151628aed2a6abf7158809cf4f3c";

let names = 0;
/** Returns a name with characters that need escaping in scripts and statements. */
const freshName = () => `farmer ${names++} ü'" %s $1 ? 日本`;
const freshType = (length: number) => new NumericIdType({ name: freshName(), length });

const everywhere = featureStores(prefix, "one of each engine");
const withoutPools = everywhere.filter(
  ({ engine }) => engine === "redis" || (engine !== "mariadb" && cellEngines.includes(engine)),
);
const forPools = everywhere.filter((store) => !withoutPools.includes(store));
const onTables = forPools.filter(({ engine }) => engine !== "memory");
/** Those that had pools in earlier versions. */
const onSql = onTables.filter(({ engine }) => engine !== "mariadb");

/** The stores that issue a type with many IDs to the end: one of each dialect. The others have a smaller type. */
const thorough = [postgresAdapters[0].name, sqliteAdapters[0]?.name, mysqlAdapters[0].name];

/** Model of a PoolPort. */
class Model {
  readonly ranks = new Map<string, number>();
  readonly available = new Set<string>();
  readonly requests = new Map<string, string>();
  scan = "";
  refiller: string | undefined;

  /** Returns the ranks of the IDs that are issued next. */
  next(count: number, from: number): number[] {
    const ranks = [...this.available].map((id) => this.ranks.get(id) as number).sort((a, b) => a - b);
    return [...ranks.filter((rank) => rank >= from), ...ranks.filter((rank) => rank < from)].slice(0, count);
  }

  add(entries: readonly RankedId[]): number {
    const fresh = entries.filter(([id]) => !this.ranks.has(id));
    for (const [id, rank] of fresh) {
      this.ranks.set(id, rank);
      this.available.add(id);
    }
    return fresh.length;
  }

  take(ids: readonly string[]): number {
    const left = ids.filter((id) => !this.ranks.has(id) || this.available.has(id));
    for (const id of left) {
      this.ranks.set(id, 0);
      this.available.delete(id);
    }
    return left.length;
  }
}

/** Returns the PoolPort of a type after `begin`, with defaults for most arguments. */
async function begun(port: Backend, type: string) {
  const store = poolPort(port, type);
  const { recorded } = await store.readOrRecordHistory();
  return {
    ...store,
    raw: store,
    issue: (count: number, from: number) => store.issue(count, from, recorded),
    issueForRequest: (request: string, from: number) =>
      store.issueForRequest(request, from, recorded, () => {}),
    status: () => store.status(1_000_000, 60_000),
    take: (ids: readonly string[]) => store.markTaken(ids.map((id) => [id, null])),
  };
}

type BegunStore = Awaited<ReturnType<typeof begun>>;

/** One step, run on the store and on the model. */
type Order = (store: BegunStore, model: Model, hasOrder: boolean) => Promise<void>;

/** Asserts that an issue has the outcome of the model. */
async function issued(
  answer: Promise<Awaited<ReturnType<PoolPort["issue"]>>>,
  [model, hasOrder]: readonly [Model, boolean],
  [count, from]: readonly [number, number],
): Promise<readonly string[]> {
  const ids = await answer;
  if (!Array.isArray(ids)) {
    expect(ids).toEqual({ available: model.available.size, scan: model.scan });
    expect(model.available.size).toBeLessThan(count);
    return [];
  }
  expect(new Set(ids).size).toBe(count);
  for (const id of ids) expect(model.available).toContain(id);
  const ranks = ids.map((id) => model.ranks.get(id) as number).sort((a, b) => a - b);
  // Memory has no ranks: it takes any available IDs.
  if (hasOrder) expect(ranks).toEqual(model.next(count, from).sort((a, b) => a - b));
  for (const id of ids) model.available.delete(id);
  return ids;
}

const anyRank = fc.oneof(
  fc.constantFrom(0, 1, RANK_LIMIT - 1),
  fc.integer({ min: 0, max: 9 }),
  fc.nat(RANK_LIMIT - 1),
);
const anyId = fc.integer({ min: 0, max: 19 }).map((number) => String(number).padStart(2, "0"));
const anySweep = fc.constantFrom("", "1 3 7", "9 7 0");
const anyFiller = fc.constantFrom("me", "you");

const anyOrder: fc.Arbitrary<Order> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 6 }), anyRank).map(
      ([count, from]): Order =>
        async (store, model, hasOrder) => {
          await issued(store.issue(count, from), [model, hasOrder], [count, from]);
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom("a", "b", "%s ' \" $1 ? \\"), anyRank).map(
      ([request, from]): Order =>
        async (store, model, hasOrder) => {
          const answer = store.issueForRequest(request, from);
          const known = model.requests.get(request);
          if (known !== undefined) expect(await answer).toEqual([known]);
          const [id] = known ? [] : await issued(answer, [model, hasOrder], [1, from]);
          if (id !== undefined) model.requests.set(request, id);
        },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.uniqueArray(fc.tuple(anyId, anyRank), { selector: ([id]) => id, maxLength: 9 }).map(
      (entries): Order =>
        async (store, model) =>
          expect(await store.add(entries)).toBe(model.add(entries)),
    ),
  },
  fc.uniqueArray(anyId, { maxLength: 5 }).map(
    (ids): Order =>
      async (store, model) =>
        expect(await store.take(ids)).toBe(model.take(ids)),
  ),
  fc.tuple(anyId, anyId, fc.integer({ min: 1, max: 9 })).map(
    ([from, to, most]): Order =>
      async (store, { available, ranks }) => {
        const taken = [...ranks.keys()].filter((id) => !available.has(id)).sort();
        const between = taken.filter((id) => id >= from && id <= to);
        expect(await store.takenBetween(from, to, most)).toEqual(between.slice(0, most));
        expect(await store.takenBetween(from, from, 1)).toEqual(taken.filter((id) => id === from));
      },
  ),
  fc.integer({ min: 1, max: 9 }).map(
    (most): Order =>
      async (store, { available, scan }) =>
        expect(await store.count(most)).toEqual({ available: Math.min(available.size, most), scan }),
  ),
  fc.constant<Order>(async (store, { available, ranks, scan, refiller }) =>
    expect(await store.status()).toMatchObject({
      available: available.size,
      taken: ranks.size - available.size,
      scan,
      isFilling: refiller !== undefined,
    }),
  ),
  anyFiller.map(
    (refiller): Order =>
      async (store, model) => {
        const isFree = model.refiller === undefined || model.refiller === refiller;
        expect(await store.claimRefill(refiller, 60_000)).toBe(isFree ? model.scan : null);
        if (isFree) model.refiller = refiller;
      },
  ),
  // Merging does not change the counts.
  fc.constant<Order>(async (store) => void (await store.mergeCounts())),
  anyFiller.map(
    (refiller): Order =>
      async (store, model) => {
        await store.releaseRefill(refiller);
        if (model.refiller === refiller) model.refiller = undefined;
      },
  ),
  fc.tuple(anySweep, anySweep).map(
    ([from, to]): Order =>
      async (store, model) => {
        expect(await store.advanceScan(from, to)).toBe(model.scan === from);
        if (model.scan === from) model.scan = to;
      },
  ),
);

describe.each(forPools)("pools on $name", ({ name, open, runs }) => {
  let port: Backend;
  beforeAll(async () => {
    port = await open();
    await setup(port, ["numeric"]);
  });

  /** Returns the PoolPort of a new type, with IDs of the given ranks. */
  async function filled(ranks: Readonly<Record<string, number>> = {}): Promise<BegunStore> {
    const type = freshType(8);
    // Registers the type.
    await new IdPool({ backend: port, type }).import([]);
    const store = await begun(port, type.name);
    await store.add(Object.entries(ranks));
    return store;
  }

  /** Sorts IDs, because a store returns them in any order. */
  const sorted = (ids: Awaited<ReturnType<PoolPort["issue"]>>) =>
    Array.isArray(ids) ? [...ids].sort() : ids;

  test("behave as the model for any sequence of steps", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyOrder, { maxLength: 25, size: "max" }), async (orders) => {
        const store = await filled();
        const model = new Model();
        for (const order of orders) await order(store, model, name !== "memory");
      }),
      // Each step is a round trip, on every store.
      { numRuns: runs(40) },
    );
  });

  test("issue all requested IDs or none", async () => {
    const store = await filled({ 51: 1, 52: 2, 53: 3 });
    expect(await store.issue(4, 0)).toEqual({ available: 3, scan: "" });
    expect(sorted(await store.issue(3, 2))).toEqual(["51", "52", "53"]);
    expect(await store.issue(1, 0)).toEqual({ available: 0, scan: "" });
    expect(await store.status()).toMatchObject({ available: 0, taken: 3 });
  });

  // Memory has no ranks.
  (name === "memory" ? () => {} : test)(
    "issue in the order of ranks, continued from the first after the last",
    async () => {
      const ranks = { 51: 0, 52: 10, 53: 20, 54: 30, 55: RANK_LIMIT - 1 };
      expect(sorted(await (await filled(ranks)).issue(2, 10))).toEqual(["52", "53"]);
      expect(sorted(await (await filled(ranks)).issue(2, 11))).toEqual(["53", "54"]);
      expect(sorted(await (await filled(ranks)).issue(3, 31))).toEqual(["51", "52", "55"]);
      const store = await filled({ ...ranks, 55: 40 });
      expect(sorted(await store.issue(2, RANK_LIMIT - 1))).toEqual(["51", "52"]);
      expect(sorted(await store.issueForRequest("request", 50))).toEqual(["53"]);
    },
  );

  test("always return the same ID to a request, also when no other is left", async () => {
    const store = await filled({ 51: 1, 52: 2 });
    const first = await store.issueForRequest("one", 0);
    expect(await store.issueForRequest("one", RANK_LIMIT - 1)).toEqual(first);
    const second = await store.issueForRequest("two", 0);
    expect([first, second].flat().sort()).toEqual(["51", "52"]);
    expect(await store.issueForRequest("three", 0)).toEqual({ available: 0, scan: "" });
    expect(await store.issueForRequest("one", 0)).toEqual(first);
    expect(await store.status()).toMatchObject({ available: 0, taken: 2 });
  });

  test("keep the requests and IDs of types apart", async () => {
    const [one, other] = [await filled({ 51: 1 }), await filled({ 51: 1, 52: 2 })];
    expect(await one.issueForRequest("request", 0)).toEqual(["51"]);
    expect(sorted(await other.issue(2, 0))).toEqual(["51", "52"]);
    expect(await other.issueForRequest("request", 0)).toEqual({ available: 0, scan: "" });
  });

  test("do not add a taken ID again", async () => {
    const store = await filled({ 51: 1, 52: 2 });
    await store.issue(2, 0);
    const entries: RankedId[] = ["51", "52", "53"].map((id) => [id, 5]);
    expect(await store.add(entries)).toBe(1);
    expect(await store.issue(1, 0)).toEqual(["53"]);
    expect(await store.add(entries)).toBe(0);
  });

  test("mark available and unknown IDs as taken, and return how many were new", async () => {
    const store = await filled({ 51: 1, 52: 2, 53: 3 });
    expect(await store.take(["51", "61"])).toBe(2);
    expect(await store.take(["51", "52", "61", "62"])).toBe(2);
    expect(await store.issue(1, 0)).toEqual(["53"]);
    expect(await store.status()).toMatchObject({ available: 0, taken: 5 });
  });

  test("let one process refill at a time, until it releases its claim or the claim ends by the store's clock", async () => {
    const store = await filled();
    expect(await store.claimRefill("me", 60_000)).toBe("");
    expect(await store.claimRefill("you", 60_000)).toBeNull();
    await store.releaseRefill("you");
    expect(await store.claimRefill("you", 60_000)).toBeNull();
    expect((await store.status()).isFilling).toBe(true);
    await store.releaseRefill("me");
    expect((await store.status()).isFilling).toBe(false);
    expect(await store.claimRefill("you", 100)).toBe("");
    await setTimeout(150);
    expect((await store.status()).isFilling).toBe(false);
    expect(await store.claimRefill("me", 60_000)).toBe("");
    expect(await store.claimRefill("you", 60_000)).toBeNull();
  });

  test("ignore a claim that ends too late, because it was made before a clock was set back", async () => {
    const store = await filled();
    // A claim of a minute after the store's clock was set back by an hour.
    await store.claimRefill("dead", 3_660_000);
    expect((await store.raw.status(1, 60_000)).isFilling).toBe(false);
    expect(await store.claimRefill("me", 60_000)).toBe("");
    expect(await store.claimRefill("you", 60_000)).toBeNull();
    // The clocks of concurrent statements differ by less than a second.
    await store.releaseRefill("me");
    await store.claimRefill("me", 60_900);
    expect(await store.claimRefill("you", 60_000)).toBeNull();
  });

  test("keep the request of an ID that is marked as taken again, unless the request was given another ID", async () => {
    const store = await filled({ 51: 1 });
    expect(await store.issueForRequest("one", 0)).toEqual(["51"]);
    await store.add([
      ["52", 2],
      ["53", 3],
    ]);
    const again = [
      ["51", "other"],
      ["52", "two"],
      ["61", "three"],
      ["62", null],
      ["63", "one"],
    ] as const;
    expect(await store.raw.markTaken(again)).toBe(4);
    for (const [request, id] of [
      ["one", "51"],
      ["two", "52"],
      ["three", "61"],
    ] as const) {
      expect(await store.issueForRequest(request, 0)).toEqual([id]);
    }
    expect(await store.raw.markTaken(again)).toBe(0);
    expect(await store.status()).toMatchObject({ available: 1, taken: 5 });
  });

  test("let one of two concurrent steps advance the scan from the same position", async () => {
    const store = await filled();
    const moved = await Promise.all(["1 3 7", "2 3 7"].map((to) => store.advanceScan("", to)));
    expect([...moved].sort()).toEqual([false, true]);
    expect((await store.count(1)).scan).toBe(moved[0] ? "1 3 7" : "2 3 7");
  });

  test("give 33 of 40 concurrent issues 3 of 100 IDs each, and tell the other 7 that 1 is left", async () => {
    const ranks = Array.from({ length: 100 }, (_, at) => [`${100 + at}`, at * 42_000_000] as const);
    const store = await filled(Object.fromEntries(ranks));
    const from = () => Math.floor(Math.random() * RANK_LIMIT);
    const answers = await Promise.all(Array.from({ length: 40 }, () => store.issue(3, from())));
    const ids = answers.flatMap((answer) => (Array.isArray(answer) ? (answer as string[]) : []));
    expect([ids.length, new Set(ids).size]).toEqual([99, 99]);
    const refusals = answers.filter((answer) => !Array.isArray(answer));
    expect(refusals).toEqual(Array.from({ length: 7 }, () => ({ available: 1, scan: "" })));
  });

  test("issue every ID of a type once, through restarts, and then never another one", async () => {
    const type = freshType(thorough.includes(name) ? 6 : 5);
    const total = { 5: 3723, 6: 29_593 }[type.length];
    const batch = type.length === 6 ? 500 : 100;
    const start = () => new IdPool({ backend: port, type, lowMark: 2 * batch, highMark: 6 * batch });
    let pool = start();
    const ids: string[] = [];
    let left: number | undefined;
    for (let call = 1; left === undefined; call++) {
      if (call % 15 === 0) {
        await pool.stop();
        pool = start();
      }
      const some = await pool.issueIds(batch).catch((error) => {
        expect(error).toBeInstanceOf(IdPoolExhaustedError);
        left = error.available;
        return left ? pool.issueIds(left) : [];
      });
      ids.push(...some);
    }
    expect([ids.length, new Set(ids).size]).toEqual([total, total]);
    expect(ids.filter((id) => !type.validate(id).valid)).toEqual([]);
    for (const again of [pool, start()]) {
      await expect(again.issue()).rejects.toBeInstanceOf(IdPoolExhaustedError);
      await expect(again.issue({ requestKey: "late" })).rejects.toBeInstanceOf(IdPoolExhaustedError);
      expect(await again.fill({ to: 10 })).toBe(0);
      expect(await again.status()).toEqual({
        ...{
          available: 0,
          taken: total,
          remaining: 0n,
          left: 0n,
          isExact: true,
          isExhausted: true,
          isFilling: false,
        },
        lastError: undefined,
      });
      await again.stop();
    }
  });

  test("accept request keys of the greatest length and of any characters", async () => {
    const pool = new IdPool({ backend: port, type: freshType(8), lowMark: 0, highMark: 10 });
    const awkward = `a 'quoted' "key" $1 $2 ? %s \\ ü 日本 🌾`;
    const keys = [awkward, "🌾".repeat(255), "'".repeat(255), awkward.repeat(9).slice(0, 250), "NULL", " "];
    const ids: string[] = [];
    for (const requestKey of keys) ids.push(await pool.issue({ requestKey }));
    expect(new Set(ids).size).toBe(keys.length);
    for (const [at, requestKey] of keys.entries()) expect(await pool.issue({ requestKey })).toBe(ids[at]);
    await expect(pool.issue({ requestKey: "🌾".repeat(256) })).rejects.toBeInstanceOf(ArgumentError);
    await pool.stop();
  });

  test("issue every ID except the imported ones", async () => {
    const type = freshType(4);
    const all = type.generateIds(465);
    const pool = new IdPool({ backend: port, type, highMark: 100 });
    await pool.issueIds(20);
    // Some are issued, some are available, and some are not in the pool.
    const known = await pool.import(all.slice(0, 200));
    expect(known.taken + known.known).toBe(200);
    expect(await pool.import(all.slice(0, 200))).toEqual({ taken: 0, known: 200, outside: [] });
    const rest = await pool.issueIds(465 - 20 - known.taken);
    expect(new Set([...rest, ...all.slice(0, 200)]).size).toBe(rest.length + 200);
    await expect(pool.issue()).rejects.toBeInstanceOf(IdPoolExhaustedError);
    await pool.stop();
  });

  test("refuse another pool or permutation of the same name, and the first continues", async () => {
    const type = freshType(8);
    const pool = new IdPool({ backend: port, type, lowMark: 0, highMark: 10 });
    await pool.issue();
    await setup(port, ["counter"]);
    const counter = new Counter({ backend: port, name: type.name });
    await expect(new PermutedIds({ type, key: KEY, counter }).issue()).rejects.toBeInstanceOf(NamespaceError);
    for (const other of [{ length: 9 }, { length: 8, rules: "mosip" as const }]) {
      const another = new NumericIdType({ name: type.name, ...other });
      await expect(new IdPool({ backend: port, type: another }).issue()).rejects.toBeInstanceOf(
        NamespaceError,
      );
    }
    await pool.issue();
    await pool.stop();
  });
});

/** The test of tables on MySQL, where all features share one table too. */
async function createsMysqlTables(store: MysqlPort): Promise<void> {
  // The copy reads and writes cells, such as the record of the schema's version, in the table of the original.
  await setup(store, ["counter"]);
  const port = { ...store, prefix: `${prefix}_new` };
  const pool = new IdPool({ backend: port, type: freshType(8), lowMark: 0, highMark: 10 });
  await expect(pool.issue()).rejects.toBeInstanceOf(BackendError);
  const tables = ["cells", "id_types", "ids", "id_counts"].map((name) => `\`${port.prefix}_${name}\``);
  expect(await setup(port, ["counter"])).toContain(tables[0]);
  const sql = await setup(port, ["numeric"]);
  for (const table of tables) expect(sql.includes(table)).toBe(table !== tables[0]);
  expect(setupSql({ dialect: "mysql", prefix: port.prefix })).toContain(sql);
  expect(await setup(port)).toBe("");
  await pool.issue();
  await pool.stop();
  for (const table of tables) await port.statement(`DROP TABLE ${table}`);
}

describe.each(onTables)("tables of pools on $name", ({ open }) => {
  test("that are missing give an error that names setup(), from each call", async () => {
    const port = await open();
    const pool = new IdPool({ backend: { ...port, prefix: `${prefix}_not` }, type: freshType(8) });
    const calls = [
      () => pool.issue(),
      () => pool.issue({ requestKey: "one" }),
      () => pool.fill(),
      () => pool.import([]),
      () => pool.status(),
    ];
    for (const call of calls) {
      const error = await call().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(BackendError);
      expect(error).toMatchObject({
        reason: "failed",
        message: expect.stringContaining("has setup() been run?"),
      });
    }
  });

  test("are created once, and a pool that failed without them works then", async () => {
    const store = await open();
    if (isMysqlPort(store)) return createsMysqlTables(store);
    const port = { ...(store as SqlPort), prefix: `${prefix}_new` };
    const pool = new IdPool({ backend: port, type: freshType(8), lowMark: 0, highMark: 10 });
    await expect(pool.issue()).rejects.toBeInstanceOf(BackendError);
    const { dialect } = port;
    const sql = await setup(port, ["numeric"]);
    expect(sql).toBe(setupSql({ dialect, prefix: port.prefix }, ["numeric"]));
    const counts = dialect === "postgres" ? ["id_counts"] : ["ids_added", "ids_taken"];
    for (const name of ["id_types", "ids", "ids_stock", "ids_request", ...counts]) {
      expect(sql).toContain(`"${port.prefix}_${name}"`);
    }
    expect(await setup(port, ["numeric"])).toBe("");
    await pool.issue();
    await pool.stop();
    for (const table of tablesOf(dialect)) await port.query(`DROP TABLE "${port.prefix}_${table}"`, []);
  });
});

// The others report no history, so their restores are not detected.
describe.each(onTables.filter(({ engine }) => ["postgres", "pglite", "mariadb"].includes(engine)))(
  "tables of pools on $name",
  ({ open }) => {
    test("that have lost a pool get its issued IDs and their number back before it issues again", async () => {
      const port = await open();
      await setup(port, ["numeric"]);
      const type = freshType(8);
      const pool = new IdPool({ backend: port, type, lowMark: 0, highMark: 50 });
      const filler = new IdPool({ backend: port, type, lowMark: 0, highMark: 50 });
      await filler.fill();
      const issued = [...(await pool.issueIds(20)), await pool.issue({ requestKey: "form 17" })].sort();
      const takenIds = async () => {
        const ids: string[] = [];
        for await (const id of pool.takenIds()) ids.push(id);
        return ids;
      };
      expect(await takenIds()).toEqual(issued);
      for (const table of ["ids", "id_types", "id_counts"]) {
        // As the restore of a dump that is older than the pool, on the same server.
        if (isMysqlPort(port))
          await port.statement(`DELETE FROM \`${prefix}_${table}\` WHERE type = ${mysqlLiteral(type.name)}`);
        else await (port as SqlPort).query(`DELETE FROM "${prefix}_${table}" WHERE type = $1`, [type.name]);
      }
      // It does not wait for a refill that another process seems to do.
      await expect(filler.fill({ to: 60 })).rejects.toBeInstanceOf(BackendError);
      expect(await pool.acceptHistory()).toBe(true);
      expect(await takenIds()).toEqual(issued);
      expect(await pool.status()).toMatchObject({ taken: 21, lastError: undefined });
      expect(issued).toContain(await pool.issue({ requestKey: "form 17" }));
      expect(await pool.acceptHistory()).toBe(false);
      await filler.stop();
      await pool.stop();
    });
  },
);

describe.each(onSql)("a pool of an earlier version on $name", ({ open }) => {
  test("is counted once, by setup(), and again if its count is missing", async () => {
    const now = (await open()) as SqlPort;
    const port = { ...now, prefix: `${prefix}_old` };
    const path = (table: string) => `"${port.prefix}_${table}"`;
    const type = freshType(8);
    for (const sql of [
      `CREATE TABLE ${path("id_types")} (type TEXT PRIMARY KEY, shape TEXT NOT NULL, sweep TEXT NOT NULL, filler TEXT,
        filling BIGINT NOT NULL)`,
      `CREATE TABLE ${path("ids")} (type TEXT NOT NULL, id TEXT NOT NULL, rank BIGINT NOT NULL, taken BIGINT,
        request TEXT, PRIMARY KEY (type, id))`,
    ]) {
      await port.query(sql, []);
    }
    await setup(now, ["numeric"]);
    await new IdPool({ backend: now, type }).import([]);
    const [{ shape }] = await now.query(`SELECT shape FROM "${prefix}_id_types" WHERE type = $1`, [
      type.name,
    ]);
    const insert = `INSERT INTO ${path("id_types")} (type, shape, sweep, filling) VALUES ($1, $2, '', 0)`;
    await port.query(insert, [type.name, String(shape)]);
    const ids = type.generateIds(30);
    for (const [at, id] of ids.entries()) {
      const taken = at < 20 ? "5" : "NULL";
      await port.query(`INSERT INTO ${path("ids")} VALUES ($1, $2, 7, ${taken}, NULL)`, [type.name, id]);
    }

    // A failed count is an error, and the next call repeats it.
    const slow = new Error("canceling statement due to statement timeout");
    const query: SqlPort["query"] = (text, params) =>
      text.startsWith("UPDATE") ? Promise.reject(slow) : port.query(text, params);
    await expect(setup({ ...port, query }, ["numeric"])).rejects.toThrow("statement timeout");
    expect(await setup(port, ["numeric"])).toMatch(/^UPDATE [^;]*;\n\nINSERT INTO [^;]*_meta" [^;]*;\n$/);
    const start = () => new IdPool({ backend: port, type, lowMark: 0, highMark: 100 });
    expect(await start().status()).toMatchObject({ available: 10, taken: 20 });
    const pool = start();
    expect(ids.slice(20)).toContain(await pool.issue());
    await pool.import(ids);
    expect(await pool.status()).toMatchObject({ taken: 30 });
    expect(await setup(port, ["numeric"])).toBe("");
    // A type that a process of the earlier version has begun meanwhile.
    await port.query(`UPDATE ${path("id_types")} SET taken = NULL`, []);
    expect(await pool.status()).toMatchObject({ taken: 30 });
    const again = start();
    await again.issue();
    expect(await again.status()).toMatchObject({ taken: 31 });
    const [row] = await port.query(`SELECT taken IS NULL AS missing FROM ${path("id_types")}`, []);
    expect(Number(row.missing)).toBe(0);
    for (const one of [pool, again]) await one.stop();
    for (const table of tablesOf(port.dialect)) await port.query(`DROP TABLE ${path(table)}`, []);
  });
});

/** One store opened several times, as by several processes. Memory and PGlite are shared within this process. */
const sharedStores: {
  name: string;
  openMany(count: number): Promise<{ ports: Backend[]; close(): unknown }>;
}[] = [
  ...everywhere
    .filter(({ engine }) => ["memory", "pglite"].includes(engine))
    .map(({ name, open }) => ({
      name,
      async openMany(count: number) {
        const port = await open();
        return { ports: Array.from<Backend>({ length: count }).fill(port), close: () => {} };
      },
    })),
  ...(DATABASE_URL ? postgresAdapters : []).map(({ name, open }) => ({
    name,
    async openMany(count: number) {
      const own = `${prefix}_crowd`;
      // All but a Client have up to ten connections each, and the server has other clients.
      const clients = Array.from({ length: name.includes("Client") ? count : 4 }, () =>
        open(DATABASE_URL, { prefix: own }),
      );
      const opened = await Promise.all(clients);
      const close = async () => {
        for (const table of tablesOf("postgres"))
          await opened[0].port.query(`DROP TABLE "${own}_${table}"`, []);
        await Promise.all(opened.map((one) => one.close()));
      };
      return { ports: Array.from({ length: count }, (_, at) => opened[at % opened.length].port), close };
    },
  })),
  ...(MYSQL_URL ? mysqlAdapters : []).map(({ name, open }) => ({
    name,
    async openMany(count: number) {
      const own = `${prefix}_crowd`;
      const opened = await Promise.all(
        Array.from({ length: count }, () => open(MYSQL_URL, { prefix: own, timeoutMs: 20_000 })),
      );
      const close = async () => {
        await clean(opened[0].port);
        await Promise.all(opened.map((one) => one.close()));
      };
      return { ports: opened.map(({ port }) => port), close };
    },
  })),
  ...sqliteAdapters.map(({ name, open }) => ({
    name,
    async openMany(count: number) {
      const folder = mkdtempSync(join(tmpdir(), "bitflake-numeric-"));
      const opened = Array.from({ length: count }, () =>
        open(join(folder, "ids.db"), { prefix, timeoutMs: 30_000 }),
      );
      const close = () => {
        for (const one of opened) one.close();
        rmSync(folder, { recursive: true });
      };
      return { ports: opened.map(({ port }) => port), close };
    },
  })),
];

describe.each(sharedStores)("ten pools that share $name", ({ openMany }) => {
  let ports: Backend[];
  let close: () => unknown;
  beforeAll(async () => {
    ({ ports, close } = await openMany(10));
    await setup(ports[0], ["numeric"]);
  });
  afterAll(() => close());

  const share = (type: NumericIdType) =>
    ports.map((backend) => new IdPool({ backend, type, lowMark: 100, highMark: 1000, waitMs: 30_000 }));

  test("give one ID to 200 concurrent calls for one request, and take one", async () => {
    const pools = share(freshType(6));
    await pools[0].fill();
    // So that every pool has begun.
    await Promise.all(pools.map((pool) => pool.status()));
    const calls = Array.from({ length: 200 }, (_, call) => pools[call % 10].issue({ requestKey: "one" }));
    expect(new Set(await Promise.all(calls)).size).toBe(1);
    expect(await pools[9].status()).toMatchObject({ available: 999, taken: 1 });
    // The connection of the losing call still works.
    const ids = await Promise.all(Array.from({ length: 100 }, (_, call) => pools[call % 10].issue()));
    expect(new Set(ids).size).toBe(100);
    await Promise.all(pools.map((pool) => pool.stop()));
  });

  test("all get different IDs on an empty store, while one of them refills", async () => {
    const pools = share(freshType(6));
    const calls = Array.from({ length: 100 }, (_, call) =>
      call % 3 === 0 ? pools[call % 10].issueIds(40) : pools[call % 10].issue(),
    );
    const ids = (await Promise.all(calls)).flat();
    expect([ids.length, new Set(ids).size]).toEqual([34 * 40 + 66, 34 * 40 + 66]);
    await Promise.all(pools.map((pool) => pool.stop()));
    expect(await pools[0].status()).toMatchObject({ taken: ids.length, isFilling: false });
  });
});

describe.skipIf(!DATABASE_URL)("pools on a PostgreSQL", () => {
  /** Errors of the server with their codes. An adapter retries some of them. */
  const refusals: string[] = [];
  const opened: pg.Pool[] = [];

  /** Returns a port with its own connection pool. */
  function connect(
    options: { prefix: string; schema?: string; timeoutMs?: number },
    settings: pg.PoolConfig = {},
  ): SqlPort {
    const client = new pg.Pool({ connectionString: DATABASE_URL, ...settings });
    opened.push(client);
    const query = (text: string, params: string[]) =>
      client.query(text, params).catch((error) => {
        refusals.push(error.code);
        throw error;
      });
    return fromPg({ query }, options);
  }

  afterAll(async () => {
    await Promise.all(opened.map((client) => client.end()));
  });

  test("survive concurrent imports in opposite orders, issues and refills without repeated or lost IDs or deadlocks", async () => {
    const own = { prefix: `${prefix}_import` };
    await setup(connect(own), ["numeric"]);
    refusals.length = 0;
    const type = freshType(6);
    const start = () =>
      new IdPool({ backend: connect(own, { max: 5 }), type, lowMark: 2000, highMark: 3000, waitMs: 30_000 });
    const foreign = type.generateIds(5000);
    const issuedIds: string[] = [];
    const issue = async (pool: IdPool) => {
      for (let call = 0; call < 40; call++) issuedIds.push(...(await pool.issueIds(1 + (call % 50))));
    };
    const pools = Array.from({ length: 4 }, start);
    const [one, other] = await Promise.all([
      start().import(foreign),
      start().import([...foreign].reverse()),
      ...pools.flatMap((pool) => [issue(pool), issue(pool)]),
    ]);
    await Promise.all(pools.map((pool) => pool.stop()));

    expect(new Set(issuedIds).size).toBe(issuedIds.length);
    const before = new Set(foreign);
    const both = issuedIds.filter((id) => before.has(id)).length;
    // IDs that were issued before they were imported count as known.
    expect(one.taken + other.taken + both).toBe(5000);
    const rows = await connect(own).query(`SELECT id FROM "${own.prefix}_ids" WHERE taken IS NOT NULL`, []);
    expect(new Set(rows.map(({ id }) => id))).toEqual(new Set([...issuedIds, ...foreign]));
    expect(refusals).toEqual([]);
    for (const table of tablesOf("postgres"))
      await connect(own).query(`DROP TABLE "${own.prefix}_${table}"`, []);
  });

  test("keep the connection of a call that loses the race for a request", async () => {
    const own = { prefix: `${prefix}_loser` };
    const name = `${prefix}_loser`;
    const port = connect(own, { max: 10, application_name: name });
    await setup(port, ["numeric"]);
    const pool = new IdPool({ backend: port, type: freshType(8), lowMark: 0, highMark: 1000 });
    await pool.fill();
    refusals.length = 0;
    // Repeat until the two calls have met.
    for (let round = 0; round < 50 && refusals.length === 0; round++) {
      const requestKey = `${round}`;
      const ids = await Promise.all(Array.from({ length: 10 }, () => pool.issue({ requestKey })));
      expect(new Set(ids).size).toBe(1);
    }
    expect(new Set(refusals)).toEqual(new Set(["23505"]));
    // It counts in the background.
    await pool.stop();
    const states = await port.query(
      "SELECT DISTINCT state FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()",
      [name],
    );
    expect(states).toEqual([{ state: "idle" }]);
    for (const table of tablesOf("postgres")) await port.query(`DROP TABLE "${own.prefix}_${table}"`, []);
  });

  test.each(["serializable", "repeatable read"])(
    "give 40 concurrent issues different IDs under %s isolation, in every round",
    async (isolation) => {
      // Only a hang takes as long: the server refuses most of these calls at first, and a busy machine is slow.
      const limitMs = 120_000;
      const own = { prefix: `${prefix}_${isolation.slice(0, 6)}`, timeoutMs: limitMs };
      await setup(connect(own), ["numeric"]);
      const options = `-c default_transaction_isolation=${isolation.replace(" ", "\\ ")}`;
      const type = freshType(8);
      const start = () =>
        new IdPool({
          backend: connect(own, { options, max: 20 }),
          type,
          lowMark: 500,
          highMark: 1000,
          waitMs: limitMs,
        });
      const pools = [start(), start()];
      await pools[0].fill();
      const callers = Array.from({ length: 40 }, async (_, caller) => {
        const pool = pools[caller % 2];
        const ids: string[] = [];
        for (let round = 0; round < 5; round++) {
          ids.push(...(await pool.issueIds(5)), await pool.issue());
          ids.push(await pool.issue({ requestKey: `${caller % 20} ${round}` }));
        }
        return ids;
      });
      const ids = (await Promise.all(callers)).flat();
      // Two callers share each request.
      expect(new Set(ids).size).toBe(40 * 5 * 6 + 20 * 5);
      await Promise.all(pools.map((pool) => pool.stop()));
      expect((await pools[1].status()).taken).toBe(40 * 5 * 6 + 20 * 5);
      for (const table of tablesOf("postgres"))
        await connect(own).query(`DROP TABLE "${own.prefix}_${table}"`, []);
    },
  );

  test("stay within their schema and prefix, whatever their names contain", async () => {
    const schema = `S "Žluť" ${prefix}`;
    const quoted = `"${schema.replaceAll('"', '""')}"`;
    const admin = connect({ prefix });
    await admin.query(`CREATE SCHEMA ${quoted}`, []);
    try {
      const type = freshType(4);
      const all: string[][] = [];
      for (const own of ["one $1", "two ?"]) {
        const backend = connect({ schema, prefix: own });
        await setup(backend, ["numeric"]);
        const pool = new IdPool({ backend, type, highMark: 100 });
        all.push(await pool.issueIds(465));
        const count = `SELECT CAST(COUNT(*) AS TEXT) AS rows FROM ${quoted}."${own}_ids" WHERE taken IS NOT NULL`;
        expect(await admin.query(count, [])).toEqual([{ rows: "465" }]);
        await pool.stop();
      }
      // Each has issued all IDs, independently of the other.
      expect([...all[0]].sort()).toEqual([...all[1]].sort());
    } finally {
      await admin.query(`DROP SCHEMA ${quoted} CASCADE`, []);
    }
  });
});

describe.each(everywhere)("permuted IDs on $name", ({ name, open }) => {
  let port: Backend;
  beforeAll(async () => {
    port = await open();
    await setup(port, ["counter", "numeric"]);
  });

  /** Issues to the last ID. Each process ends after so many, and another one continues. */
  async function allOf(type: NumericIdType, block: number, idsPerProcess: number): Promise<string[]> {
    const ids: string[] = [];
    for (;;) {
      const counter = new Counter({ backend: port, name: type.name, block });
      const process = new PermutedIds({ type, key: KEY, counter });
      try {
        for (let made = 0; made < idsPerProcess; made++) ids.push(await process.issue());
      } catch (error) {
        expect(error).toBeInstanceOf(IdPoolExhaustedError);
        await expect(process.issue()).rejects.toBeInstanceOf(IdPoolExhaustedError);
        return ids;
      }
    }
  }

  test("issue each ID once with a block of 1, through restarts, and then none", async () => {
    const type = freshType(4);
    const ids = await allOf(type, 1, 50);
    expect([ids.length, new Set(ids).size]).toEqual([465, 465]);
    // A new process is exhausted as well.
    expect(await allOf(type, 1, 50)).toEqual([]);
  });

  const inDepth = [...thorough, redisAdapters[0].name].includes(name);
  (inDepth ? test : () => {})("issue each ID of a type once by blocks", async () => {
    const type = freshType(6);
    const ids = await allOf(type, 1000, Number.POSITIVE_INFINITY);
    expect([ids.length, new Set(ids).size]).toEqual([29_593, 29_593]);
    expect(ids.filter((id) => !type.validate(id).valid)).toEqual([]);
  });

  test("issue no ID twice to concurrent processes, with a block of 1 and larger ones", async () => {
    const type = freshType(8);
    const makers = [1, 1, 7, 100].map((block) => {
      const counter = new Counter({ backend: port, name: type.name, block });
      return new PermutedIds({ type, key: KEY, counter });
    });
    const calls = Array.from({ length: 100 }, (_, call) => makers[call % 4].issue());
    const ids = await Promise.all(calls);
    expect(new Set(ids).size).toBe(100);
  });

  test("refuse another key, length or counter, and a pool", async () => {
    const type = freshType(8);
    const counter = new Counter({ backend: port, name: type.name });
    const first = new PermutedIds({ type, key: KEY, counter });
    const id = await first.issue();
    const longer = new NumericIdType({ name: type.name, length: 9 });
    const elsewhere = new Counter({ backend: port, name: freshName() });
    for (const other of [
      { key: KEY.toUpperCase().replace("2B", "2C") },
      { type: longer },
      { counter: elsewhere },
    ]) {
      const another = new PermutedIds({ type, key: KEY, counter, ...other });
      await expect(another.issue()).rejects.toBeInstanceOf(NamespaceError);
    }
    if (!("eval" in port || "swap" in port)) {
      await expect(new IdPool({ backend: port, type }).issue()).rejects.toBeInstanceOf(NamespaceError);
    }
    expect(await first.issue()).not.toBe(id);
  });
});

describe.each(withoutPools)("a pool on $name", ({ open }) => {
  test("is refused: the store could forget taken IDs, or cannot take one of many rows in one step", async () => {
    const backend = await open();
    const make = () => new IdPool({ backend, type: freshType(8) });
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(/PostgreSQL, MySQL, SQLite or memory/);
  });
});

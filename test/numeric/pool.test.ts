// IdPool on memory: every ID once, to the last one. Time is vitest's, and passes as soon as nothing else is to be done.

import { inspect } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import {
  type Backend,
  type MemoryPort,
  memory,
  type RedisPort,
  type SqlPort,
} from "../../src/backend/index.ts";
import { Counter } from "../../src/counter/index.ts";
import type { BitflakeError } from "../../src/index.ts";
import {
  ArgumentError,
  BackendError,
  type FillProgress,
  IdPool,
  IdPoolEmptyError,
  IdPoolExhaustedError,
  type IdPoolOptions,
  type IdPoolStatus,
  NamespaceError,
  NumericIdType,
  type OwnRules,
  PermutedIds,
  type RuleSet,
} from "../../src/numeric/index.ts";
import { poolPort } from "../../src/numeric/openPort.ts";

const NOW = Date.UTC(2026, 10, 21);

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  vi.setTimerTickMode("nextTimerAsync");
});
afterEach(() => {
  vi.useRealTimers();
});

/** Stops the time: it passes by `pass` only. */
const stopTime = () => vi.setTimerTickMode("manual");
/** Lets timers fire and promises settle for so long. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
/** Lets all that is under way in the background come to its end, and says how long that was. */
async function idle(): Promise<number> {
  const started = Date.now();
  await new Promise((wake) => setTimeout(wake, 10_000));
  return Date.now() - started;
}

const typeOf = (length: number, rules?: RuleSet | OwnRules, name = "farmer") =>
  new NumericIdType({ name, length, rules });
/** One for each length, for each counts its IDs once. */
const plain = new Map<number, NumericIdType>();
function plainOf(length: number): NumericIdType {
  const type = plain.get(length) ?? typeOf(length);
  plain.set(length, type);
  return type;
}

/** How many IDs of few digits there are: see also the tests of types. */
const ALL = { 2: 8, 3: 54, 4: 465, 5: 3723, 6: 29_593 };
/** So many digits that no draw of some thousand IDs brings one twice. */
const MANY = 16;
/** Every ID of four digits. */
const FOURS = plainOf(4).generateIds(ALL[4]).sort();

/** What most tests do not care about has a default: four digits, and a store of its own. */
function poolOf({ length = 4, ...options }: Partial<IdPoolOptions> & { length?: number } = {}): IdPool {
  return new IdPool({ backend: memory(), type: plainOf(length), ...options });
}

/** What a call is refused with. */
const refusal = (call: Promise<unknown>): Promise<BitflakeError> =>
  call.then(
    (value) => {
      throw new Error(`not refused, but ${inspect(value)}`);
    },
    (error) => error,
  );

/** What a constructor throws. */
function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("not refused");
}

/** So many IDs, one after the other. */
async function take(pool: IdPool, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await pool.issue());
  return ids;
}

/** All that is still issued, and what it ends with. */
async function drain(pool: IdPool): Promise<{ ids: string[]; end: unknown }> {
  const ids: string[] = [];
  for (;;) {
    try {
      ids.push(await pool.issue());
    } catch (end) {
      return { ids, end };
    }
  }
}

/** Whether all are texts that are IDs of a type, and no two are the same. */
function expectDistinct(ids: readonly string[], type: NumericIdType): void {
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !type.validate(id).valid)).toEqual([]);
}

/** Numbers from 0 to below a limit, the same for the same seed: FC_SEED repeats a run. */
function seeded(): (below: number) => number {
  let state = fc.readConfigureGlobal().seed ?? 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

/** What a pool asks of its store. A look is a count, or an issue of more than there are. */
type Operation = "begin" | "issue" | "look" | "status" | "add" | "import" | "claim" | "leave" | "advance";

/** What the store has of a type. */
interface Shelf {
  readonly available: readonly string[];
  readonly places: ReadonlyMap<string, number>;
  readonly scan: string;
  readonly refiller: string | undefined;
}

/** What was asked, by the pool that is called so, and how many were available before it. */
interface Call {
  readonly by: string;
  readonly operation: Operation;
  readonly result: unknown;
  readonly available: number;
}

/** Of a step, what it was. */
function operationOf(name: string, before: Shelf | undefined, after: Shelf, result: unknown): Operation {
  if (name.startsWith("ids:")) return "begin";
  if (Array.isArray(result)) return "issue";
  if (typeof result === "boolean") return before?.scan === after.scan ? "leave" : "advance";
  if (typeof result === "number") {
    const taken = (shelf: Shelf) => shelf.places.size - shelf.available.length;
    return taken(after) > (before ? taken(before) : 0) ? "import" : "add";
  }
  if (result === null || typeof result === "string") return "claim";
  return "taken" in (result as object) ? "status" : "look";
}

/** A store in memory of which all can be seen, and that can be made to fail before a step, or to answer wrong or not. */
class Glass {
  readonly calls: Call[] = [];
  fails: (operation: Operation) => boolean = () => false;
  hangs: (operation: Operation) => boolean = () => false;
  /** What it answers instead of the truth. */
  readonly lies = new Map<Operation, unknown>();
  readonly #states = new Map<string, unknown>();

  /** The IDs of four digits, as they are now. */
  get shelf(): Shelf {
    return this.#states.get("pool:farmer") as Shelf;
  }

  /** The calls of some operations since the last look, as text. */
  told(...operations: Operation[]): string[] {
    const calls = this.calls.splice(0);
    return calls.flatMap(({ by, operation }) =>
      operations.includes(operation) ? [`${by} ${operation}`] : [],
    );
  }

  /** The store for one pool. */
  port(by = "pool", timeoutMs = 5000): MemoryPort {
    const change = <State, Result>(
      name: string,
      change: (state: State | undefined, nowMs: number) => readonly [State, Result],
    ): Result => {
      const before = this.#states.get(name) as State | undefined;
      // A copy, for a pool changes in place what it gets, and a step that fails has done nothing.
      const [after, result] = change(structuredClone(before), Date.now());
      const operation = operationOf(name, before as Shelf | undefined, after as Shelf, result);
      const available = (before as Partial<Shelf> | undefined)?.available?.length ?? 0;
      this.calls.push({ by, operation, result, available });
      if (this.fails(operation)) throw new Error(`${operation} refused`);
      this.#states.set(name, after);
      if (this.lies.has(operation)) return this.lies.get(operation) as Result;
      return this.hangs(operation) ? (new Promise(() => {}) as unknown as Result) : result;
    };
    return { change, timeoutMs };
  }
}

/** A store in memory whose every step takes its time, before it is done and after. */
function slow(delayMs: () => number): MemoryPort {
  const store = memory();
  const wait = () => new Promise((wake) => setTimeout(wake, delayMs()));
  return {
    change: (<State, Result>(
      name: string,
      change: (state: State | undefined, nowMs: number) => readonly [State, Result],
    ) =>
      wait().then(async () => {
        const result = store.change(name, change);
        await wait();
        return result;
      })) as unknown as MemoryPort["change"],
  };
}

describe("options", () => {
  const backend = memory();
  const type = typeOf(6);
  const redis: RedisPort = { eval: async () => "" };
  const sql = (prefix: string): SqlPort => ({ dialect: "postgres", prefix, query: async () => [] });
  test.each<[string, string, unknown]>([
    ["nothing", "options", undefined],
    ["null", "options", null],
    ["a list", "options", []],
    ["a text", "options", "farmer"],
    ["an unknown one", "option", { backend, type, poolSize: 5 }],
    ["one that is almost right", "option", { backend, type, lowmark: 5 }],
    ["no type", "type", { backend }],
    [
      "a plain object for a type",
      "type",
      { backend, type: { name: "farmer", length: 6, rules: type.rules } },
    ],
    ["the name of a type", "type", { backend, type: "farmer" }],
    ["null for a type", "type", { backend, type: null }],
    ["no store", "backend", { type }],
    ["null for a store", "backend", { type, backend: null }],
    ["what makes a store", "backend", { type, backend: memory }],
    ["a client of pg", "backend.dialect", { type, backend: { query: async () => ({ rows: [] }) } }],
    ["a prefix that is none", "backend.prefix", { type, backend: { ...backend, prefix: "" } }],
    ["a timeout that is none", "backend.timeoutMs", { type, backend: { ...backend, timeoutMs: 0 } }],
    ["a prefix too long for the names of tables", "prefix", { type, backend: sql("x".repeat(60)) }],
    ["a Redis", "backend", { type, backend: redis }],
    ["a low mark above the high one", "lowMark", { backend, type, lowMark: 11, highMark: 10 }],
    ["a low mark below 0", "lowMark", { backend, type, lowMark: -1 }],
    ["half an ID for a low mark", "lowMark", { backend, type, lowMark: 0.5 }],
    ["a low mark as text", "lowMark", { backend, type, lowMark: "5" }],
    ["null for a low mark", "lowMark", { backend, type, lowMark: null }],
    ["NaN for a low mark", "lowMark", { backend, type, lowMark: Number.NaN, highMark: 5 }],
    ["a high mark of 0", "highMark", { backend, type, highMark: 0 }],
    ["a high mark below 0", "highMark", { backend, type, highMark: -5 }],
    ["half an ID for a high mark", "highMark", { backend, type, highMark: 1.5 }],
    ["NaN for a high mark", "highMark", { backend, type, highMark: Number.NaN }],
    ["a high mark as text", "highMark", { backend, type, highMark: "5" }],
    ["null for a high mark", "highMark", { backend, type, highMark: null }],
    ["an endless high mark", "highMark", { backend, type, highMark: Infinity }],
    ["a high mark of 2^31", "highMark", { backend, type, highMark: 2 ** 31 }],
    ["a wait below 0", "waitMs", { backend, type, waitMs: -1 }],
    ["NaN for a wait", "waitMs", { backend, type, waitMs: Number.NaN }],
    ["half a millisecond", "waitMs", { backend, type, waitMs: 0.5 }],
    ["a wait as text", "waitMs", { backend, type, waitMs: "5" }],
    ["a wait longer than a timer", "waitMs", { backend, type, waitMs: 2 ** 31 }],
    ["null for a wait", "waitMs", { backend, type, waitMs: null }],
    ["no function for a listener", "onRefillFailed", { backend, type, onRefillFailed: "log" }],
  ])("are refused: %s", (_, field, options) => {
    const error = thrownBy(() => new IdPool(options as IdPoolOptions));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field, code: "ERR_ARGUMENT" });
  });

  // One mark's default depends on the other: a wrong one is not to be taken for the other.
  test.each<[string, string, unknown]>([
    ["NaN for a low mark alone", "lowMark", { backend, type, lowMark: Number.NaN }],
    ["half an ID for a low mark alone, above 6000", "lowMark", { backend, type, lowMark: 6000.5 }],
    ["an endless low mark", "lowMark", { backend, type, lowMark: Infinity }],
    ["a low mark of 2^31", "lowMark", { backend, type, lowMark: 2 ** 31 }],
    ["a word for a low mark", "lowMark", { backend, type, lowMark: "few" }],
    ["a bigint for a low mark", "lowMark", { backend, type, lowMark: 5n }],
    ["a bigint for a high mark", "highMark", { backend, type, highMark: 5n }],
    ["a symbol for a high mark", "highMark", { backend, type, highMark: Symbol() }],
  ])("are refused by the right name: %s", (_, field, options) => {
    const error = thrownBy(() => new IdPool(options as IdPoolOptions));
    expect(error).toMatchObject({ field, code: "ERR_ARGUMENT" });
  });

  test("with a Redis are refused with the reason", () => {
    expect(() => poolOf({ backend: redis })).toThrow(
      "backend must be PostgreSQL, SQLite or memory; with Redis, use PermutedIds, got [object]",
    );
  });

  test("ask nothing of the store", async () => {
    const refusing: Backend[] = [
      {
        change: () => {
          throw new Error("asked");
        },
      },
      { dialect: "sqlite", query: () => expect.fail("asked") },
    ];
    for (const port of refusing) expect(poolOf({ backend: port }).type.name).toBe("farmer");
    await idle();
  });

  test.each<[string, Partial<IdPoolOptions>, number, number]>([
    ["none", {}, 1000, 6000],
    ["a high mark above the default low one", { highMark: 2000 }, 1000, 2000],
    ["a high mark below the default low one", { highMark: 700 }, 700, 700],
    ["a low mark below the default high one", { lowMark: 5500 }, 5500, 6000],
    ["a low mark above the default high one", { lowMark: 7000 }, 7000, 7000],
    ["a low mark of 0", { lowMark: 0 }, 0, 6000],
    ["both", { lowMark: 300, highMark: 400 }, 300, 400],
    ["undefined for both", { lowMark: undefined, highMark: undefined }, 1000, 6000],
  ])("of marks have defaults: %s", async (_, marks, lowMark, highMark) => {
    const backend = memory();
    const pool = poolOf({ backend, length: 8, ...marks });
    expect(await pool.fill()).toBe(highMark);
    // One above the low mark nothing happens, and at the low mark the pool is filled up again.
    if (highMark - lowMark > 1) {
      await poolPort(backend, "farmer").issue(highMark - lowMark - 2, 0, "");
      await pool.issue();
      await idle();
      expect((await pool.status()).available).toBe(lowMark + 1);
    }
    await pool.issue();
    await idle();
    expect((await pool.status()).available).toBe(highMark);
  });
});

describe("issue", () => {
  test("issues IDs of the type, each once", async () => {
    const pool = poolOf({ length: 10 });
    const ids = await take(pool, 3000);
    expectDistinct(ids, pool.type);
  });

  test("issues them in no order", async () => {
    const ids = (await take(poolOf({ length: 10 }), 2000)).map(Number);
    const ascending = ids.filter((id, i) => i > 0 && id > (ids[i - 1] as number)).length;
    // Half of them, give or take six times the square root of n / 12.
    expect(Math.abs(ascending - 1000)).toBeLessThan(6 * Math.sqrt(2000 / 12));
  });

  test("issues as many as are asked for at once, each once", async () => {
    const backend = memory();
    const pools = [poolOf({ backend, length: 8 }), poolOf({ backend, length: 8 })];
    const ids = await Promise.all(Array.from({ length: 300 }, (_, call) => pools[call % 2].issue()));
    expectDistinct(ids, pools[0].type);
  });

  test.each<[string, string, unknown]>([
    ["an unknown option", "option", { key: "a" }],
    ["a text", "options", "a"],
    ["null", "options", null],
    ["a number", "requestKey", { requestKey: 5 }],
    ["null for a key", "requestKey", { requestKey: null }],
    ["an object for a key", "requestKey", { requestKey: { id: 5 } }],
    ["an empty key", "requestKey", { requestKey: "" }],
    ["a key of 256 characters", "requestKey", { requestKey: "x".repeat(256) }],
    ["a key of two lines", "requestKey", { requestKey: "a\nb" }],
    ["a key with a line break at its end", "requestKey", { requestKey: "a\n" }],
    ["a key with a line separator", "requestKey", { requestKey: "a\u2028b" }],
    ["a key with NUL", "requestKey", { requestKey: "a\0b" }],
    ["half a surrogate", "requestKey", { requestKey: "a\ud800" }],
  ])("refuses %s, and takes nothing", async (_, field, options) => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port() });
    await pool.fill({ to: 5 });
    glass.calls.length = 0;
    const error = await refusal(pool.issue(options as { requestKey: string }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field });
    expect(glass.calls).toEqual([]);
  });
});

describe("a request key", () => {
  test("gets the same ID for ever, from any pool of the store", async () => {
    const backend = memory();
    const pool = poolOf({ backend });
    const id = await pool.issue({ requestKey: "form 17" });
    expect(await pool.issue({ requestKey: "form 17" })).toBe(id);
    expect(await poolOf({ backend }).issue({ requestKey: "form 17" })).toBe(id);
    expect((await pool.status()).taken).toBe(1);
  });

  test("gets an ID that nobody else gets", async () => {
    const pool = poolOf();
    const keys = Array.from({ length: 200 }, (_, i) => `form ${i}`);
    const ids: string[] = [];
    for (const requestKey of keys) ids.push(await pool.issue({ requestKey }), await pool.issue());
    expectDistinct(ids, pool.type);
    for (const [i, requestKey] of keys.entries()) expect(await pool.issue({ requestKey })).toBe(ids[2 * i]);
  });

  test.each(["an empty", "a filled"])(
    "gets one ID if asked for 200 times at once, of %s pool",
    async (which) => {
      const backend = memory();
      const pools = [1, 2, 3].map(() => poolOf({ backend }));
      if (which === "a filled") await pools[0].fill();
      const calls = Array.from({ length: 200 }, (_, call) =>
        pools[call % 3].issue({ requestKey: "form 17" }),
      );
      expect(new Set(await Promise.all(calls)).size).toBe(1);
      expect((await pools[0].status()).taken).toBe(1);
    },
  );

  test("gets its ID also when there are no others, and when the pool was stopped", async () => {
    const backend = memory();
    const pool = poolOf({ backend, length: 3 });
    const id = await pool.issue({ requestKey: "form 17" });
    await drain(pool);
    expect(await refusal(pool.issue({ requestKey: "form 18" }))).toBeInstanceOf(IdPoolExhaustedError);
    await pool.stop();
    expect(await pool.issue({ requestKey: "form 17" })).toBe(id);
    expect(await poolOf({ backend, length: 3 }).issue({ requestKey: "form 17" })).toBe(id);
  });

  test("gets the ID that it was given when the answer was lost", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port("pool", 100) });
    await pool.fill();
    glass.hangs = (operation) => operation === "issue";
    const error = await refusal(pool.issue({ requestKey: "form 17" }));
    expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "timeout", operation: "pool: issue" });
    glass.hangs = () => false;
    await pool.issue({ requestKey: "form 17" });
    expect((await pool.status()).taken).toBe(1);
  });

  test.each([
    "a",
    " ",
    "x".repeat(255),
    "🌾".repeat(255),
    "öäü № 5",
    "{a}",
    "'; DROP TABLE ids; --",
    "__proto__",
  ])("may be %s", async (requestKey) => {
    const pool = poolOf();
    const id = await pool.issue({ requestKey });
    expectDistinct([id], pool.type);
    expect(await pool.issue({ requestKey })).toBe(id);
  });

  test("that is undefined is none", async () => {
    const pool = poolOf();
    const ids = [await pool.issue({ requestKey: undefined }), await pool.issue({ requestKey: undefined })];
    expectDistinct(ids, pool.type);
  });
});

describe("issueIds", () => {
  test("issues as many as asked for, each once", async () => {
    const pool = poolOf({ length: 8 });
    const ids: string[] = [];
    for (const count of [1, 2, 3, 999, 1000, 5000, 10_000]) {
      const batch = await pool.issueIds(count);
      expect(batch.length).toBe(count);
      ids.push(...batch);
    }
    expectDistinct(ids, pool.type);
  });

  test("issues more than the pool ever keeps at hand", async () => {
    const pool = poolOf({ length: 8, highMark: 10 });
    const ids = await pool.issueIds(2500);
    expect(ids.length).toBe(2500);
    expectDistinct(ids, pool.type);
  });

  test("has the deprecated alias issueMany", async () => {
    const pool = poolOf();
    expectTypeOf(pool.issueIds).toEqualTypeOf<(count: number) => Promise<string[]>>();
    expectTypeOf(pool.issueMany).toEqualTypeOf(pool.issueIds);
    expectDistinct([...(await pool.issueMany(5)), ...(await pool.issueIds(5))], pool.type);
    expect(await refusal(pool.issueMany(0))).toMatchObject({ field: "count", code: "ERR_ARGUMENT" });
  });

  test("issues an array of the caller's own", async () => {
    const pool = poolOf();
    const ids = await pool.issueIds(5);
    ids.length = 0;
    expect((await pool.status()).taken).toBe(5);
  });

  test.each<[unknown]>([
    [0],
    [-1],
    [1.5],
    ["3"],
    [10_001],
    [Number.NaN],
    [Infinity],
    [3n],
    [null],
    [undefined],
  ])("refuses to issue %o, and takes nothing", async (count) => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port() });
    const error = await refusal(pool.issueIds(count as number));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field: "count" });
    expect(glass.calls).toEqual([]);
  });

  test("issues none where there are not enough, and says how many there are", async () => {
    const pool = poolOf({ length: 3 });
    const ids = await take(pool, 30);
    for (const count of [25, 26, 10_000]) {
      const error = await refusal(pool.issueIds(count));
      expect(error).toBeInstanceOf(IdPoolExhaustedError);
      expect(error).toMatchObject({ type: "farmer", count, available: 24 });
    }
    expect(await pool.status()).toMatchObject({ available: 24, taken: 30, remaining: 24n });
    ids.push(...(await pool.issueIds(24)));
    expect(ids.length).toBe(ALL[3]);
    expectDistinct(ids, pool.type);
    expect(await refusal(pool.issueIds(1))).toMatchObject({ available: 0, code: "ERR_ID_POOL_EXHAUSTED" });
  });

  test("issues all there are at once", async () => {
    const pool = poolOf();
    const ids = await pool.issueIds(ALL[4]);
    expect(ids.sort()).toEqual(FOURS);
  });
});

describe("to the last ID", () => {
  test("six digits: all 29,593, from two pools in turns, one by one and in batches, however often they start anew", async () => {
    const random = seeded();
    const backend = memory();
    const fresh = () =>
      poolOf({ backend, length: 6, lowMark: 50 + random(500), highMark: 600 + random(3000) });
    const pools = [fresh(), fresh()];
    const ids: string[] = [];
    let restarts = 0;
    for (let turn = 0; ; turn++) {
      const which = turn % 2;
      if (random(40) === 0) {
        // A program ends; now and then it is the end that it was given time for, and else its refill goes on alone.
        if (random(2) === 0) await pools[which].stop();
        pools[which] = fresh();
        restarts++;
      }
      const pool = pools[which];
      const count = random(3) === 0 ? 1 + random(100) : 1;
      try {
        if (count > 1) ids.push(...(await pool.issueIds(count)));
        else ids.push(await pool.issue(random(2) ? {} : { requestKey: `form ${turn}` }));
      } catch (error) {
        expect(error).toBeInstanceOf(IdPoolExhaustedError);
        const { available } = error as IdPoolExhaustedError;
        expect(error).toMatchObject({ code: "ERR_ID_POOL_EXHAUSTED", type: "farmer", count });
        expect(available).toBe(ALL[6] - ids.length);
        if (available === 0) break;
      }
    }
    expect(restarts).toBeGreaterThan(10);
    expect(ids.length).toBe(29_593);
    expectDistinct(ids, pools[0].type);
    for (const pool of pools) expect(await refusal(pool.issue())).toBeInstanceOf(IdPoolExhaustedError);
  });

  test.each([2, 3, 4, 5] as const)("%d digits: as many as the type has", async (length) => {
    const pool = poolOf({ length });
    const { ids, end } = await drain(pool);
    expect(BigInt(ids.length)).toBe(pool.type.capacity().ids);
    expect(ids.length).toBe(ALL[length]);
    expectDistinct(ids, pool.type);
    expect(end).toBeInstanceOf(IdPoolExhaustedError);
    expect(end).toMatchObject({ code: "ERR_ID_POOL_EXHAUSTED", type: "farmer", count: 1, available: 0 });
  });

  test.each([
    [0, 1],
    [1, 1],
    [0, 3],
    [5, 70],
    [465, 465],
    [2000, 3000],
  ])("with a low mark of %d and a high mark of %d", async (lowMark, highMark) => {
    const pool = poolOf({ lowMark, highMark });
    const { ids, end } = await drain(pool);
    expect(ids.sort()).toEqual(FOURS);
    expect(end).toBeInstanceOf(IdPoolExhaustedError);
  });

  test("with calls at once: each gets an ID of its own, or hears that it is the end", async () => {
    const backend = memory();
    const pools = [1, 2, 3].map(() => poolOf({ backend, length: 3, highMark: 20 }));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 150 }, (_, call) => pools[call % 3].issue()),
    );
    const ids = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    expect(ids.length).toBe(ALL[3]);
    expectDistinct(ids, pools[0].type);
    const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    expect(errors.length).toBe(150 - ALL[3]);
    for (const error of errors) expect(error).toBeInstanceOf(IdPoolExhaustedError);
  });

  test.each<[string, NumericIdType]>([
    // The first five of five digits are the last five.
    ["of a known set", typeOf(5, "mosip")],
    ["that let nothing begin", typeOf(4, { notStartWith: [..."0123456789"] })],
  ])("there is none by rules %s, and that is soon known", async (_, type) => {
    const pool = poolOf({ type });
    const started = Date.now();
    expect(await refusal(pool.issue())).toBeInstanceOf(IdPoolExhaustedError);
    expect(Date.now() - started).toBeLessThan(1000);
    expect(await pool.fill()).toBe(0);
    expect(await pool.status()).toMatchObject({ available: 0, taken: 0, remaining: 0n, isExhausted: true });
  });

  test("there is none of many digits, and that is not looked for: no draw finds one, and that is the reason", async () => {
    const pool = poolOf({ type: typeOf(11, { notStartWith: [..."0123456789"] }) });
    const error = await refusal(pool.issue());
    expect(error).toBeInstanceOf(IdPoolEmptyError);
    expect(error.cause).toMatchObject({ code: "ERR_NO_VALID_ID", type: "farmer", length: 11 });
  });

  test("of a type with only one ID", async () => {
    const [only] = FOURS;
    const others = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, "0"));
    const notStartWith = others.filter((start) => start !== only.slice(0, 3));
    const pool = poolOf({ type: typeOf(4, { notStartWith }), highMark: 30 });
    expect(await drain(pool)).toMatchObject({ ids: [only], end: { code: "ERR_ID_POOL_EXHAUSTED" } });
  });

  test("a program that starts anew afterwards hears of it at once, and looks for nothing", async () => {
    const glass = new Glass();
    await drain(poolOf({ backend: glass.port(), length: 3 }));
    const [scan, known] = [glass.shelf.scan, glass.shelf.places.size];
    glass.calls.length = 0;
    const pool = poolOf({ backend: glass.port("new"), length: 3 });
    expect(await refusal(pool.issue())).toBeInstanceOf(IdPoolExhaustedError);
    expect(await refusal(pool.issue({ requestKey: "form 17" }))).toBeInstanceOf(IdPoolExhaustedError);
    expect(await refusal(pool.issueIds(2))).toBeInstanceOf(IdPoolExhaustedError);
    await idle();
    expect(glass.calls.map(({ operation }) => operation)).toEqual(["begin", "look", "look", "look"]);
    expect([glass.shelf.scan, glass.shelf.places.size]).toEqual([scan, known]);
  });

  test("nothing is looked for any more while the last ones are issued", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: 3 });
    expect(await pool.fill()).toBe(ALL[3]);
    glass.calls.length = 0;
    await take(pool, ALL[3]);
    await idle();
    expect(glass.told("claim", "add", "advance", "look")).toEqual([]);
  });

  test("a program that ends between two steps of its refill leaves nothing out", async () => {
    const random = seeded();
    for (let round = 0; round < 8; round++) {
      const glass = new Glass();
      const ids: string[] = [];
      let end: unknown;
      for (let run = 0; end === undefined && run < 400; run++) {
        // Its claim goes with it.
        let left = 3 + random(12);
        const isDead = (operation: Operation) =>
          ["add", "advance", "claim"].includes(operation) ? left-- <= 0 : left <= 0 && operation === "leave";
        glass.fails = isDead;
        const pool = poolOf({ backend: glass.port(), highMark: 20, waitMs: 0 });
        await pool.fill({ to: 20 + random(40) }).catch((error) => expect(error).toBeInstanceOf(BackendError));
        glass.fails = () => false;
        for (let some = random(50); some > 0; some--) {
          await pool.issue().then(
            (id) => ids.push(id),
            (error) => {
              if (error instanceof IdPoolExhaustedError) end = error;
              else expect(error).toBeInstanceOf(IdPoolEmptyError);
            },
          );
        }
        await idle();
      }
      expect(end).toBeInstanceOf(IdPoolExhaustedError);
      expect(ids.sort()).toEqual(FOURS);
    }
  });
});

describe("a refill", () => {
  test("begins when as few are left as the low mark, and ends at the high mark", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: MANY, lowMark: 10, highMark: 50 });
    await pool.fill();
    for (let round = 0; round < 3; round++) {
      for (let available = 49; available > 10; available--) {
        await pool.issue();
        await idle();
        expect(glass.shelf.available.length).toBe(available);
      }
      expect(glass.told("add")).toEqual(round === 0 ? ["pool add"] : []);
      await pool.issue();
      expect(glass.shelf.available.length).toBe(10);
      await idle();
      expect(glass.shelf.available.length).toBe(50);
      expect(glass.told("add")).toEqual(["pool add"]);
    }
  });

  test("brings also what is taken while it is at it", async () => {
    stopTime();
    const pool = poolOf({ length: MANY, highMark: 2000, waitMs: 0 });
    await refusal(pool.issue());
    await pass(1);
    expect(await pool.status()).toMatchObject({ isFilling: true });
    await pool.issueIds(100);
    await pass(1000);
    expect(await pool.status()).toMatchObject({ isFilling: false, available: 2000, taken: 100 });
  });

  test("does not keep the issue waiting that found the low mark", async () => {
    stopTime();
    const pool = poolOf({ length: 8, lowMark: 10, highMark: 12 });
    const filled = pool.fill();
    await pass(100);
    await filled;
    // Not one timer has to fire for them.
    expectDistinct(await take(pool, 12), pool.type);
  });

  test("begins with the first issue of a program that finds few", async () => {
    const glass = new Glass();
    await poolOf({ backend: glass.port(), length: 8 }).fill({ to: 20 });
    await poolOf({ backend: glass.port(), length: 8, lowMark: 30, highMark: 70 }).issue();
    await idle();
    expect(glass.shelf.available.length).toBe(70);
  });

  test("begins in time though others issue as well", async () => {
    const backend = memory();
    const pools = Array.from({ length: 8 }, () =>
      poolOf({ backend, length: 8, lowMark: 100, highMark: 400 }),
    );
    await pools[0].fill();
    for (let i = 0; i < 4000; i++) {
      await pools[i % 8].issue();
      if (i % 50 === 0) {
        await idle();
        expect((await pools[0].status()).available).toBeGreaterThan(90);
      }
    }
  });

  test("begins in time where many are issued at once", async () => {
    const pool = poolOf({ length: 8, lowMark: 100, highMark: 1000 });
    await pool.fill();
    await pool.issue();
    for (let batch = 0; batch < 30; batch++) {
      await pool.issueIds(90);
      await idle();
      expect((await pool.status()).available).toBeGreaterThan(100);
    }
  });

  test("does not look at the store with each issue while there are many", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: 8, lowMark: 100, highMark: 500 });
    await pool.fill();
    glass.calls.length = 0;
    await take(pool, 300);
    await idle();
    expect(glass.told("look").length).toBeLessThan(15);
  });

  test("is one at a time, though two pools want one", async () => {
    const glass = new Glass();
    const pools = ["one", "two"].map((by) =>
      poolOf({ backend: glass.port(by), length: 4, lowMark: 30, highMark: 60 }),
    );
    const issued = await Promise.all(Array.from({ length: 150 }, (_, call) => pools[call % 2].issue()));
    expectDistinct(issued, pools[0].type);
    await idle();
    let holder: string | undefined;
    const holders = new Set<string>();
    for (const { by, operation, result } of glass.calls) {
      if (operation === "claim") {
        if (holder !== undefined && holder !== by) expect(result).toBeNull();
        else holder = by;
        holders.add(holder as string);
      }
      if (operation === "add" || operation === "advance") expect(by).toBe(holder);
      if (operation === "leave" && by === holder) holder = undefined;
    }
    expect(holder).toBeUndefined();
    expect([...holders].sort()).toEqual(["one", "two"]);
  });

  test("is one at a time in a pool, however many issues wait for it", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: MANY, lowMark: 0, highMark: 300 });
    const ids = await Promise.all(Array.from({ length: 300 }, () => pool.issue()));
    expectDistinct(ids, pool.type);
    expect(glass.told("add", "leave")).toEqual(["pool add", "pool leave"]);
    expect(glass.shelf.places.size).toBe(300);
  });

  test("that another process died in is waited for, and after 3 seconds of the store's clock taken over", async () => {
    stopTime();
    let nowMs = 5_000_000;
    const backend = memory({ clock: () => nowMs });
    await poolPort(backend, "farmer").claimRefill("dead", 3000);
    const pool = poolOf({ backend, waitMs: 60_000 });
    let id: string | undefined;
    void pool.issue().then((issued) => {
      id = issued;
    });
    // Of this process's clock a minute less a bit, and of the store's none.
    await pass(50_000);
    expect(id).toBeUndefined();
    nowMs += 2999;
    await pass(1000);
    expect(id).toBeUndefined();
    expect(await pool.status()).toMatchObject({ isFilling: true, available: 0 });
    nowMs += 1;
    await pass(200);
    expectDistinct([id as string], pool.type);
  });

  test("that another process died in is taken over within the time that an issue waits", async () => {
    const backend = memory();
    await poolPort(backend, "farmer").claimRefill("dead", 3000);
    const pool = poolOf({ backend });
    const started = Date.now();
    expectDistinct([await pool.issue()], pool.type);
    expect(Date.now() - started).toBeLessThan(3500);
  });

  test("that another process is at is not disturbed, and its IDs are issued as they come", async () => {
    const backend = memory();
    const store = poolPort(backend, "farmer");
    const pool = poolOf({ backend, waitMs: 60_000 });
    await store.claimRefill("other", 3000);
    const started = Date.now();
    const call = pool.issue();
    setTimeout(() => void store.add([[FOURS[7], 5]]), 1000);
    expect(await call).toBe(FOURS[7]);
    expect(Date.now() - started).toBeLessThan(1100);
    await idle();
  });

  test("of another process is waited for until waitMs, and not a moment less", async () => {
    stopTime();
    const backend = memory();
    const store = poolPort(backend, "farmer");
    const pool = poolOf({ backend, waitMs: 2000 });
    await store.claimRefill("other", 3000);
    let error: unknown;
    void pool.issueIds(3).catch((refused) => {
      error = refused;
    });
    await pass(1999);
    expect(error).toBeUndefined();
    await pass(51);
    expect(error).toBeInstanceOf(IdPoolEmptyError);
    expect(error).toMatchObject({ code: "ERR_ID_POOL_EMPTY", type: "farmer", count: 3, available: 0 });
    expect(error).not.toHaveProperty("cause");
    expect(error).not.toBeInstanceOf(IdPoolExhaustedError);
  });

  test("is not waited for with waitMs 0, but begins", async () => {
    const pool = poolOf({ waitMs: 0, highMark: 100 });
    const started = Date.now();
    expect(await refusal(pool.issue())).toMatchObject({ code: "ERR_ID_POOL_EMPTY", available: 0, count: 1 });
    expect(Date.now()).toBe(started);
    await idle();
    expect((await pool.status()).available).toBe(100);
    expectDistinct([await pool.issue()], pool.type);
  });

  test("that was too slow, and was taken over, takes nothing from the one that took over", async () => {
    let nowMs = 0;
    const store = poolPort(memory({ clock: () => nowMs }), "farmer");
    expect(await store.claimRefill("slow", 3000)).toBe("");
    nowMs = 3000;
    expect(await store.claimRefill("other", 3000)).toBe("");
    expect(await store.advanceScan("", "5 7 100")).toBe(true);
    expect(await store.advanceScan("", "6 9 100")).toBe(false);
    await store.releaseRefill("slow");
    expect(await store.claimRefill("slow", 3000)).toBeNull();
    expect(await store.claimRefill("other", 3000)).toBe("5 7 100");
    await store.releaseRefill("other");
    expect(await store.claimRefill("slow", 3000)).toBe("5 7 100");
  });

  test("that has lost its claim on the way leaves the rest to the other", async () => {
    let nowMs = 0;
    const backend = memory({ clock: () => nowMs });
    const store = poolPort(backend, "farmer");
    const pool = poolOf({ backend, length: MANY });
    const seen: number[] = [];
    const onProgress = ({ available }: FillProgress) => {
      seen.push(available);
      if (seen.length !== 2) return;
      // This step was the slowest ever.
      nowMs += 3000;
      void store.claimRefill("other", 3000);
    };
    const filling = pool.fill({ onProgress });
    await idle();
    expect(seen).toEqual([500, 1000]);
    await store.releaseRefill("other");
    expect(await filling).toBe(6000);
    expect(seen.length).toBe(12);
  });

  test("brings more than the high mark where more are asked for", async () => {
    const pool = poolOf({ length: 8, lowMark: 5, highMark: 10 });
    await pool.fill();
    expect((await pool.issueIds(700)).length).toBe(700);
  });
});

describe("a refill that fails", () => {
  test("is told to the issue that finds nothing, at once, and the next one tries again", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port() });
    glass.fails = (operation) => operation === "add";
    for (let again = 0; again < 3; again++) {
      const started = Date.now();
      const error = await refusal(pool.issue());
      expect(Date.now() - started).toBeLessThan(10);
      expect(error).toBeInstanceOf(IdPoolEmptyError);
      expect(error).toMatchObject({
        count: 1,
        available: 0,
        cause: { code: "ERR_BACKEND", operation: "pool: add" },
      });
      expect(glass.shelf.refiller).toBeUndefined();
    }
    glass.fails = () => false;
    expectDistinct([await pool.issue()], pool.type);
    await idle();
    expect((await pool.status()).lastError).toBeUndefined();
  });

  test("after its first step leaves what that has added to whoever waits", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: MANY });
    let adds = 0;
    glass.fails = (operation) => operation === "add" && ++adds > 1;
    const first = pool.issue().catch(() => "none");
    await idle();
    // Another call of the same kind a moment later gets one.
    expectDistinct([await pool.issue()], pool.type);
    expectDistinct([await first], pool.type);
  });

  test.each<[Operation, string]>([
    ["claim", "pool: claim"],
    ["add", "pool: add"],
    ["look", "pool: count"],
  ])("at %s shows in the status, while IDs at hand are issued", async (operation, name) => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), lowMark: 50, highMark: 60 });
    await pool.fill();
    await idle();
    expect((await pool.status()).lastError).toBeUndefined();
    glass.fails = (asked) => asked === operation;
    expectDistinct(await take(pool, 60), pool.type);
    await idle();
    const { lastError, available } = await pool.status();
    expect([available, lastError]).toEqual([
      0,
      expect.objectContaining({ code: "ERR_BACKEND", operation: name }),
    ]);
    glass.fails = () => false;
    await pool.issue();
    await idle();
    expect(await pool.status()).toMatchObject({ lastError: undefined, available: 59 });
  });

  test("is told to onRefillFailed, once for each refill however many issues wait for it", async () => {
    const glass = new Glass();
    const errors: unknown[] = [];
    const onRefillFailed = (error: unknown) => {
      errors.push(error);
      throw new Error("from the listener");
    };
    const pool = poolOf({ backend: glass.port(), lowMark: 20, highMark: 20, onRefillFailed });
    glass.fails = (operation) => operation === "add";
    for (let refills = 1; refills <= 2; refills++) {
      const calls = await Promise.all(Array.from({ length: 5 }, () => refusal(pool.issue())));
      expect(errors.length).toBe(refills);
      expect(new Set(calls.map(({ cause }) => cause))).toEqual(new Set([errors.at(-1)]));
      expect((await pool.status()).lastError).toBe(errors.at(-1));
    }
    glass.fails = () => false;
    await pool.issueIds(20);
    await idle();
    expect(errors.length).toBe(2);
    // The look that an issue begins fails as well, in the background.
    glass.fails = (operation) => operation === "look";
    await pool.issueIds(20);
    await idle();
    expect(errors.slice(2)).toMatchObject([{ code: "ERR_BACKEND", operation: "pool: count" }]);
    await pool.stop();
  });

  test("is nothing that rejects without anyone to hear it", async () => {
    const rejected = vi.fn();
    process.on("unhandledRejection", rejected);
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), lowMark: 20, highMark: 20 });
    await pool.fill();
    glass.fails = (operation) => operation !== "issue";
    await take(pool, 20);
    await idle();
    vi.useRealTimers();
    await new Promise((wake) => setTimeout(wake, 5));
    process.off("unhandledRejection", rejected);
    expect(rejected).not.toHaveBeenCalled();
  });

  test("to get an answer is told when that is known, if the issue still waits", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port("pool", 1000), waitMs: 5000 });
    glass.hangs = (operation) => operation === "claim";
    const started = Date.now();
    const error = await refusal(pool.issue());
    expect(error).toMatchObject({
      code: "ERR_ID_POOL_EMPTY",
      cause: { reason: "timeout", operation: "pool: claim" },
    });
    expect(Date.now() - started).toBeLessThan(1100);
  });

  test("to give up its claim has refilled all the same", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), highMark: 30 });
    glass.fails = (operation) => operation === "leave";
    expect(await pool.fill()).toBe(30);
    expect((await pool.status()).isFilling).toBe(true);
    await idle();
    expect((await pool.status()).isFilling).toBe(false);
  });

  test("to move the scan on looks at the same numbers again, and leaves none out", async () => {
    const glass = new Glass();
    let advances = 0;
    glass.fails = (operation) => operation === "advance" && advances++ % 3 > 0;
    const pool = poolOf({ backend: glass.port(), highMark: 100 });
    const ids: string[] = [];
    for (;;) {
      const error = await pool.issue().then(
        (id) => void ids.push(id),
        (refused) => refused,
      );
      if (error instanceof IdPoolExhaustedError) break;
      if (error) expect(error).toMatchObject({ cause: { operation: "pool: advance" } });
    }
    expect(advances).toBeGreaterThan(5);
    expect(ids.sort()).toEqual(FOURS);
  });
});

describe("fill", () => {
  test("fills to the high mark", async () => {
    const pool = poolOf({ length: MANY, highMark: 1200 });
    expect(await pool.fill()).toBe(1200);
    expect(await pool.status()).toMatchObject({ available: 1200, taken: 0, isFilling: false });
  });

  test.each([1, 499, 500, 501, 3000])("fills to %d, and says so step by step", async (to) => {
    const pool = poolOf({ length: MANY, lowMark: 1, highMark: 5000 });
    const seen: FillProgress[] = [];
    expect(await pool.fill({ to, onProgress: (progress) => void seen.push(progress) })).toBe(to);
    expect((await pool.status()).available).toBe(to);
    expect(seen.length).toBe(Math.ceil(to / 500));
    for (const [i, progress] of seen.entries()) {
      const added = Math.min(to, 500 * (i + 1));
      expect(progress).toEqual({ added, available: added, target: to });
    }
  });

  test("says how many it has added, and how many there are with those of before", async () => {
    const pool = poolOf({ length: MANY, highMark: 100 });
    await pool.fill({ to: 40 });
    const seen: FillProgress[] = [];
    await pool.fill({ onProgress: (progress) => void seen.push(progress) });
    expect(seen).toEqual([{ added: 60, available: 100, target: 100 }]);
  });

  test("has nothing to do where there are enough", async () => {
    const pool = poolOf({ length: MANY });
    await pool.fill({ to: 50 });
    const told = vi.fn();
    await pool.fill({ to: 50, onProgress: told });
    expect(await pool.fill({ to: 20, onProgress: told })).toBeGreaterThanOrEqual(20);
    expect(told).not.toHaveBeenCalled();
    expect((await pool.status()).available).toBe(50);
  });

  test("returns how many are at hand, counted up to as many as asked for", async () => {
    const pool = poolOf({ length: MANY });
    await pool.fill({ to: 50 });
    expect(await pool.fill({ to: 20 })).toBe(20);
  });

  test("of more than there are ends with all of them", async () => {
    const pool = poolOf();
    const seen: number[] = [];
    const onProgress = ({ added, available }: FillProgress) => {
      // Of what is drawn and looked at, most is there already.
      expect(added).toBe(available);
      seen.push(available);
    };
    expect(await pool.fill({ to: 1_000_000, onProgress })).toBe(ALL[4]);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(ALL[4]);
    expect(await pool.status()).toMatchObject({ available: ALL[4], remaining: 465n, isExhausted: false });
    expect(await pool.fill({ to: 1_000_000 })).toBe(ALL[4]);
    expect((await drain(pool)).ids.sort()).toEqual(FOURS);
    expect(await pool.fill()).toBe(0);
  });

  test("goes on from a refill in the background to its own mark", async () => {
    const pool = poolOf({ length: MANY, lowMark: 10, highMark: 2000, waitMs: 0 });
    await refusal(pool.issue());
    const seen: FillProgress[] = [];
    expect(await pool.fill({ to: 3000, onProgress: (progress) => void seen.push(progress) })).toBe(3000);
    expect(seen.at(-1)).toEqual({ added: 1000, available: 3000, target: 3000 });
  });

  test("is not stopped by a refill in the background that fails", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), highMark: 100, waitMs: 0 });
    let adds = 0;
    glass.fails = (operation) => operation === "add" && adds++ === 0;
    await refusal(pool.issue());
    expect(await pool.fill()).toBe(100);
  });

  test.each([
    [100, 1700],
    [1700, 100],
    [600, 600],
  ])("twice at once, to %d and to %d, ends with as many at least", async (first, second) => {
    const backend = memory();
    for (const [one, two] of [
      [poolOf({ backend, length: MANY }), poolOf({ backend, length: MANY })],
      Array<IdPool>(2).fill(poolOf({ length: MANY })),
    ]) {
      const filled = await Promise.all([one.fill({ to: first }), two.fill({ to: second })]);
      expect(filled[0]).toBeGreaterThanOrEqual(first);
      expect(filled[1]).toBeGreaterThanOrEqual(second);
      expect((await one.status()).available).toBe(Math.max(first, second));
    }
  });

  test("waits for another process that refills, and fills then what that has not", async () => {
    const backend = memory();
    const store = poolPort(backend, "farmer");
    const pool = poolOf({ backend, highMark: 30 });
    await store.claimRefill("other", 3000);
    const started = Date.now();
    expect(await pool.fill()).toBe(30);
    expect(Date.now() - started).toBeGreaterThanOrEqual(3000);
    expect(Date.now() - started).toBeLessThan(3200);
  });

  test("goes on while IDs are issued", async () => {
    const pool = poolOf({ length: MANY, lowMark: 0, highMark: 5000 });
    let taking: Promise<string[]> | undefined;
    const onProgress = () => {
      taking ??= take(pool, 300);
    };
    expect(await pool.fill({ to: 3000, onProgress })).toBe(3000);
    expectDistinct((await taking) ?? [], pool.type);
    expect(await pool.status()).toMatchObject({ available: 3000, taken: 300 });
  });

  test("is refused with what its callback throws, and another may refill at once", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: MANY });
    const mine = new Error("mine");
    const onProgress = () => {
      throw mine;
    };
    expect(await refusal(pool.fill({ onProgress }))).toBe(mine);
    expect(glass.shelf.refiller).toBeUndefined();
    expect(await pool.status()).toMatchObject({ isFilling: false, available: 500 });
    const started = Date.now();
    expect(await poolOf({ backend: glass.port(), length: MANY }).fill({ to: 700 })).toBe(700);
    expect(Date.now() - started).toBeLessThan(1000);
  });

  test("is not refused with what another one's callback throws", async () => {
    const pool = poolOf({ length: MANY });
    const onProgress = () => {
      throw new Error("another's");
    };
    const both = [pool.fill({ onProgress }), pool.fill({ to: 100 })];
    expect(await refusal(both[0])).toMatchObject({ message: "another's" });
    expect(await both[1]).toBeGreaterThanOrEqual(100);
  });

  test("is refused where the store fails, and what was added stays", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: MANY });
    let adds = 0;
    glass.fails = (operation) => operation === "add" && ++adds > 3;
    const error = await refusal(pool.fill());
    expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "failed", operation: "pool: add" });
    expect(error.message).toBe("pool: add: add refused");
    expect((await pool.status()).available).toBe(1500);
    glass.fails = () => false;
    expect(await pool.fill()).toBe(6000);
  });

  test("that succeeds leaves nothing of what went wrong before it", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port() });
    glass.fails = (operation) => operation === "add";
    await refusal(pool.issue());
    glass.fails = () => false;
    await pool.fill();
    expect((await pool.status()).lastError).toBeUndefined();
  });

  test.each<[string, string, unknown]>([
    ["an unknown option", "option", { upTo: 5 }],
    ["a number", "options", 500],
    ["null", "options", null],
    ["no IDs", "to", { to: 0 }],
    ["less than none", "to", { to: -5 }],
    ["half an ID", "to", { to: 1.5 }],
    ["NaN", "to", { to: Number.NaN }],
    ["text", "to", { to: "5" }],
    ["a bigint", "to", { to: 5n }],
    ["null IDs", "to", { to: null }],
    ["2^31", "to", { to: 2 ** 31 }],
    ["text for a callback", "onProgress", { onProgress: "log" }],
    ["null for a callback", "onProgress", { onProgress: null }],
  ])("refuses %s", async (_, field, options) => {
    const glass = new Glass();
    const error = await refusal(poolOf({ backend: glass.port() }).fill(options as { to: number }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field });
    expect(glass.calls).toEqual([]);
  });
});

describe("stop", () => {
  test("ends a fill after its step, and frees the claim", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: MANY });
    let stopped: Promise<void> | undefined;
    const onProgress = ({ added }: FillProgress) => {
      if (added === 1000) stopped = pool.stop();
    };
    expect(await pool.fill({ onProgress })).toBe(1000);
    await stopped;
    expect(glass.shelf.refiller).toBeUndefined();
    await idle();
    expect(await pool.status()).toMatchObject({ available: 1000, isFilling: false });
  });

  test("resolves when the refill that was under way has ended, and its claim is free", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: MANY, waitMs: 0 });
    await refusal(pool.issue());
    await pass(1);
    expect(glass.shelf.refiller).toBeDefined();
    await pool.stop();
    expect(glass.shelf.refiller).toBeUndefined();
    glass.calls.length = 0;
    await idle();
    expect(glass.calls).toEqual([]);
  });

  test("ends a scan after its step, which another pool goes on with", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: 5 });
    const steps: string[] = [];
    const onProgress = () => {
      steps.push(glass.shelf.scan);
      if (steps.filter((scan) => scan !== "").length === 2) void pool.stop();
    };
    await pool.fill({ to: ALL[5], onProgress });
    const { scan } = glass.shelf;
    expect(scan).toMatch(/^\d+ \d+ [1-9]\d*$/);
    const other = poolOf({ backend: glass.port(), length: 5 });
    expect(await other.fill({ to: ALL[5] })).toBe(ALL[5]);
    expect(glass.shelf.scan.split(" ")[1]).toBe(scan.split(" ")[1]);
  });

  test("leaves the IDs at hand to be issued, and then it is at once that there are none", async () => {
    const pool = poolOf({ length: MANY, lowMark: 10, highMark: 20 });
    await pool.fill();
    await pool.stop();
    expectDistinct([...(await take(pool, 18)), ...(await pool.issueIds(2))], pool.type);
    const started = Date.now();
    const error = await refusal(pool.issue());
    expect(error).toBeInstanceOf(IdPoolEmptyError);
    expect(error).toMatchObject({ available: 0, count: 1 });
    expect(error).not.toHaveProperty("cause");
    expect(Date.now()).toBe(started);
    await idle();
    expect((await pool.status()).available).toBe(0);
  });

  test("tells who waits for a refill that there are none", async () => {
    stopTime();
    const backend = memory();
    await poolPort(backend, "farmer").claimRefill("other", 3000);
    const pool = poolOf({ backend, waitMs: 60_000 });
    const call = refusal(pool.issue());
    await pass(500);
    await pool.stop();
    await pass(200);
    expect(await Promise.race([call, "waiting"])).toBeInstanceOf(IdPoolEmptyError);
  });

  test("ends a fill that waits for another process", async () => {
    stopTime();
    const backend = memory();
    await poolPort(backend, "farmer").claimRefill("other", 3000);
    const pool = poolOf({ backend });
    const call = pool.fill();
    await pass(500);
    await pool.stop();
    await pass(200);
    expect(await Promise.race([call, "waiting"])).toBe(0);
  });

  test("may be called before anything else, twice, and twice at once", async () => {
    const pool = poolOf();
    await pool.stop();
    const filling = pool.fill({ to: 2000 });
    await Promise.all([pool.stop(), pool.stop()]);
    await filling;
    await pool.stop();
    expect((await pool.status()).isFilling).toBe(false);
  });

  test("lets no refill begin that an issue before it would have begun", async () => {
    const glass = new Glass();
    await poolOf({ backend: glass.port(), length: MANY }).fill({ to: 20 });
    const pool = poolOf({ backend: glass.port(), length: MANY, lowMark: 30, highMark: 70 });
    await pool.issue();
    await pool.stop();
    glass.calls.length = 0;
    await idle();
    expect(glass.told("claim", "add")).toEqual([]);
    expect((await pool.status()).available).toBe(19);
  });

  test("resolves when nothing is asked of the store any more", async () => {
    let waits = 0;
    const backend = slow(() => {
      waits++;
      return 5;
    });
    await poolOf({ backend, length: MANY }).fill({ to: 20 });
    const pool = poolOf({ backend, length: MANY, lowMark: 30, highMark: 70 });
    await pool.issue();
    await pool.stop();
    const before = waits;
    await idle();
    expect(waits).toBe(before);
  });

  test("ends a fill that was only just called", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: MANY });
    const filling = pool.fill();
    await pool.stop();
    expect(await filling).toBeLessThan(6000);
  });

  test("lets a fill be called afterwards, and begins nothing in the background then either", async () => {
    const pool = poolOf({ length: MANY, lowMark: 10, highMark: 20 });
    await pool.stop();
    expect(await pool.fill()).toBe(20);
    await take(pool, 15);
    await idle();
    expect((await pool.status()).available).toBe(5);
    expect(await pool.fill({ to: 30 })).toBe(30);
  });

  test("does not stop other pools of the store", async () => {
    const backend = memory();
    const [one, two] = [poolOf({ backend, length: MANY }), poolOf({ backend, length: MANY })];
    const filling = two.fill({ to: 3000 });
    await one.stop();
    expect(await filling).toBe(3000);
  });

  test("is called by `await using`", async () => {
    const pool = poolOf({ length: MANY, waitMs: 0 });
    await refusal(pool.issue());
    await pass(1);
    expect((await pool.status()).isFilling).toBe(true);
    await pool[Symbol.asyncDispose]();
    expect((await pool.status()).isFilling).toBe(false);
    expect(Object.keys(pool)).toEqual(["type"]);
  });
});

describe("the process", () => {
  /** Says whether there is a timer that would keep the process from ending. */
  function timers(): () => boolean {
    const live = new Set<ReturnType<typeof setTimeout>>();
    const { setTimeout: start, clearTimeout: end } = globalThis;
    vi.stubGlobal("setTimeout", (wake: () => void, ms: number) => {
      const timer = start(() => {
        live.delete(timer);
        wake();
      }, ms);
      live.add(timer);
      return timer;
    });
    vi.stubGlobal("clearTimeout", (timer: ReturnType<typeof setTimeout>) => {
      live.delete(timer);
      end(timer);
    });
    return () => [...live].some((timer) => timer.hasRef());
  }
  /** A pool with a refill in the background, which waits for its next step. */
  async function refilling(): Promise<IdPool> {
    const pool = poolOf({ length: MANY, waitMs: 0 });
    await refusal(pool.issue());
    await pass(1);
    expect((await pool.status()).isFilling).toBe(true);
    return pool;
  }
  const settle = async () => {
    for (let i = 0; i < 200; i++) await null;
  };
  beforeEach(stopTime);
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test("is kept while an issue waits for a refill", async () => {
    const isKept = timers();
    const pool = poolOf({ length: MANY });
    const call = pool.issueIds(5000);
    for (let ms = 0; ms < 5; ms++) {
      await pass(1);
      expect(isKept()).toBe(true);
    }
    await pass(1000);
    expect((await call).length).toBe(5000);
  });

  // Whoever waits for a refill that was begun in the background waits for its timers. Where they did not keep the process,
  // Node ended in the middle with 13, for an unsettled top-level await.
  test.each<[string, (pool: IdPool) => Promise<unknown>]>([
    ["stop()", (pool) => pool.stop()],
    ["fill()", (pool) => pool.fill()],
  ])("is kept while somebody waits for %s", async (_, call) => {
    const isKept = timers();
    const pool = await refilling();
    let isOver = false;
    void call(pool).then(() => {
      isOver = true;
    });
    await settle();
    expect(isOver || isKept()).toBe(true);
  });
});

describe("import", () => {
  test("takes what is given, and says what was known and what is none", async () => {
    const pool = poolOf({ length: 10 });
    expect(await pool.import(["8349257232", "3029384756", "1234567890"])).toEqual({
      taken: 2,
      known: 0,
      outside: ["1234567890"],
    });
    expect(await pool.status()).toMatchObject({ taken: 2, available: 0 });
  });

  test("takes what the pool then never issues: with half of all IDs the other half is left", async () => {
    const backend = memory();
    const half = FOURS.filter((_, i) => i % 2 === 0);
    expect(await poolOf({ backend }).import(half)).toEqual({ taken: half.length, known: 0, outside: [] });
    const { ids, end } = await drain(poolOf({ backend }));
    expect(end).toBeInstanceOf(IdPoolExhaustedError);
    expect([...half, ...ids].sort()).toEqual(FOURS);
  });

  test("takes what was available", async () => {
    const pool = poolOf();
    await pool.fill();
    const some = FOURS.slice(0, 100);
    expect(await pool.import(some)).toEqual({ taken: 100, known: 0, outside: [] });
    expect(await pool.status()).toMatchObject({ available: ALL[4] - 100, taken: 100 });
    expect((await drain(pool)).ids.sort()).toEqual(FOURS.slice(100));
  });

  test("knows what was issued, and what was imported before", async () => {
    const pool = poolOf();
    const issued = await take(pool, 10);
    expect(await pool.import(issued)).toEqual({ taken: 0, known: 10, outside: [] });
    const rest = FOURS.filter((id) => !issued.includes(id));
    const list = [...issued, ...rest.slice(0, 20)];
    expect(await pool.import(list)).toEqual({ taken: 20, known: 10, outside: [] });
    const before = await pool.status();
    expect(await pool.import(list)).toEqual({ taken: 0, known: 30, outside: [] });
    expect(await pool.status()).toEqual(before);
  });

  test("counts each ID as often as it is given", async () => {
    const [a, b] = FOURS;
    const pool = poolOf();
    expect(await pool.import([a, b, a, "12", a, "12"])).toEqual({
      taken: 2,
      known: 2,
      outside: ["12", "12"],
    });
  });

  test("takes all IDs that there are, and then none is issued", async () => {
    const pool = poolOf();
    expect(await pool.import(FOURS)).toMatchObject({ taken: ALL[4] });
    expect(await refusal(pool.issue())).toMatchObject({ code: "ERR_ID_POOL_EXHAUSTED", available: 0 });
    expect(await pool.status()).toMatchObject({ taken: ALL[4], available: 0, isExhausted: true });
  });

  test("takes all of 2,000, in several steps, and those of a generator, a set and a map's keys", async () => {
    const backend = memory();
    const pool = poolOf({ backend, length: 8 });
    const ids = pool.type.generateIds(2000);
    const glass = new Glass();
    expect(await poolOf({ backend: glass.port(), length: 8 }).import(ids)).toMatchObject({ taken: 2000 });
    expect(glass.told("import").length).toBe(4);
    const each = function* () {
      yield* ids.slice(0, 1200);
    };
    expect(await pool.import(each())).toEqual({ taken: 1200, known: 0, outside: [] });
    expect(await pool.import(new Set(ids))).toEqual({ taken: 800, known: 1200, outside: [] });
    expect(await pool.import(new Map(ids.map((id) => [id, 1])).keys())).toMatchObject({ known: 2000 });
    expect(await pool.status()).toMatchObject({ taken: 2000, available: 0 });
  });

  test("of nothing is nothing", async () => {
    expect(await poolOf().import([])).toEqual({ taken: 0, known: 0, outside: [] });
  });

  test("leaves what is no ID of the type outside, as it was given", async () => {
    const pool = poolOf({ length: 6 });
    const outside = ["8349257232", "022222", "263042", "0", "9".repeat(1000)];
    expect(await pool.import(["263041", ...outside])).toEqual({ taken: 1, known: 0, outside });
  });

  test.each<[string, string, unknown]>([
    ["a text", "ids", "8349257232"],
    ["nothing", "ids", undefined],
    ["null", "ids", null],
    ["a number", "ids", 8349257232],
    ["an object", "ids", { length: 1, 0: "8349257232" }],
    ["a number among them", "ids[1]", [FOURS[0], 8349, FOURS[1]]],
    ["null among them", "ids[2]", [FOURS[0], FOURS[1], null]],
    ["a hole among them", "ids[1]", Array.of(FOURS[0], undefined, FOURS[1])],
    ["a list in the list", "ids[0]", [[FOURS[0]]]],
    // With their spaces or hyphens they would not be known for what they are.
    ["an empty text among them", "ids[1]", [FOURS[0], ""]],
    ["an ID with spaces", "ids[0]", ["83 49"]],
    ["an ID with a space behind it", "ids[0]", [`${FOURS[0]} `]],
    ["an ID with a line break behind it", "ids[0]", [`${FOURS[0]}\n`]],
    ["an ID with a hyphen", "ids[0]", ["83-49"]],
    ["an ID with a sign", "ids[0]", ["-8349"]],
    ["digits of full width", "ids[0]", ["８３４９"]],
    ["a word among them", "ids[1]", [FOURS[0], "farmer"]],
  ])("refuses %s, and takes nothing", async (_, field, ids) => {
    const glass = new Glass();
    const error = await refusal(poolOf({ backend: glass.port() }).import(ids as string[]));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field });
    expect(glass.calls).toEqual([]);
  });

  test("passes on what an iterable throws, and takes nothing", async () => {
    const glass = new Glass();
    const broken = function* () {
      yield FOURS[0];
      throw new Error("end of file");
    };
    expect(await refusal(poolOf({ backend: glass.port() }).import(broken()))).toMatchObject({
      message: "end of file",
    });
    expect(glass.calls).toEqual([]);
  });

  test("that fails in the middle may be run again", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), length: 8 });
    const ids = pool.type.generateIds(1700);
    let steps = 0;
    glass.fails = (operation) => operation === "import" && ++steps > 2;
    expect(await refusal(pool.import(ids))).toMatchObject({ code: "ERR_BACKEND", operation: "pool: import" });
    glass.fails = () => false;
    expect(await pool.import(ids)).toEqual({ taken: 700, known: 1000, outside: [] });
  });

  test("that takes most of what is at hand is followed by a refill", async () => {
    const pool = poolOf({ length: 8, lowMark: 100, highMark: 200 });
    const glass = new Glass();
    const other = poolOf({ backend: glass.port(), length: 8, lowMark: 100, highMark: 200 });
    await pool.fill();
    await other.fill();
    await take(other, 2);
    await idle();
    await other.import(glass.shelf.available.slice(0, 150));
    await other.issue();
    await idle();
    expect(glass.shelf.available.length).toBe(200);
  });
});

describe("status", () => {
  test("has `left` as a deprecated alias of `remaining`", () => {
    expectTypeOf<IdPoolStatus["remaining"]>().toEqualTypeOf<bigint>();
    expectTypeOf<IdPoolStatus["left"]>().toEqualTypeOf<bigint>();
  });

  test("says how the pool is from the first to the last ID", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port(), lowMark: 0, highMark: 60 });
    const said = { isExact: true, isExhausted: false, isFilling: false, lastError: undefined };
    expect(await pool.status()).toEqual({ ...said, available: 0, taken: 0, remaining: 465n, left: 465n });
    await pool.fill();
    expect(await pool.status()).toEqual({ ...said, available: 60, taken: 0, remaining: 465n, left: 465n });
    await pool.issueIds(50);
    expect(await pool.status()).toEqual({ ...said, available: 10, taken: 50, remaining: 415n, left: 415n });
    // Of what is drawn most is known: a scan begins, and stops in the middle.
    await pool.fill({ to: 300 });
    await pool.fill({ to: 400 });
    expect(glass.shelf.scan).toMatch(/^\d+ \d+ [1-9]\d*$/);
    expect(await pool.status()).toEqual({ ...said, available: 61, taken: 50, remaining: 415n, left: 415n });
    await pool.fill({ to: 1000 });
    expect(await pool.status()).toEqual({ ...said, available: 61, taken: 50, remaining: 415n, left: 415n });
    await pool.issueIds(355);
    expect(await pool.status()).toEqual({ ...said, available: 60, taken: 405, remaining: 60n, left: 60n });
    await pool.issueIds(60);
    expect(await pool.status()).toEqual({
      ...said,
      available: 0,
      taken: 465,
      remaining: 0n,
      left: 0n,
      isExhausted: true,
    });
  });

  test("says that the pool is being filled, by whichever process", async () => {
    const backend = memory();
    const pool = poolOf({ backend, length: 8 });
    const other = poolOf({ backend, length: 8 });
    let during: Promise<unknown> | undefined;
    await pool.fill({
      onProgress: () => {
        during ??= Promise.all([pool.status(), other.status()]);
      },
    });
    expect(await during).toMatchObject([{ isFilling: true }, { isFilling: true }]);
    expect(await other.status()).toMatchObject({ isFilling: false });
  });

  test("is the same in every pool of the store but for what went wrong in one", async () => {
    const glass = new Glass();
    const pools = [poolOf({ backend: glass.port() }), poolOf({ backend: glass.port() })];
    glass.fails = (operation) => operation === "add";
    await refusal(pools[0].issue());
    glass.fails = () => false;
    const [one, two] = await Promise.all(pools.map((pool) => pool.status()));
    expect(one.lastError).toBeInstanceOf(BackendError);
    expect({ ...one, lastError: undefined }).toEqual(two);
  });

  test("estimates what is left of long IDs, and that is never less than what is at hand", async () => {
    const long = poolOf({ length: 12, highMark: 100 });
    const { ids } = long.type.capacity();
    await long.fill();
    expect(await long.status()).toMatchObject({ remaining: ids, isExact: false });
    await long.issueIds(30);
    expect(await long.status()).toMatchObject({ remaining: ids - 30n, isExact: false });
    const type = typeOf(4);
    vi.spyOn(type, "capacity").mockReturnValue({ ids: 400n, isExact: false, error: 0.2 });
    const short = poolOf({ type });
    await short.fill({ to: 390 });
    expect(await short.status()).toMatchObject({ remaining: 400n, isExact: false });
    // More than were thought to be.
    await short.fill({ to: 430 });
    expect(await short.status()).toMatchObject({ remaining: 430n, isExact: false, isExhausted: false });
    // When every number has been looked at it is known.
    await short.fill();
    for (const estimate of [400n, 600n]) {
      vi.spyOn(type, "capacity").mockReturnValue({ ids: estimate, isExact: false, error: 0.3 });
      expect(await short.status()).toMatchObject({ available: ALL[4], remaining: 465n, isExact: true });
    }
  });

  test("asks the store once for all calls that are under way at once", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port() });
    await pool.issue();
    await idle();
    glass.told();
    const all = await Promise.all(Array.from({ length: 50 }, () => pool.status()));
    expect(glass.told("status").length).toBe(1);
    expect(new Set(all).size).toBe(1);
    await pool.issue();
    expect((await pool.status()).taken).toBe(2);
    // One that fails is asked again.
    glass.fails = (operation) => operation === "status";
    await refusal(pool.status());
    glass.fails = () => false;
    expect((await pool.status()).taken).toBe(2);
  });

  test("estimates what is left where more is at hand than is counted, though all is known to be there", async () => {
    const type = typeOf(4);
    vi.spyOn(type, "capacity").mockReturnValue({ ids: 400n, isExact: false, error: 0.2 });
    const pool = poolOf({ type, lowMark: 0, highMark: 100 });
    await pool.fill({ to: 1000 });
    expect(await pool.status()).toMatchObject({ available: 101, remaining: 400n, isExact: false });
    await pool.issueIds(364);
    expect(await pool.status()).toMatchObject({ available: 101, remaining: 101n, isExact: false });
    await pool.issue();
    expect(await pool.status()).toMatchObject({ available: 100, remaining: 100n, isExact: true, taken: 365 });
  });

  test("asks for no answer longer than the store may take", async () => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port("pool", 300) });
    await pool.issue();
    glass.hangs = (operation) => operation === "status";
    const started = Date.now();
    expect(await refusal(pool.status())).toMatchObject({ reason: "timeout", operation: "pool: status" });
    expect(Date.now() - started).toBe(300);
  });
});

describe("a store remembers what its IDs are", () => {
  const list = ["111", "222"];
  const knobs: [string, NumericIdType, NumericIdType, string][] = [
    ["length", typeOf(6), typeOf(7), 'length of the IDs farmer must be 6, as recorded in the store, got "7"'],
    [
      "a limit",
      typeOf(6),
      typeOf(6, { sequenceLimit: 4 }),
      'sequenceLimit of the IDs farmer must be 3, as recorded in the store, got "4"',
    ],
    [
      "a rule that is off",
      typeOf(6, { evenDigitsLimit: null }),
      typeOf(6),
      'evenDigitsLimit of the IDs farmer must be null, as recorded in the store, got "3"',
    ],
    [
      "a list",
      typeOf(6, { restrictedNumbers: list }),
      typeOf(6, { restrictedNumbers: [...list, "7"] }),
      'restrictedNumbers of the IDs farmer must be 111,222, as recorded in the store, got "111,222,7"',
    ],
    [
      "the set of rules",
      typeOf(6),
      typeOf(6, "mosip"),
      'sequenceWraps of the IDs farmer must be false, as recorded in the store, got "true"',
    ],
  ];

  test.each(knobs)("and refuses another of them: %s", async (_, first, second, message) => {
    const backend = memory();
    await poolOf({ backend, type: first }).issue({ requestKey: "form 17" });
    const pool = poolOf({ backend, type: second });
    const calls: (() => Promise<unknown>)[] = [
      () => pool.issue(),
      () => pool.issue({ requestKey: "form 17" }),
      () => pool.issueIds(2),
      () => pool.fill(),
      () => pool.import([]),
      () => pool.status(),
    ];
    for (const call of calls) {
      const error = await refusal(call());
      expect(error).toBeInstanceOf(NamespaceError);
      expect(error).toMatchObject({ code: "ERR_NAMESPACE", message });
    }
    await pool.stop();
    expect((await poolOf({ backend, type: first }).status()).taken).toBe(1);
  });

  test("and lets in whoever has the same, however it is said", async () => {
    const backend = memory();
    const types = [
      typeOf(6, { restrictedNumbers: list }),
      typeOf(6, { extends: "openg2p", restrictedNumbers: list, repeatingLimit: 2 }),
      // In lists the order does not matter, nor how often something is in it.
      typeOf(6, { restrictedNumbers: [...list, ...list].reverse() }),
    ];
    const ids: string[] = [];
    for (const type of types) ids.push(await poolOf({ backend, type, waitMs: 100, highMark: 9 }).issue());
    expectDistinct(ids, types[0]);
  });

  const KEY = "2b7e151628aed2a6abf7158809cf4f3c";
  const permuted = (backend: MemoryPort, name = "farmer") =>
    new PermutedIds({
      type: typeOf(6, "openg2p", name),
      key: KEY,
      counter: new Counter({ backend, name: "c" }),
    });

  test("and refuses a permutation where there is a pool", async () => {
    const backend = memory();
    await poolOf({ backend, length: 6 }).issue();
    const error = await refusal(permuted(backend).issue());
    expect(error).toBeInstanceOf(NamespaceError);
    expect(error.message).toBe(
      'kind of the IDs farmer must be pool, as recorded in the store, got "permutation"',
    );
  });

  test("and refuses a pool where there is a permutation", async () => {
    const backend = memory();
    await permuted(backend).issue();
    const error = await refusal(poolOf({ backend, length: 6 }).issue());
    expect(error).toBeInstanceOf(NamespaceError);
    expect(error.message).toBe(
      'kind of the IDs farmer must be permutation, as recorded in the store, got "pool"',
    );
  });

  test("of each name by itself, and never mixes two", async () => {
    const backend = memory();
    const types = [typeOf(4, "openg2p", "a"), typeOf(4, "mosip", "b"), typeOf(3, "openg2p", "c")];
    await permuted(backend, "d").issue();
    const pools = types.map((type) => poolOf({ backend, type, lowMark: 5, highMark: 50 }));
    const drained = await Promise.all(pools.map(drain));
    for (const [i, { ids, end }] of drained.entries()) {
      expectDistinct(ids, types[i]);
      expect(BigInt(ids.length)).toBe(types[i].capacity().ids);
      expect(end).toMatchObject({ code: "ERR_ID_POOL_EXHAUSTED", type: types[i].name });
    }
  });

  test("and request keys are of one name, too", async () => {
    const backend = memory();
    const pools = ["a", "b"].map((name) => poolOf({ backend, type: typeOf(8, "openg2p", name) }));
    const [a, b] = [await pools[0].issue({ requestKey: "1" }), await pools[1].issue({ requestKey: "1" })];
    expect(a).not.toBe(b);
    expect(await pools[0].issue({ requestKey: "1" })).toBe(a);
  });

  test("which is asked once, and again after it has failed", async () => {
    const glass = new Glass();
    await poolOf({ backend: glass.port() }).issue();
    const pool = poolOf({ backend: glass.port() });
    glass.fails = (operation) => operation === "begin";
    for (let again = 0; again < 2; again++) {
      expect(await refusal(pool.issue())).toMatchObject({ code: "ERR_BACKEND", operation: "IDs: begin" });
    }
    glass.fails = () => false;
    glass.calls.length = 0;
    await Promise.all([pool.issue(), pool.issueIds(3), pool.fill(), pool.import([])]);
    await pool.issue();
    expect(glass.told("begin").length).toBe(1);
  });

  test("with the first ID, and not when somebody looks", async () => {
    const backend = memory();
    const nothing = { available: 0, taken: 0, isExhausted: false, isFilling: false };
    expect(await poolOf({ backend, length: 6 }).status()).toMatchObject({ ...nothing, remaining: 29_593n });
    expect(await poolOf({ backend, length: 4 }).status()).toMatchObject({ ...nothing, remaining: 465n });
    await poolOf({ backend, length: 4 }).issue();
    expect(await refusal(poolOf({ backend, length: 6 }).status())).toBeInstanceOf(NamespaceError);
    expect(await poolOf({ backend, length: 4 }).status()).toMatchObject({ taken: 1 });
  });
});

describe("a store that fails", () => {
  test.each<[string, (pool: IdPool) => Promise<unknown>, Operation, string]>([
    ["an issue", (pool) => pool.issue(), "issue", "pool: issue"],
    ["an issue by key", (pool) => pool.issue({ requestKey: "a" }), "issue", "pool: issue"],
    ["an issue of several", (pool) => pool.issueIds(2), "issue", "pool: issue"],
    ["a status", (pool) => pool.status(), "status", "pool: status"],
    ["a fill", (pool) => pool.fill(), "claim", "pool: claim"],
    ["an import", (pool) => pool.import(FOURS), "import", "pool: import"],
  ])("refuses %s, which works again afterwards", async (_, call, operation, name) => {
    const glass = new Glass();
    const pool = poolOf({ backend: glass.port() });
    await pool.fill({ to: 50 });
    glass.fails = (asked) => asked === operation;
    for (let again = 0; again < 2; again++) {
      const error = await refusal(call(pool));
      expect(error).toBeInstanceOf(BackendError);
      expect(error).toMatchObject({ reason: "failed", operation: name, cause: expect.any(Error) });
    }
    glass.fails = () => false;
    await call(pool);
  });

  test.each<[string, Operation, string]>([
    ["at first", "begin", "IDs: begin"],
    ["to an issue", "issue", "pool: issue"],
  ])("to answer %s is an error in time", async (_, operation, name) => {
    const glass = new Glass();
    await poolOf({ backend: glass.port() }).fill();
    const pool = poolOf({ backend: glass.port("pool", 700) });
    glass.hangs = (asked) => asked === operation;
    const started = Date.now();
    expect(await refusal(pool.issue())).toMatchObject({
      code: "ERR_BACKEND",
      reason: "timeout",
      operation: name,
    });
    expect(Date.now() - started).toBe(700);
  });

  test("to answer anything keeps no pool from being stopped", async () => {
    const backend = { timeoutMs: 700, change: () => new Promise<never>(() => {}) as never };
    const pool = poolOf({ backend });
    const call = refusal(pool.issue());
    await pool.stop();
    expect(await call).toMatchObject({ reason: "timeout", operation: "IDs: begin" });
  });
});

describe("an answer that makes no sense", () => {
  /** A store that answers one thing to all that is asked of the pool, and remembers as it should. */
  const saying = (answer: unknown): MemoryPort => {
    const store = memory();
    return {
      change: ((name, change) =>
        name.startsWith("ids:") ? store.change(name, change) : answer) as MemoryPort["change"],
    };
  };
  /** A store of SQL that answers one thing to all but the look at what the IDs are. */
  const saysRows = (rows: unknown): SqlPort => {
    let shape = "";
    return {
      dialect: "sqlite",
      query: async (text, params) => {
        if (text.startsWith("INSERT INTO") && text.includes("shape")) shape = params[1];
        if (text.startsWith("SELECT shape")) return [{ shape }];
        if (text.includes("AS complete")) return [{ recorded: "", current: "", complete: "yes" }];
        return rows as [];
      },
    };
  };
  const calls: [string, (pool: IdPool) => Promise<unknown>][] = [
    ["issue", (pool) => pool.issue()],
    ["issue by key", (pool) => pool.issue({ requestKey: "form 17" })],
    ["issueIds", (pool) => pool.issueIds(2)],
    ["status", (pool) => pool.status()],
    ["fill", (pool) => pool.fill()],
    ["import", (pool) => pool.import([FOURS[0]])],
  ];
  const begin = (pool: IdPool) => pool.import([]);
  const lateness = () =>
    new Promise<string>((resolve) => setTimeout(() => resolve("nothing, and goes on for ever"), 60_000));
  /** What of these calls did not end in a BackendError for an answer, or for a refill that had such a one. */
  async function wrongOf(backend: () => Backend): Promise<string[]> {
    const wrong: string[] = [];
    for (const [name, call] of calls) {
      const pool = poolOf({ backend: backend(), waitMs: 100 });
      // What the IDs are is another question.
      const outcome = await Promise.race([begin(pool).then(() => call(pool)), lateness()]).then(
        (value) => `resolved to ${inspect(value)}`,
        (error) => {
          const cause = error instanceof IdPoolEmptyError ? error.cause : error;
          return cause instanceof BackendError && cause.reason === "answer" ? "" : `rejected with ${error}`;
        },
      );
      if (outcome) wrong.push(`${name} ${outcome}`);
    }
    return wrong;
  }

  test("nothing at all, from a memory", async () => {
    expect(await wrongOf(() => saying(undefined))).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["null", null],
    ["a text", "8349"],
    ["a number", 5],
    ["true", true],
    ["no IDs", []],
    ["numbers", [5, 6]],
    ["numbers as large as IDs", [8349, 8350]],
    ["null in a list", [null, null]],
    ["texts that are no digits", ["a1", "b2"]],
    ["too many IDs", FOURS.slice(0, 3)],
    ["an empty object", {}],
    ["no scan", { available: 0, taken: 0, isFilling: false }],
    ["no number", { available: "none", scan: "", taken: 0, isFilling: false }],
    ["a scan that is none", { available: 0, scan: "a b c", taken: 0, isFilling: false }],
    ["a scan that is a number", { available: 0, scan: 5, taken: 0, isFilling: false }],
    // That would be one that is over.
    ["a scan of two spaces", { available: 0, scan: "  ", taken: 0, isFilling: false }],
    ["a scan with a sign", { available: 0, scan: "-5 7 100", taken: 0, isFilling: false }],
    ["a scan of four numbers", { available: 0, scan: "5 7 100 2", taken: 0, isFilling: false }],
    ["neither yes nor no", { available: 0, scan: "", taken: 0, isFilling: "no" }],
    ["half an ID", { available: 0.5, scan: "", taken: 0, isFilling: false }],
    ["less than no IDs", { available: -1, scan: "", taken: 0, isFilling: false }],
  ])("from a memory: %s", async (_, answer) => {
    expect(await wrongOf(() => saying(answer))).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 5],
    ["an empty object", {}],
    ["the result of a client", { rows: [{ id: FOURS[0] }] }],
    ["null in a list", [null]],
    ["rows without what was asked for", [{ value: FOURS[0] }]],
    ["numbers for IDs", [{ id: 8349 }]],
  ])("from SQL: %s", async (_, rows) => {
    const wrong = await wrongOf(() => saysRows(rows));
    // How many rows a step has added or taken is all that is read of it.
    expect(wrong.filter((text) => !text.startsWith("import resolved to"))).toEqual([]);
  });

  test("from SQL: a text", async () => {
    expect(await wrongOf(() => saysRows("8349"))).toEqual([]);
  });

  test("from SQL: a scan that is none", async () => {
    const rows = [{ sweep: "a b c", available: "0", total: "0", filling: "no" }];
    const wrong = await wrongOf(() => saysRows(rows));
    expect(wrong.filter((text) => !text.startsWith("import resolved to"))).toEqual([]);
  });

  test.each<[Operation, unknown]>([
    ["claim", 5],
    ["claim", "a b c"],
    ["claim", true],
    ["add", null],
    ["add", "some"],
    ["add", -1],
    ["add", 501],
    ["advance", "done"],
    ["advance", null],
  ])("in the middle of a refill, to %s: %o", async (operation, answer) => {
    const glass = new Glass();
    glass.lies.set(operation, answer);
    const error = await refusal(poolOf({ backend: glass.port() }).fill());
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ reason: "answer", operation: `pool: ${operation}` });
  });

  test.each<[string, unknown]>([
    ["null", null],
    ["a word", "pool"],
    ["a number", 5],
    ["an object", { kind: "pool" }],
    // So answers a store that remembers nothing, but not when it was told to.
    ["an empty text", ""],
    ["a text of a number", "5"],
    ["a text of null", "null"],
    ["a text of a list", "[]"],
  ])("from a memory, to what the IDs are: %s", async (_, answer) => {
    expect(await wrongOf(() => ({ change: () => answer as never }))).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["no rows", undefined],
    ["a result with rows in it", { rows: [] }],
    ["a row that is null", [null]],
    ["null", [{ shape: null }]],
    ["a word", [{ shape: "pool" }]],
    ["a number", [{ shape: 5 }]],
    ["a text of null", [{ shape: "null" }]],
    ["an empty list, after it was told", []],
    ["a row without it, after it was told", [{}]],
  ])("from SQL, to what the IDs are: %s", async (_, rows) => {
    const backend: SqlPort = { dialect: "postgres", query: async () => rows as [] };
    expect(await wrongOf(() => backend)).toEqual([]);
  });
});

describe("whatever is done in whatever order", () => {
  const anyPool = fc.nat(2);
  const anyStep = fc.oneof(
    fc.record({ do: fc.constant("issue" as const), pool: anyPool }),
    fc.record({ do: fc.constant("key" as const), pool: anyPool, key: fc.nat(30) }),
    fc.record({ do: fc.constant("many" as const), pool: anyPool, count: fc.integer({ min: 1, max: 120 }) }),
    fc.record({ do: fc.constant("import" as const), pool: anyPool, from: fc.nat(464), count: fc.nat(80) }),
    fc.record({ do: fc.constant("fill" as const), pool: anyPool, to: fc.integer({ min: 1, max: 600 }) }),
    fc.record({ do: fc.constant("stop" as const), pool: anyPool }),
    fc.record({ do: fc.constant("restart" as const), pool: anyPool, isStopped: fc.boolean() }),
    fc.record({ do: fc.constant("die" as const), pool: anyPool }),
    fc.record({ do: fc.constant("wait" as const), pool: anyPool, ms: fc.nat(4000) }),
  );
  type Step = typeof anyStep extends fc.Arbitrary<infer Any> ? Any : never;
  const anySchedule = fc.record({
    length: fc.constantFrom(2, 3, 4, 4, 4),
    lowMark: fc.nat(40),
    more: fc.nat(150),
    // What is in one list is done at once.
    steps: fc.array(fc.array(anyStep, { minLength: 1, maxLength: 5 }), { minLength: 5, maxLength: 60 }),
    delays: fc.array(fc.nat(9), { minLength: 1, maxLength: 30 }),
  });

  test("no ID comes twice, none is lost, and the end comes when all are taken", async () => {
    let ends = 0;
    await fc.assert(
      fc.asyncProperty(anySchedule, async ({ length, lowMark, more, steps, delays }) => {
        const type = typeOf(length);
        const all = typeOf(length).generateIds(Number(type.capacity().ids)).sort();
        let calls = 0;
        const backend = slow(() => delays[calls++ % delays.length]);
        const fresh = () => new IdPool({ backend, type, lowMark, highMark: lowMark + more + 1 });
        const pools = [fresh(), fresh(), fresh()];
        const stopped = [false, false, false];
        const taken = new Set<string>();
        const byKey = new Map<number, string>();

        /** What came of a step: IDs that are new, IDs that an import has taken, and what it was refused with. */
        interface Outcome {
          step: Step;
          issued: string[];
          imported: { ids: string[]; count: number };
          error?: unknown;
          filled?: number;
        }
        const run = async (step: Step): Promise<Outcome> => {
          const outcome: Outcome = { step, issued: [], imported: { ids: [], count: 0 } };
          const pool = pools[step.pool];
          try {
            if (step.do === "issue") outcome.issued = [await pool.issue()];
            if (step.do === "many") outcome.issued = await pool.issueIds(step.count);
            if (step.do === "key") {
              const id = await pool.issue({ requestKey: `form ${step.key}` });
              if (!byKey.has(step.key)) outcome.issued = [id];
              else expect(id).toBe(byKey.get(step.key));
              byKey.set(step.key, id);
            }
            if (step.do === "import") {
              const ids = all.slice(step.from, step.from + step.count);
              const { taken: count, known, outside } = await pool.import([...ids, "0"]);
              expect([count + known, outside]).toEqual([ids.length, ["0"]]);
              outcome.imported = { ids, count };
            }
            if (step.do === "fill") outcome.filled = await pool.fill({ to: step.to });
            if (step.do === "stop" || (step.do === "restart" && step.isStopped)) {
              stopped[step.pool] = true;
              await pool.stop();
            }
            if (step.do === "die") await poolPort(backend, type.name).claimRefill("dead", 3000);
            if (step.do === "wait") await new Promise((wake) => setTimeout(wake, step.ms));
          } catch (error) {
            outcome.error = error;
          }
          return outcome;
        };

        for (const together of steps) {
          const before = taken.size;
          const outcomes = await Promise.all(together.map(run));
          const issued = outcomes.flatMap((outcome) => outcome.issued);
          expectDistinct(issued, type);
          expect(issued.filter((id) => taken.has(id))).toEqual([]);
          for (const id of issued) taken.add(id);
          let imported = 0;
          for (const { imported: some } of outcomes) {
            imported += some.count;
            for (const id of some.ids) taken.add(id);
          }
          // Also says that no ID was both imported and issued.
          expect(taken.size - before).toBe(issued.length + imported);
          for (const { step, error, filled } of outcomes) {
            if (error instanceof IdPoolExhaustedError) {
              ends++;
              expect(error.count).toBeGreaterThan(all.length - taken.size);
              if (together.length === 1) expect(error.available).toBe(all.length - taken.size);
            } else if (error instanceof IdPoolEmptyError) expect(stopped[step.pool]).toBe(true);
            else expect(error).toBeUndefined();
            if (filled !== undefined && together.length === 1) {
              const wanted = step.do === "fill" ? step.to : 0;
              expect(filled).toBeGreaterThanOrEqual(Math.min(wanted, all.length - taken.size));
            }
          }
          // What is stopped at the same moment as it is started anew is another's business.
          for (const step of together) {
            if (step.do !== "restart") continue;
            pools[step.pool] = fresh();
            stopped[step.pool] = false;
          }
          const status = await pools[0].status();
          expect(status.taken).toBe(taken.size);
          expect(status.remaining).toBe(BigInt(all.length - taken.size));
        }

        const { ids, end } = await drain(fresh());
        expect([...taken, ...ids].sort()).toEqual(all);
        expect(end).toMatchObject({ code: "ERR_ID_POOL_EXHAUSTED", available: 0 });
        expect(await pools[0].status()).toMatchObject({
          available: 0,
          taken: all.length,
          remaining: 0n,
          isExhausted: true,
        });
        for (const [key, id] of byKey) expect(await pools[1].issue({ requestKey: `form ${key}` })).toBe(id);
      }),
      { numRuns: 40 },
    );
    expect(ends).toBeGreaterThan(0);
  });
});

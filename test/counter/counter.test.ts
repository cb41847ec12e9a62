// Counter on each kind of port, one behaviour at a time.

import { afterEach, describe, expect, test, vi } from "vitest";
import { type Backend, BackendError, memory, type RedisPort, type SqlRow } from "../../src/backend/index.ts";
import { Counter, CounterBackwardsError, CounterExhaustedError } from "../../src/counter/index.ts";
import { RollbackGuard } from "../../src/counter/rollbackGuard.ts";
import { MAX_VALUE, NO_VALUE, type ValueRange } from "../../src/counter/rule.ts";
import { ArgumentError, BitflakeError } from "../../src/index.ts";
import { flushEvents, InstantRedis, ManualRedis, OneRowSql } from "./ports.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Takes values, one after the other. */
async function take(counter: Counter, count: number): Promise<bigint[]> {
  const values: bigint[] = [];
  for (let i = 0; i < count; i++) values.push(await counter.next());
  return values;
}

/** Returns the error of a call. */
const errorOf = (call: Promise<bigint>): Promise<BitflakeError> =>
  call.then(
    (value) => {
      throw new Error(`not refused, but ${value}`);
    },
    (error) => error,
  );

/** Each kind of port, with its counter to read and to set. */
const kinds: [string, () => { backend: Backend; get(): bigint; set(at: bigint): void }][] = [
  [
    "memory",
    () => {
      const backend = memory();
      const look = (change: (at: bigint | undefined) => bigint) =>
        backend.change<bigint, bigint>("counter:orders", (at) => [change(at), change(at)]);
      return { backend, get: () => look((at = NO_VALUE) => at), set: (at) => void look(() => at) };
    },
  ],
  ...([InstantRedis, OneRowSql] as const).map((Port): (typeof kinds)[number] => [
    Port.name,
    () => {
      const backend = new Port();
      const set = (at: bigint) => {
        backend.at = at;
      };
      return { backend, get: () => backend.at, set };
    },
  ]),
];

describe.each(kinds)("a Counter on %s", (_, make) => {
  test.each([1, 2, 3, 1000])(
    "returns several values in order from one call, with a block of %d",
    async (block) => {
      const { backend } = make();
      const counter = new Counter({ backend, name: "orders", block });
      const range = (first: number, count: number) =>
        Array.from({ length: count }, (_, at) => BigInt(first + at));
      expect(await counter.nextValues(5)).toEqual(range(1, 5));
      expect(await counter.nextValues(1)).toEqual(range(6, 1));
      expect(await counter.next()).toBe(7n);
      const [one, other] = await Promise.all([counter.nextValues(10), counter.nextValues(10)]);
      expect([...one, ...other].sort((a, b) => Number(a - b))).toEqual(range(8, 20));
      expect(await counter.nextValues(2500)).toEqual(range(28, 2500));
    },
  );

  test("nextMany is nextValues under its old name", async () => {
    const counter = new Counter({ backend: make().backend, name: "orders" });
    expect(await counter.nextMany(3)).toEqual([1n, 2n, 3n]);
    await expect(counter.nextMany(0)).rejects.toMatchObject({ field: "count" });
  });

  test.each([0, -1, 1.5, 10_001, Number.NaN, "5", undefined])("refuses a count of %s", async (count) => {
    const { backend, get } = make();
    const counter = new Counter({ backend, name: "orders" });
    await expect(counter.nextValues(count as number)).rejects.toMatchObject({ field: "count" });
    expect(get()).toBe(NO_VALUE);
  });

  test.each([1, 3])("refuses a count that is larger than the rest, with a block of %d", async (block) => {
    const { backend, set } = make();
    set(MAX_VALUE - 4n);
    const counter = new Counter({ backend, name: "orders", block });
    expect(await counter.nextValues(3)).toEqual([MAX_VALUE - 3n, MAX_VALUE - 2n, MAX_VALUE - 1n]);
    await expect(counter.nextValues(2)).rejects.toBeInstanceOf(CounterExhaustedError);
    await expect(counter.next()).rejects.toBeInstanceOf(CounterExhaustedError);
  });

  test.each([1, 2, 3, 1000])("counts from 1, with a block of %d", async (block) => {
    const { backend } = make();
    const counter = new Counter({ backend, name: "orders", block });
    expect(await take(counter, 25)).toEqual(Array.from({ length: 25 }, (_, at) => BigInt(at + 1)));
  });

  test.each([
    [0n, [0n, 1n, 2n]],
    [1n, [1n, 2n, 3n]],
    [1000n, [1000n, 1001n, 1002n]],
    [MAX_VALUE - 2n, [MAX_VALUE - 2n, MAX_VALUE - 1n, MAX_VALUE]],
  ])("counts from a floor of %d", async (floor, values) => {
    for (const block of [1, 2, 1000]) {
      const { backend } = make();
      expect(await take(new Counter({ backend, name: "orders", floor, block }), 3)).toEqual(values);
    }
  });

  test("jumps to a raised floor, and ignores a lower one", async () => {
    const { backend } = make();
    expect(await take(new Counter({ backend, name: "orders" }), 2)).toEqual([1n, 2n]);
    const raised = new Counter({ backend, name: "orders", floor: 500n });
    expect(await take(raised, 2)).toEqual([500n, 501n]);
    expect(await take(new Counter({ backend, name: "orders", floor: 7n }), 1)).toEqual([502n]);
  });

  test("is exact past 2^53", async () => {
    for (const block of [1, 3]) {
      const { backend, set } = make();
      set(9_007_199_254_740_990n);
      const values = await take(new Counter({ backend, name: "orders", block }), 6);
      expect(values.map(String)).toEqual([
        "9007199254740991",
        "9007199254740992",
        "9007199254740993",
        "9007199254740994",
        "9007199254740995",
        "9007199254740996",
      ]);
    }
  });

  test.each([1, 2, 300, 1000, 2 ** 31])(
    "issues all values that are left and then throws, with a block of %d",
    async (block) => {
      const { backend, get, set } = make();
      set(MAX_VALUE - 300n);
      const counter = new Counter({ backend, name: "orders", block });
      const values = await take(counter, 300);
      expect(values).toEqual(Array.from({ length: 300 }, (_, at) => MAX_VALUE - 299n + BigInt(at)));
      for (let again = 0; again < 3; again++) {
        const error = await errorOf(counter.next());
        expect(error).toBeInstanceOf(CounterExhaustedError);
        expect(error).toMatchObject({ code: "ERR_COUNTER_EXHAUSTED", counter: "orders" });
      }
      expect(get()).toBe(MAX_VALUE);
    },
  );

  test.each([
    ["is gone", NO_VALUE],
    ["is behind", 4n],
    ["is one behind", 9n],
  ])(
    "throws when the store's counter %s, changes nothing, and continues when it has been raised",
    async (_, at) => {
      const { backend, get, set } = make();
      const counter = new Counter({ backend, name: "orders" });
      await take(counter, 10);
      set(at);
      for (let again = 0; again < 3; again++) {
        const error = await errorOf(counter.next());
        expect(error).toBeInstanceOf(CounterBackwardsError);
        expect(error).toMatchObject({ code: "ERR_COUNTER_BACKWARDS", counter: "orders", highest: "10" });
        expect(get()).toBe(at);
      }
      set(40n);
      expect(await counter.next()).toBe(41n);
      set(41n);
      expect(await counter.next()).toBe(42n);
    },
  );

  test("throws when the counter is lost after the value 0", async () => {
    const { backend, set } = make();
    const counter = new Counter({ backend, name: "orders", floor: 0n });
    expect(await counter.next()).toBe(0n);
    set(NO_VALUE);
    expect(await errorOf(counter.next())).toBeInstanceOf(CounterBackwardsError);
  });

  test("by the block, issues its buffered values and then throws", async () => {
    const { backend, set } = make();
    const counter = new Counter({ backend, name: "orders", block: 10 });
    await take(counter, 3);
    set(5n);
    expect(await take(counter, 7)).toEqual([4n, 5n, 6n, 7n, 8n, 9n, 10n]);
    for (let again = 0; again < 2; again++) {
      expect(await errorOf(counter.next())).toMatchObject({ code: "ERR_COUNTER_BACKWARDS", highest: "10" });
    }
    set(10n);
    expect(await take(counter, 12)).toEqual(Array.from({ length: 12 }, (_, at) => BigInt(at + 11)));
  });

  test("shares values with other Counters of its name", async () => {
    const { backend } = make();
    const [one, two] = [1, 2].map(() => new Counter({ backend, name: "orders" }));
    expect([await one.next(), await two.next(), await one.next()]).toEqual([1n, 2n, 3n]);
    const blocks = [1, 2].map(() => new Counter({ backend, name: "orders", block: 5 }));
    const values = await Promise.all(Array.from({ length: 40 }, (_, call) => blocks[call % 2].next()));
    expect(new Set(values).size).toBe(40);
    for (const by of [0, 1]) {
      const own = values.filter((_, call) => call % 2 === by);
      expect(own).toEqual([...own].sort((a, b) => Number(a - b)));
    }
  });

  test("gives concurrent calls their values in call order, by the block", async () => {
    const { backend } = make();
    const counter = new Counter({ backend, name: "orders", block: 7 });
    const values = await Promise.all(Array.from({ length: 100 }, () => counter.next()));
    expect(values).toEqual(Array.from({ length: 100 }, (_, at) => BigInt(at + 1)));
  });
});

test("Counters with different names are independent", async () => {
  const backend = memory();
  const [orders, invoices] = ["orders", "invoices"].map((name) => new Counter({ backend, name }));
  expect([await orders.next(), await orders.next(), await invoices.next()]).toEqual([1n, 2n, 1n]);
  expect(await new Counter({ backend: memory(), name: "orders" }).next()).toBe(1n);
});

describe("a Counter sends", () => {
  test("one key and numbers as text to Redis", async () => {
    const sent: [string, readonly string[], readonly string[]][] = [];
    const backend: RedisPort = {
      prefix: "app",
      eval: async (...call) => {
        sent.push(call);
        return "from 9223372036854775800 to 9223372036854775801";
      },
    };
    const counter = new Counter({ backend, name: "orders", floor: 9007199254740993n });
    await counter.next();
    await errorOf(counter.next());
    expect(sent.map(([, keys]) => keys)).toEqual([["app:{orders}:counter"], ["app:{orders}:counter"]]);
    const [fits, last] = ["9223372036854775806", "9223372036854775807"];
    expect(sent.map(([, , args]) => args)).toEqual([
      ["1", "", "9007199254740993", "9007199254740993", fits, last],
      ["1", "9223372036854775801", "9007199254740993", "9007199254740993", fits, last],
    ]);
  });

  test("one statement per value to SQL, and a second one only after a refusal", async () => {
    const backend = new OneRowSql();
    const counter = new Counter({ backend, name: "orders" });
    await take(counter, 3);
    expect(backend.sent).toEqual([
      { verb: "INSERT", params: ["orders", "1", "1", "9223372036854775806"] },
      { verb: "UPDATE", params: ["orders", "1", "1", "9223372036854775806", "1"] },
      { verb: "UPDATE", params: ["orders", "1", "1", "9223372036854775806", "2"] },
    ]);
    backend.at = NO_VALUE;
    await errorOf(counter.next());
    expect(backend.sent.slice(3).map(({ verb }) => verb)).toEqual(["UPDATE", "SELECT"]);
  });

  test("a smaller count to SQL when other clients take from the rest", async () => {
    const backend = new OneRowSql();
    backend.at = MAX_VALUE - 300n;
    backend.before = (verb) => {
      // Another client takes a value before each of the first six reservations.
      if (backend.at < MAX_VALUE - 294n && verb !== "SELECT") backend.at++;
    };
    const counter = new Counter({ backend, name: "orders", block: 1000 });
    expect(await counter.next()).toBe(MAX_VALUE - 293n);
    expect(backend.at).toBe(MAX_VALUE);
  });

  test("at most 50 reservations to SQL when other clients are always faster", async () => {
    const backend = new OneRowSql();
    backend.at = MAX_VALUE - 1000n;
    backend.before = (verb) => {
      if (verb !== "SELECT") backend.at++;
    };
    const error = await errorOf(new Counter({ backend, name: "orders", block: 2000 }).next());
    expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "failed" });
    expect(error.message).toBe("counter: reserve: other clients took what was left, 50 times");
  });

  test("nothing before the first call", async () => {
    const backend = new InstantRedis();
    new Counter({ backend, name: "orders", block: 1000 });
    await flushEvents();
    expect(backend.calls).toBe(0);
  });
});

describe("a Counter throws BackendError when the store answers", () => {
  const redis = (answer: unknown): Backend => ({ eval: async () => answer });
  const sql = (rows: unknown): Backend => ({
    dialect: "postgres",
    query: async () => rows as readonly SqlRow[],
  });
  const memoryOf = (answer: unknown): Backend => ({ change: () => answer as never });
  const from = (before: unknown, after: unknown) => `from ${before} to ${after}`;

  test.each<[string, Backend]>([
    ["nothing", redis(undefined)],
    ["null", redis(null)],
    ["a number", redis(1)],
    ["an empty text", redis("")],
    ["a double", redis(from("9.007e+15", "9.007e+15"))],
    ["a leading zero", redis(from("", "01"))],
    ["2^63", redis(from("9223372036854775807", "9223372036854775808"))],
    ["a negative", redis(from("-2", "-1"))],
    ["no progress", redis(from("5", "5"))],
    ["too much", redis(from("5", "7"))],
    ["backwards", redis(from("5", "4"))],
    ["below the floor", redis(from("", "0"))],
    ["more", redis(`${from("5", "6")} 7`)],
    ["a new line", redis(`${from("5", "6")}\n`)],
    ["an array", redis([from("5", "6")])],
    ["a list of values", redis(["5", "6"])],
    ["no rows", sql(undefined)],
    ["a result with rows in it", sql({ rows: [{ last: "1" }] })],
    ["two rows", sql([{ last: "1" }, { last: "2" }])],
    ["a row of nothing", sql([undefined])],
    ["a row without it", sql([{ value: "1" }])],
    ["a row of null", sql([{ last: null }])],
    ["a row with a rounded number", sql([{ last: 2 ** 53 + 2 }])],
    ["a row with a fraction", sql([{ last: "1.0" }])],
    ["a row below the floor", sql([{ last: "0" }])],
    ["a row past the end", sql([{ last: "9223372036854775808" }])],
    ["nothing, from a memory", memoryOf(undefined)],
    ["null, from a memory", memoryOf(null)],
    ["numbers, from a memory", memoryOf({ before: 0, after: 1 })],
    ["no progress, from a memory", memoryOf({ before: 1n, after: 1n })],
  ])("%s", async (_, backend) => {
    const error = await errorOf(new Counter({ backend, name: "orders" }).next());
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ reason: "answer", operation: "counter: reserve" });
  });

  test("with a value that is not above the highest value that the call was sent with", async () => {
    for (const backend of [redis(from("5", "6")), sql([{ last: "6" }])]) {
      const counter = new Counter({ backend, name: "orders" });
      expect(await counter.next()).toBe(6n);
      expect(await errorOf(counter.next())).toMatchObject({ code: "ERR_BACKEND", reason: "answer" });
    }
  });

  // INCR reaches a client as a double, which turns …997 into …996.
  test("with a value that a double has rounded", async () => {
    const exact = 2n ** 53n + 5n;
    expect(String(exact)).toBe("9007199254740997");
    const rounded = String(Number(exact));
    expect(rounded).toBe("9007199254740996");
    for (const backend of [redis(from(exact - 1n, rounded)), sql([{ last: Number(exact) }])]) {
      const error = await errorOf(new Counter({ backend, name: "orders" }).next());
      expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "answer" });
    }
    const backend = new InstantRedis();
    backend.at = exact - 1n;
    expect(String(await new Counter({ backend, name: "orders" }).next())).toBe("9007199254740997");
  });
});

describe("a Counter on a store that fails", () => {
  test.each([1, 5])(
    "throws BackendError with the cause and then continues, with a block of %d",
    async (block) => {
      const backend = new InstantRedis();
      const counter = new Counter({ backend, name: "orders", block });
      backend.faults.push("refuse", "refuse", "lose");
      for (let calls = 0; calls < 3; calls++) {
        expect(await errorOf(counter.next())).toMatchObject({
          code: "ERR_BACKEND",
          reason: "failed",
          message: "counter: reserve: connection lost",
          cause: expect.any(Error),
        });
      }
      // The values of the lost answer are never issued again.
      expect(await counter.next()).toBe(BigInt(block + 1));
    },
  );

  test("throws BackendError when the client throws instead of rejecting", async () => {
    const backend: Backend = {
      eval: () => {
        throw new TypeError("client is closed");
      },
    };
    for (const block of [1, 5]) {
      const error = await errorOf(new Counter({ backend, name: "orders", block }).next());
      expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "failed" });
    }
  });

  test.each([1, 5])(
    "throws when an answer is late, and loses its values, with a block of %d",
    async (block) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const redis = new ManualRedis();
      const counter = new Counter({ backend: redis, name: "orders", block });
      const calls = [counter.next(), counter.next()].map(errorOf);
      vi.advanceTimersByTime(redis.timeoutMs);
      for (const call of calls) expect(await call).toMatchObject({ reason: "timeout" });
      const next = counter.next();
      for (const call of [...redis.pending]) redis.reply(call);
      const had = block === 1 ? 2n : 5n;
      expect(await next).toBe(had + 1n);
      expect(vi.getTimerCount()).toBe(0);
    },
  );
});

describe("answers in another order than the calls", () => {
  test("are accepted, because each is compared with the highest value when its call was sent", async () => {
    const redis = new ManualRedis();
    const counter = new Counter({ backend: redis, name: "orders" });
    const calls = Array.from({ length: 5 }, () => counter.next());
    for (const call of redis.pending) redis.execute(call);
    for (const call of [...redis.pending].reverse()) redis.reply(call);
    expect(await Promise.all(calls)).toEqual([1n, 2n, 3n, 4n, 5n]);
    // The highest of them is sent with the next call.
    const next = counter.next();
    expect(redis.pending[0].request.highest).toBe(5n);
    redis.reply(redis.pending[0]);
    expect(await next).toBe(6n);
  });

  test("repeat no value when the store loses data between two concurrent calls", async () => {
    const redis = new ManualRedis();
    const counter = new Counter({ backend: redis, name: "orders" });
    const [first, second, third] = Array.from({ length: 3 }, () => counter.next());
    const [one, two, three] = redis.pending;
    redis.reply(one);
    expect(await first).toBe(1n);
    redis.at = NO_VALUE; // For example a failover to a replica that had not received it.
    redis.reply(two);
    const error = await errorOf(second);
    expect(error).toMatchObject({ code: "ERR_COUNTER_BACKWARDS", highest: "1" });
    // This value is new to this process.
    redis.reply(three);
    expect(await third).toBe(2n);
    const next = counter.next();
    expect(redis.pending[0].request.highest).toBe(2n);
    redis.reply(redis.pending[0]);
    expect(await next).toBe(3n);
  });

  test("do not make the guard keep every range", async () => {
    const guard = new RollbackGuard();
    const kept = () => (guard as unknown as { rangesKept: number }).rangesKept;
    let answer = (_: ValueRange) => {};
    const calls: Promise<unknown>[] = [];
    const call = () =>
      calls.push(
        guard.reserve(
          () =>
            new Promise<ValueRange>((resolve) => {
              answer = resolve;
            }),
        ),
      );
    call();
    // There is always a pending call.
    for (let round = 1n; round < 500n; round++) {
      const reply = answer;
      call();
      reply({ first: round, last: round });
      await flushEvents();
      expect(kept()).toBeLessThanOrEqual(2);
    }
    answer({ first: 500n, last: 500n });
    await Promise.all(calls);
    expect(kept()).toBe(0);
  });

  // The service's ?count= requests ranges of any length. A store that fails over between two calls grants them again.
  test.each<[string, ValueRange, ValueRange, boolean]>([
    ["the same values", { first: 1n, last: 3n }, { first: 1n, last: 3n }, true],
    ["the beginning of the first range", { first: 1n, last: 3n }, { first: 1n, last: 2n }, true],
    ["the end of the first range", { first: 1n, last: 3n }, { first: 3n, last: 3n }, true],
    ["the first range and values after it", { first: 1n, last: 2n }, { first: 1n, last: 3n }, true],
    [
      "values before the first range and its beginning",
      { first: 3n, last: 4n },
      { first: 1n, last: 3n },
      true,
    ],
    ["a range around the first", { first: 2n, last: 3n }, { first: 1n, last: 9n }, true],
    ["the next values", { first: 1n, last: 3n }, { first: 4n, last: 5n }, false],
    ["values before the first range", { first: 4n, last: 5n }, { first: 1n, last: 3n }, false],
  ])(
    "are checked for overlap: the second of two concurrent calls gets %s",
    async (_, one, other, isRefused) => {
      const guard = new RollbackGuard();
      const answers: ((range: ValueRange) => void)[] = [];
      const call = () =>
        guard.reserve(() => new Promise<ValueRange>((resolve) => void answers.push(resolve)));
      const calls = [call(), call()];
      answers[0]?.(one);
      answers[1]?.(other);
      expect(await Promise.all(calls)).toEqual([one, isRefused ? "backwards" : other]);
    },
  );
});

describe("the options of a Counter", () => {
  const backend = memory();
  test.each<[string, unknown]>([
    ["options", undefined],
    ["options", null],
    ["options", "orders"],
    ["options", []],
    ["option", { backend, name: "orders", blocks: 5 }],
    ["backend", { name: "orders" }],
    ["backend", { backend: null, name: "orders" }],
    ["backend", { backend: {}, name: "orders" }],
    ["name", { backend }],
    ["name", { backend, name: "" }],
    ["name", { backend, name: 5 }],
    ["name", { backend, name: "a{b}" }],
    ["name", { backend, name: "a\nb" }],
    ["name", { backend, name: "x".repeat(101) }],
    ["block", { backend, name: "orders", block: 0 }],
    ["block", { backend, name: "orders", block: 1.5 }],
    ["block", { backend, name: "orders", block: -1 }],
    ["block", { backend, name: "orders", block: Number.NaN }],
    ["block", { backend, name: "orders", block: 2 ** 31 + 1 }],
    ["block", { backend, name: "orders", block: "5" }],
    ["block", { backend, name: "orders", block: 5n }],
    ["block", { backend, name: "orders", block: null }],
    ["floor", { backend, name: "orders", floor: 5 }],
    ["floor", { backend, name: "orders", floor: "5" }],
    ["floor", { backend, name: "orders", floor: -1n }],
    ["floor", { backend, name: "orders", floor: 2n ** 63n }],
    ["floor", { backend, name: "orders", floor: null }],
    ["prefix", { backend: { dialect: "sqlite", prefix: "x".repeat(60), query() {} }, name: "orders" }],
  ])("are refused when %s is wrong: %o", (field, options) => {
    let error: unknown;
    try {
      new Counter(options as never);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field });
  });

  test("may be undefined, and are fields of the Counter except the floor", async () => {
    const counter = new Counter({ backend, name: "orders", block: undefined, floor: undefined });
    expect(counter).toMatchObject({ name: "orders", block: 1 });
    expect(await counter.next()).toBe(1n);
    expect(Object.keys(counter)).toEqual(["backend", "name", "block"]);
    expect(new Counter({ backend, name: "orders", block: 2 ** 31 }).block).toBe(2 ** 31);
  });

  test("throw errors that are instances of the root's BitflakeError", () => {
    expect(new CounterExhaustedError("orders")).toBeInstanceOf(BitflakeError);
  });
});

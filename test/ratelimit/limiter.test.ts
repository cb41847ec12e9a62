// A RateLimit on each kind of port: what it is made of, what it does, and what it refuses.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Backend, memory, type SqlRow } from "../../src/backend/index.ts";
import { BitflakeError } from "../../src/index.ts";
import {
  ArgumentError,
  BackendError,
  type Decision,
  RateLimit,
  type RateLimitOptions,
} from "../../src/ratelimit/index.ts";
import { rateLimitPort } from "../../src/ratelimit/port.ts";
import { type ConsumeResult, consume, GRACE_US, gcraOf } from "../../src/ratelimit/rule.ts";
import { anyLimit, anyShare, NOW } from "./arbitraries.ts";
import { QuickRedis, QuickSql } from "./ports.ts";

const S = 1_000_000;
const KEY = "ada";

/** A store whose clock, and whose number for the key "ada" of the limit "api", can be set. */
interface Bench {
  readonly backend: Backend;
  set(now: number): void;
  put(ends: number): void;
  get(): number | undefined;
}

type Book = Map<string, { readonly ends: number }>;

function onMemory(): Bench {
  let now = NOW;
  const backend = memory({ clock: () => now / 1000 });
  const open = <T>(use: (book: Book) => T) =>
    backend.change<Book, T>("rate:api", (book = new Map()) => [book, use(book)]);
  return {
    backend,
    set: (to) => {
      now = to;
    },
    put: (ends) => void open((book) => book.set(KEY, { ends })),
    get: () => open((book) => book.get(KEY)?.ends),
  };
}

function onRedis(): Bench {
  const backend = new QuickRedis();
  const key = "bitflake:{ada}:rate:api";
  return {
    backend,
    set: (to) => {
      backend.now = to;
    },
    put: (ends) => void backend.held.set(key, ends),
    get: () => backend.held.get(key),
  };
}

const onSql = (dialect: "postgres" | "sqlite") => (): Bench => {
  const backend = new QuickSql(dialect);
  const id = JSON.stringify(["api", KEY]);
  return {
    backend,
    set: (to) => {
      backend.now = to;
    },
    put: (ends) => void backend.rows.set(id, BigInt(ends)),
    get: () => (backend.rows.has(id) ? Number(backend.rows.get(id)) : undefined),
  };
};

const benches: [string, () => Bench][] = [
  ["memory", onMemory],
  ["a Redis", onRedis],
  ["a PostgreSQL", onSql("postgres")],
  ["a SQLite", onSql("sqlite")],
];

const limiterOf = (backend: Backend, more: Partial<RateLimitOptions> = {}) =>
  new RateLimit({ backend, name: "api", limit: 10, windowMs: 60_000, ...more });

/** What a call is refused with. */
const refusal = (call: Promise<Decision>): Promise<BitflakeError> =>
  call.then(
    (decision) => {
      throw new Error(`not refused, but ${JSON.stringify(decision)}`);
    },
    (error) => error,
  );

describe.each(benches)("a RateLimit on %s", (_, make) => {
  test("lets as many pass as it says, then one for each interval", async () => {
    const { backend, set } = make();
    const limiter = limiterOf(backend);
    for (let call = 1; call <= 10; call++) {
      expect(await limiter.limit(KEY)).toEqual({
        allowed: true,
        remaining: 10 - call,
        retryAfterMs: 0,
        resetMs: call * 6000,
      });
    }
    const denied = { allowed: false, remaining: 0, retryAfterMs: 6000, resetMs: 60_000 };
    for (let again = 0; again < 3; again++) expect(await limiter.limit(KEY)).toEqual(denied);
    set(NOW + 6 * S - 1000);
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 1 });
    set(NOW + 6 * S);
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: true, remaining: 0, resetMs: 60_000 });
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: false });
    set(NOW + 66 * S);
    expect(await limiter.limit(KEY, 10)).toMatchObject({ allowed: true, remaining: 0 });
  });

  test("keeps keys and names apart, and counts the same name together", async () => {
    const { backend } = make();
    const limiter = limiterOf(backend);
    await limiter.limit(KEY, 10);
    expect((await limiter.limit("bob", 10)).allowed).toBe(true);
    expect((await limiterOf(backend, { name: "web" }).limit(KEY, 10)).allowed).toBe(true);
    expect((await limiterOf(backend).limit(KEY)).allowed).toBe(false);
  });

  test("takes a cost as a whole or not at all", async () => {
    const { backend } = make();
    const limiter = limiterOf(backend);
    expect(await limiter.limit(KEY, 7)).toMatchObject({ allowed: true, remaining: 3 });
    expect(await limiter.limit(KEY, 4)).toMatchObject({ allowed: false, remaining: 3, retryAfterMs: 6000 });
    expect(await limiter.limit(KEY, 3)).toMatchObject({ allowed: true, remaining: 0 });
  });

  test("does as the rule says, whatever there was before", async () => {
    const anyHeld = fc.option(
      fc.oneof(
        fc.constantFrom(0, GRACE_US, GRACE_US + 1, -1),
        fc.integer({ min: -1e12, max: 1e12 }),
        fc.integer({ min: -1e15, max: 1e15 }),
      ),
      { nil: undefined },
    );
    const anyCall = fc.record({ wait: anyShare, share: anyShare });
    await fc.assert(
      fc.asyncProperty(anyLimit, anyHeld, anyShare, fc.array(anyCall), async (terms, held, at, calls) => {
        const rate = gcraOf(terms.limit, terms.windowMs);
        const { backend, set, put, get } = make();
        const store = rateLimitPort(backend, "api", rate);
        let now = NOW;
        // From where the whole quota is used, and from elsewhere.
        let ends = held === undefined ? undefined : NOW + Math.floor(at * rate.tolerance) + held;
        if (ends !== undefined) put(ends);
        for (const { wait, share } of calls) {
          // In whole milliseconds, as most clocks show them.
          now += Math.ceil((wait * rate.interval) / 1000) * 1000;
          set(now);
          const price = Math.max(1, Math.ceil(share * terms.limit)) * rate.interval;
          const wanted: ConsumeResult = consume(rate, price, ends, now);
          expect(await store(KEY, price)).toEqual(wanted);
          ends = wanted.ends;
          expect(get()).toBe(ends);
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each([1, 3_600_000, 31_536_000_000])(
    "keeps nobody out for longer than a window, after a clock that went back by %d ms",
    async (back) => {
      const { backend, set } = make();
      const limiter = limiterOf(backend);
      await limiter.limit(KEY, 10);
      let now = NOW - back * 1000;
      set(now);
      const { allowed, retryAfterMs } = await limiter.limit(KEY);
      expect(allowed).toBe(false);
      expect(retryAfterMs).toBe(back === 1 ? 6001 : 6000);
      now += (retryAfterMs - 1) * 1000;
      set(now);
      expect((await limiter.limit(KEY)).allowed).toBe(false);
      set(now + 1000);
      expect((await limiter.limit(KEY)).allowed).toBe(true);
    },
  );

  test("is at its new window soon, after a larger one", async () => {
    const { backend, set } = make();
    await limiterOf(backend, { windowMs: 86_400_000 }).limit(KEY, 10);
    const limiter = limiterOf(backend, { windowMs: 10_000 });
    expect(await limiter.limit(KEY)).toEqual({
      allowed: false,
      remaining: 0,
      retryAfterMs: 1000,
      resetMs: 10_000,
    });
    set(NOW + 10 * S);
    expect(await limiter.limit(KEY, 10)).toMatchObject({ allowed: true });
  });

  test("refuses keys and costs that are none, before it asks the store, also where it is open", async () => {
    const { backend, get } = make();
    for (const onFailure of ["closed", "open"] as const) {
      const limiter = limiterOf(backend, { onFailure });
      for (const key of ["", "a".repeat(256), "a\0", "\ud800", undefined, null, 7, {}, ["a"]]) {
        const error = await refusal(limiter.limit(key as string));
        expect(error).toBeInstanceOf(ArgumentError);
        expect(error).toMatchObject({ code: "ERR_ARGUMENT", field: "key" });
      }
      for (const cost of [0, -1, 11, 1.5, Number.NaN, Infinity, "1", 1n, null, {}]) {
        const error = await refusal(limiter.limit(KEY, cost as number));
        expect(error).toBeInstanceOf(ArgumentError);
        expect(error).toMatchObject({ code: "ERR_ARGUMENT", field: "cost" });
      }
    }
    expect(get()).toBe(undefined);
  });

  test("takes any other key", async () => {
    const { backend } = make();
    const limiter = limiterOf(backend);
    for (const key of [
      " ",
      "a".repeat(255),
      "{}",
      "a}:rate:api",
      "ü'\"%s$1\n🙂",
      "🙂".repeat(255),
      "__proto__",
    ]) {
      expect(await limiter.limit(key)).toMatchObject({ allowed: true, remaining: 9 });
    }
  });
});

describe("options", () => {
  const backend = memory();
  const good = { backend, name: "api", limit: 10, windowMs: 60_000 };

  test("are there to be read", () => {
    const limiter = new RateLimit({ ...good, onFailure: undefined });
    expect({ ...limiter }).toEqual({ backend, name: "api", quota: 10, windowMs: 60_000 });
    expect(limiter.backend).toBe(backend);
  });

  test.each([
    ["limit", 1],
    ["limit", 60_000_000],
    ["windowMs", 1],
    ["windowMs", 2 ** 31 - 1],
    ["name", "é".repeat(100)],
    ["onFailure", "closed"],
    ["onFailure", "open"],
  ])("%s may be %s", (field, value) => {
    expect(new RateLimit({ ...good, [field]: value })).toBeInstanceOf(RateLimit);
  });

  test("a thousand million in a thousand seconds is the most", () => {
    const largest = { ...good, limit: 1_000_000_000, windowMs: 1_000_000 };
    expect(new RateLimit(largest).quota).toBe(1_000_000_000);
    expect(() => new RateLimit({ ...largest, limit: 1_000_000_001, windowMs: 2 ** 31 - 1 })).toThrow(
      ArgumentError,
    );
  });

  test.each<[string, unknown]>([
    ["backend", undefined],
    ["backend", null],
    ["backend", {}],
    ["backend", { change: 1 }],
    ["name", undefined],
    ["name", ""],
    ["name", "a".repeat(101)],
    ["name", "a{b"],
    ["name", "a\nb"],
    ["name", 7],
    ["limit", undefined],
    ["limit", 0],
    ["limit", -1],
    ["limit", 1.5],
    ["limit", "10"],
    ["limit", 10n],
    ["limit", Number.NaN],
    ["limit", Infinity],
    ["limit", 60_000_001], // More than one a microsecond.
    ["windowMs", undefined],
    ["windowMs", 0],
    ["windowMs", 2 ** 31],
    ["windowMs", 0.5],
    ["windowMs", "60"],
    ["onFailure", "opened"],
    ["onFailure", true],
    ["onFailure", null],
  ])("%s may not be %s", (field, value) => {
    const make = () => new RateLimit({ ...good, [field]: value } as RateLimitOptions);
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", field }));
  });

  test("that there are not are refused, and so is what are none", () => {
    for (const options of [{ ...good, window: 1 }, undefined, null, [], "options"]) {
      expect(() => new RateLimit(options as unknown as RateLimitOptions)).toThrow(ArgumentError);
    }
    const long = Object.assign(new QuickSql(), { prefix: "a".repeat(60) });
    expect(() => limiterOf(long)).toThrow(ArgumentError);
  });
});

describe("a store that is down", () => {
  const broken = (): Backend => ({ eval: () => Promise.reject(new Error("connection refused at 10.0.0.7")) });

  test("is an error, unless told otherwise", async () => {
    for (const more of [{}, { onFailure: "closed" }] as const) {
      const error = await refusal(limiterOf(broken(), more).limit(KEY));
      expect(error).toBeInstanceOf(BackendError);
      expect(error).toMatchObject({ code: "ERR_BACKEND", operation: "ratelimit: limit", reason: "failed" });
    }
  });

  test("lets calls pass that are told so, and says why", async () => {
    const decision = await limiterOf(broken(), { onFailure: "open" }).limit(KEY);
    expect(decision).toEqual({
      allowed: true,
      remaining: 0,
      retryAfterMs: 0,
      resetMs: 0,
      error: expect.any(BackendError),
    });
    expect(decision.error?.reason).toBe("failed");
  });

  test("may be one that does not answer in time", async () => {
    const silent = (): Backend => ({ timeoutMs: 20, eval: () => new Promise(() => {}) });
    expect(await refusal(limiterOf(silent()).limit(KEY))).toMatchObject({ reason: "timeout" });
    const { allowed, error } = await limiterOf(silent(), { onFailure: "open" }).limit(KEY);
    expect([allowed, error?.reason]).toEqual([true, "timeout"]);
  });

  test("may be down between two statements, and is asked anew by the next call", async () => {
    for (const failing of ["SELECT", "UPDATE", "INSERT"]) {
      const backend = new QuickSql();
      const limiter = limiterOf(backend);
      await limiter.limit(KEY, 10);
      backend.now -= 3600 * S;
      backend.before = (verb) => {
        if (verb === failing) throw new Error("gone");
      };
      expect(await refusal(limiter.limit(KEY))).toMatchObject({ reason: "failed" });
      backend.before = () => undefined;
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 6000 });
    }
  });
});

describe("an answer that cannot be", () => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 1],
    ["a list", ["allowed", NOW + 6 * S, NOW]],
    ["an object", { allowed: true }],
    ["another word", `granted ${NOW + 6 * S} ${NOW}`],
    ["no word", `${NOW + 6 * S} ${NOW}`],
    ["no time", `allowed ${NOW + 6 * S}`],
    ["a number as doubles are written", "allowed 1.8e+15 1.8e+15"],
    ["a negative number", "allowed -1 -6000001"],
    ["more behind it", `allowed ${NOW + 6 * S} ${NOW} `],
    ["allowed for nothing", `allowed ${NOW} ${NOW}`],
    ["allowed beyond the limit", `allowed ${NOW + 60 * S + 1} ${NOW}`],
    ["denied for nothing", `denied ${NOW + 54 * S} ${NOW}`],
    ["denied for too long", `denied ${NOW + 62 * S} ${NOW}`],
    ["digits without end", `denied ${"9".repeat(400)} ${NOW}`],
  ])("is an error, from Redis: %s", async (_, answer) => {
    for (const onFailure of ["closed", "open"] as const) {
      const backend = new QuickRedis();
      const limiter = limiterOf(backend, { onFailure });
      backend.plan.push(() => answer);
      if (onFailure === "closed") {
        expect(await refusal(limiter.limit(KEY))).toMatchObject({ code: "ERR_BACKEND", reason: "answer" });
      } else expect(await limiter.limit(KEY)).toMatchObject({ allowed: true, error: { reason: "answer" } });
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: true, remaining: 9 });
    }
  });

  const row = (ends: unknown, now: unknown): SqlRow => ({ ends, now });
  const texts = (ends: number, now: number) => row(String(ends), String(now));
  const nonsense: [string, unknown][] = [
    ["nothing", null],
    ["a text", "allowed"],
    ["two rows", [texts(NOW + 6 * S, NOW), texts(NOW + 6 * S, NOW)]],
    ["an empty row", [{}]],
    ["no row at all", [null]],
    ["numbers", [row(NOW + 6 * S, NOW)]],
    ["no numbers", [row("soon", "now")]],
    ["fractions", [row(`${NOW + 6 * S}.5`, `${NOW}`)]],
  ];

  test.each([
    ...nonsense,
    ["allowed for nothing", [texts(NOW, NOW)]],
    ["allowed beyond the limit", [texts(NOW + 60 * S + 1, NOW)]],
    ["too large to count in", [row("9223372036854775807", "9223372036848775807")]],
  ])("is an error, from SQL: %s", async (_, answer) => {
    const backend = new QuickSql();
    backend.before = (verb) => (verb === "INSERT" ? answer : undefined);
    expect(await refusal(limiterOf(backend).limit(KEY))).toMatchObject({ reason: "answer" });
  });

  test.each(nonsense)("is an error, from SQL that is asked when to come again: %s", async (_, answer) => {
    const backend = new QuickSql();
    const limiter = limiterOf(backend);
    await limiter.limit(KEY, 10);
    backend.before = (verb) => (verb === "SELECT" ? answer : undefined);
    expect(await refusal(limiter.limit(KEY))).toMatchObject({ reason: "answer" });
  });

  test("is an error, from memory of one's own making, or with something else in it", async () => {
    for (const result of [undefined, null, {}, { allowed: true, ends: NOW, now: NOW }]) {
      const backend = { change: () => result } as unknown as Backend;
      expect(await refusal(limiterOf(backend).limit(KEY))).toMatchObject({ reason: "answer" });
    }
    const backend = memory();
    backend.change("rate:api", () => [Symbol("no map"), true]);
    expect(await refusal(limiterOf(backend).limit(KEY))).toMatchObject({ reason: "failed" });
  });
});

describe("SQL", () => {
  test("is asked once for what passes, and once more for what is denied", async () => {
    const backend = new QuickSql();
    const limiter = limiterOf(backend);
    const verbs = () => backend.sent.splice(0).map(({ verb }) => verb);
    await limiter.limit(KEY, 10);
    expect(verbs()).toEqual(["DELETE", "INSERT"]);
    await limiter.limit(KEY);
    expect(verbs()).toEqual(["INSERT", "SELECT"]);
    // Only what is out of all reach is put right.
    backend.now -= S;
    await limiter.limit(KEY);
    expect(verbs()).toEqual(["INSERT", "SELECT"]);
    backend.now -= 1000;
    await limiter.limit(KEY);
    expect(verbs()).toEqual(["INSERT", "SELECT", "UPDATE"]);
  });

  test("is cleaned now and then, and a cleaning that fails is nobody's", async () => {
    const backend = new QuickSql();
    backend.before = (verb) => {
      if (verb === "DELETE") throw new Error("locked");
    };
    const limiter = limiterOf(backend, { limit: 1000 });
    for (let call = 0; call < 201; call++) await limiter.limit(KEY);
    const cleanings = backend.sent.filter(({ verb }) => verb === "DELETE");
    expect(cleanings.length).toBe(2);
    expect(cleanings[0].text).toContain("bitflake_rates");
  });

  test("that frees or loses the row before it is looked at: denied, and passes in a moment", async () => {
    const waits = (time: number) => (backend: QuickSql) => {
      backend.now += time;
    };
    for (const [meanwhile, remaining, resetMs] of [
      [waits(30 * S), 5, 30_000],
      [waits(60 * S), 10, 0],
      [(backend: QuickSql) => backend.rows.clear(), 10, 0],
    ] as const) {
      const backend = new QuickSql();
      const limiter = limiterOf(backend);
      await limiter.limit(KEY, 10);
      backend.before = (verb) => {
        if (verb === "SELECT") meanwhile(backend);
      };
      expect(await limiter.limit(KEY)).toEqual({ allowed: false, remaining, retryAfterMs: 1, resetMs });
    }
  });

  test("that is asked by a statement which waited, and so has an older time than the row: no more pass", async () => {
    const backend = new QuickSql("postgres");
    const limiter = limiterOf(backend);
    await limiter.limit(KEY, 9);
    const late = [0, 300_000, 900_000].map((behind) => async () => {
      backend.now = NOW - behind;
      return limiter.limit(KEY);
    });
    expect(await late[1]()).toMatchObject({ allowed: false, retryAfterMs: 300 });
    expect(await late[0]()).toMatchObject({ allowed: true });
    for (const call of late) expect((await call()).allowed).toBe(false);
    backend.now = NOW;
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 6000, resetMs: 60_000 });
  });

  test("whose row another one moves on is not pulled back", async () => {
    const backend = new QuickSql();
    const limiter = limiterOf(backend);
    await limiter.limit(KEY, 10);
    backend.now -= 3600 * S;
    const id = JSON.stringify(["api", KEY]);
    const moved = BigInt(backend.now + 7 * S);
    backend.before = (verb) => {
      if (verb === "UPDATE") backend.rows.set(id, moved);
    };
    expect((await limiter.limit(KEY)).allowed).toBe(false);
    expect(backend.rows.get(id)).toBe(moved);
  });

  test("with the largest number there is in the row puts it right", async () => {
    const backend = new QuickSql();
    backend.rows.set(JSON.stringify(["api", KEY]), 2n ** 63n - 1n);
    expect(await limiterOf(backend).limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 6000 });
    backend.now += 6 * S;
    expect(await limiterOf(backend).limit(KEY)).toMatchObject({ allowed: true });
  });
});

describe("Redis", () => {
  test("has a key for each key, spread by it, and is told numbers as texts", async () => {
    const backend = Object.assign(new QuickRedis(), { prefix: "app" });
    await limiterOf(backend).limit("a}b{", 3);
    const args = ["18000000", "60000000", "1000000"];
    expect(backend.sent).toEqual([{ key: "app:{a}b{}:rate:api", args }]);
  });
});

describe("memory", () => {
  test("forgets who owes nothing any more", async () => {
    let now = 0;
    const backend = memory({ clock: () => now });
    const limiter = limiterOf(backend);
    const keys = () =>
      backend.change<Book, string[]>("rate:api", (book = new Map()) => [book, [...book.keys()]]);
    for (let call = 0; call < 10_000; call++) {
      await limiter.limit(`client ${call}`);
      now += 10;
      // 600 clients come in the 6 s that each is remembered.
      if (call % 1000 === 0) expect(keys().length).toBeLessThanOrEqual(601);
    }
    now += 6000;
    await limiter.limit("the last");
    expect(keys()).toEqual(["the last"]);
  });

  test("remembers for two windows at most, whatever the calls cost", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ wait: fc.nat(20_000), cost: fc.integer({ min: 1, max: 10 }), key: fc.nat(9) })),
        async (calls) => {
          let now = 0;
          const backend = memory({ clock: () => now });
          const limiter = limiterOf(backend);
          for (const { wait, cost, key } of calls) {
            now += wait;
            await limiter.limit(`client ${key}`, cost);
          }
          now += 60_000;
          await limiter.limit("another");
          const size = backend.change<Book, number>("rate:api", (book = new Map()) => [book, book.size]);
          expect(size).toBe(1);
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([
    ["before 1970", -5_000_000_000],
    ["at 0", 0],
    ["with fractions", 1234.56789],
    ["of which one cannot count fractions", 1_800_000_000_000.123],
  ])("works by a clock %s", async (_, start) => {
    let now = start;
    const limiter = limiterOf(memory({ clock: () => now }));
    expect(await limiter.limit(KEY, 10)).toMatchObject({ allowed: true, resetMs: 60_000 });
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 6000 });
    now += 6001;
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: true });
  });

  test.each([Number.NaN, Infinity, 1e300, -1e300, 2 ** 53])("refuses a clock that reads %d", async (now) => {
    for (const onFailure of ["closed", "open"] as const) {
      const limiter = limiterOf(memory({ clock: () => now }), { onFailure });
      if (Number.isFinite(now) && onFailure === "open") {
        expect(await limiter.limit(KEY)).toMatchObject({ allowed: true, error: { reason: "answer" } });
      } else expect(await refusal(limiter.limit(KEY))).toBeInstanceOf(BitflakeError);
    }
  });
});

// RateLimit on each kind of port: options, decisions, failing stores and unexpected answers.

import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { type Backend, memory, type SqlRow } from "../../src/backend/index.ts";
import { BitflakeError } from "../../src/index.ts";
import {
  ArgumentError,
  BackendError,
  type Decision,
  RateLimit,
  type RateLimitOptions,
} from "../../src/ratelimit/index.ts";
import { rateLimitPort } from "../../src/ratelimit/openPort.ts";
import { type ConsumeResult, consume, GRACE_US, gcraOf } from "../../src/ratelimit/rule.ts";
import { anyLimit, anyShare, NOW } from "./arbitraries.ts";
import { FakeRedis, FakeSql } from "./fakePorts.ts";
import { type Entries, fixtures, KEY } from "./fixtures.ts";

const S = 1_000_000;

const limiterOf = (backend: Backend, more: Partial<RateLimitOptions> = {}) =>
  new RateLimit({ backend, name: "api", limit: 10, windowMs: 60_000, ...more });

/** Returns the error of a call that must fail. */
const refusal = (call: Promise<Decision>): Promise<BitflakeError> =>
  call.then(
    (decision) => {
      throw new Error(`did not fail, but returned ${JSON.stringify(decision)}`);
    },
    (error) => error,
  );

describe.each(fixtures)("a RateLimit on %s", (_, make) => {
  test("allows the whole limit at once, then one call each interval", async () => {
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

  test("counts keys and names separately, and limits of one name together", async () => {
    const { backend } = make();
    const limiter = limiterOf(backend);
    await limiter.limit(KEY, 10);
    expect((await limiter.limit("bob", 10)).allowed).toBe(true);
    expect((await limiterOf(backend, { name: "web" }).limit(KEY, 10)).allowed).toBe(true);
    expect((await limiterOf(backend).limit(KEY)).allowed).toBe(false);
  });

  test("allows a cost as a whole or not at all", async () => {
    const { backend } = make();
    const limiter = limiterOf(backend);
    expect(await limiter.limit(KEY, 7)).toMatchObject({ allowed: true, remaining: 3 });
    expect(await limiter.limit(KEY, 4)).toMatchObject({ allowed: false, remaining: 3, retryAfterMs: 6000 });
    expect(await limiter.limit(KEY, 3)).toMatchObject({ allowed: true, remaining: 0 });
  });

  test("returns and stores the outcomes of the rule, for any stored TAT", async () => {
    const anyOffset = fc.option(
      fc.oneof(
        fc.constantFrom(0, GRACE_US, GRACE_US + 1, -1),
        fc.integer({ min: -1e12, max: 1e12 }),
        fc.integer({ min: -1e15, max: 1e15 }),
      ),
      { nil: undefined },
    );
    const anyCall = fc.record({ wait: anyShare, share: anyShare });
    await fc.assert(
      fc.asyncProperty(
        anyLimit,
        anyOffset,
        anyShare,
        fc.array(anyCall),
        async (options, offset, at, calls) => {
          const gcra = gcraOf(options.limit, options.windowMs);
          const { backend, set, put, get } = make();
          const store = rateLimitPort(backend, "api", gcra);
          let now = NOW;
          // From a TAT around the tolerance, where the whole quota is used, and from any other.
          let tat = offset === undefined ? undefined : NOW + Math.floor(at * gcra.tolerance) + offset;
          if (tat !== undefined) put(tat);
          for (const { wait, share } of calls) {
            // In whole milliseconds, as most clocks return them.
            now += Math.ceil((wait * gcra.interval) / 1000) * 1000;
            set(now);
            const costUs = Math.max(1, Math.ceil(share * options.limit)) * gcra.interval;
            const wanted: ConsumeResult = consume(gcra, costUs, tat, now);
            expect(await store.consume(KEY, costUs)).toEqual(wanted);
            tat = wanted.tat;
            expect(get()).toBe(tat);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([1, 3_600_000, 31_536_000_000])(
    "denies a key for at most a window after the clock was set back by %d ms",
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

  test("applies a smaller window at once, after a larger one", async () => {
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

  test("throws on an invalid key or cost before it calls the store, whatever onStoreError is", async () => {
    const { backend, get } = make();
    for (const onStoreError of ["fail", "allow"] as const) {
      const limiter = limiterOf(backend, { onStoreError });
      for (const key of ["", "a".repeat(256), "a\0", "\ud800", undefined, null, 7, {}, ["a"]]) {
        const error = await refusal(limiter.limit(key as string));
        expect(error).toBeInstanceOf(ArgumentError);
        expect(error).toMatchObject({ code: "ERR_ARGUMENT", field: "key" });
      }
      for (const cost of [0, -1, 1.5, Number.NaN, Infinity, "1", 1n, null, {}]) {
        const error = await refusal(limiter.limit(KEY, cost as number));
        expect(error).toBeInstanceOf(ArgumentError);
        expect(error).toMatchObject({ code: "ERR_ARGUMENT", field: "cost" });
      }
    }
    expect(get()).toBe(undefined);
  });

  test("accepts any other key", async () => {
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

  test("are readable as properties", () => {
    const limiter = new RateLimit({ ...good, onStoreError: undefined, onFailure: undefined });
    const common = { backend, name: "api", quota: 10, windowMs: 60_000 };
    expect({ ...limiter }).toEqual({ ...common, burst: 10, shadow: false });
    const other = new RateLimit({ ...good, burst: 3, shadow: true });
    expect({ ...other }).toEqual({ ...common, burst: 3, shadow: true });
    expect(limiter.backend).toBe(backend);
  });

  test.each([
    ["limit", 1],
    ["limit", 60_000_000],
    ["windowMs", 1],
    ["windowMs", 2 ** 31 - 1],
    ["name", "é".repeat(100)],
    ["burst", 1],
    ["burst", 357_913], // Available again in 2^31 - 1 ms.
    ["burst", undefined],
    ["rememberDenials", true],
    ["shadow", false],
    ["insurance", undefined],
    ["insurance", new RateLimit({ backend: memory(), name: "insurance", limit: 1, windowMs: 1000 })],
    ["onStoreError", "fail"],
    ["onStoreError", "allow"],
    ["onFailure", "closed"],
    ["onFailure", "open"],
  ])("%s may be %s", (field, value) => {
    expect(new RateLimit({ ...good, [field]: value })).toBeInstanceOf(RateLimit);
  });

  test("limit may be at most 1,000,000,000, and one for each microsecond", () => {
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
    ["burst", 0],
    ["burst", 1.5],
    ["burst", "10"],
    ["burst", null],
    ["burst", 357_914],
    ["rememberDenials", 1],
    ["rememberDenials", null],
    ["shadow", "yes"],
    ["shadow", null],
    ["onStoreError", "open"],
    ["onStoreError", "bypass"],
    ["onStoreError", null],
    ["onStoreError", false],
    ["onFailure", "opened"],
    ["onFailure", "allow"],
    ["onFailure", "fail"],
    ["onFailure", true],
    ["onFailure", null],
  ])("%s may not be %s", (field, value) => {
    const make = () => new RateLimit({ ...good, [field]: value } as RateLimitOptions);
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", field }));
  });

  test("onStoreError and onFailure together are refused, also when they agree", () => {
    for (const [onStoreError, onFailure] of [
      ["fail", "open"],
      ["allow", "closed"],
      ["allow", "open"],
    ] as const) {
      expect(() => new RateLimit({ ...good, onStoreError, onFailure })).toThrow(
        expect.objectContaining({
          code: "ERR_ARGUMENT",
          field: "onFailure",
          message: `onFailure must be left out if onStoreError is given, got "${onFailure}"`,
        }),
      );
    }
  });

  test("types: onStoreError has the values fail and allow, and onFailure its old ones", () => {
    expectTypeOf<RateLimitOptions["onStoreError"]>().toEqualTypeOf<"fail" | "allow" | undefined>();
    expectTypeOf<RateLimitOptions["onFailure"]>().toEqualTypeOf<"closed" | "open" | undefined>();
  });

  test("an insurance without a method is refused", () => {
    for (const insurance of [null, {}, { ...new RateLimit(good) }, () => {}]) {
      const make = () => new RateLimit({ ...good, insurance } as RateLimitOptions);
      expect(make).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", field: "insurance.limit" }));
    }
    const { limit, peek, refund, block } = new RateLimit(good);
    const insurance = { limit, peek, refund, block } as unknown as RateLimit;
    expect(() => new RateLimit({ ...good, insurance })).toThrow(
      expect.objectContaining({ field: "insurance.reset" }),
    );
  });

  test("with an unknown name, and values that are not options, are refused", () => {
    for (const options of [{ ...good, window: 1 }, undefined, null, [], "options"]) {
      expect(() => new RateLimit(options as unknown as RateLimitOptions)).toThrow(ArgumentError);
    }
    const long = Object.assign(new FakeSql(), { prefix: "a".repeat(60) });
    expect(() => limiterOf(long)).toThrow(ArgumentError);
  });
});

describe("a store that fails", () => {
  const broken = (): Backend => ({ eval: () => Promise.reject(new Error("connection refused at 10.0.0.7")) });

  test("is an error by default", async () => {
    for (const more of [{}, { onStoreError: "fail" }, { onFailure: "closed" }] as const) {
      const error = await refusal(limiterOf(broken(), more).limit(KEY));
      expect(error).toBeInstanceOf(BackendError);
      expect(error).toMatchObject({ code: "ERR_BACKEND", operation: "ratelimit: limit", reason: "failed" });
    }
  });

  test("allows calls if onStoreError is allow, and the decision has the error", async () => {
    for (const more of [{ onStoreError: "allow" }, { onFailure: "open" }] as const) {
      const decision = await limiterOf(broken(), more).limit(KEY);
      expect(decision).toEqual({
        allowed: true,
        remaining: 0,
        retryAfterMs: 0,
        resetMs: 0,
        error: expect.any(BackendError),
      });
      expect(decision.error?.reason).toBe("failed");
    }
  });

  test("includes a store that does not answer in time", async () => {
    const silent = (): Backend => ({ timeoutMs: 20, eval: () => new Promise(() => {}) });
    expect(await refusal(limiterOf(silent()).limit(KEY))).toMatchObject({ reason: "timeout" });
    const { allowed, error } = await limiterOf(silent(), { onStoreError: "allow" }).limit(KEY);
    expect([allowed, error?.reason]).toEqual([true, "timeout"]);
  });

  test("includes a store that fails between two statements, and the next call tries again", async () => {
    for (const failing of ["SELECT", "UPDATE", "INSERT"]) {
      const backend = new FakeSql();
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

describe("an implausible answer", () => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 1],
    ["a list", ["allowed", NOW + 6 * S, NOW]],
    ["an object", { allowed: true }],
    ["another word", `granted ${NOW + 6 * S} ${NOW}`],
    ["a missing word", `${NOW + 6 * S} ${NOW}`],
    ["a missing time", `allowed ${NOW + 6 * S}`],
    ["a number with an exponent", "allowed 1.8e+15 1.8e+15"],
    ["a negative number", "allowed -1 -6000001"],
    ["trailing text", `allowed ${NOW + 6 * S} ${NOW} `],
    ["allowed at no cost", `allowed ${NOW} ${NOW}`],
    ["allowed beyond the limit", `allowed ${NOW + 60 * S + 1} ${NOW}`],
    ["denied with quota left", `denied ${NOW + 54 * S} ${NOW}`],
    ["denied far past the tolerance", `denied ${NOW + 62 * S} ${NOW}`],
    ["400 digits", `denied ${"9".repeat(400)} ${NOW}`],
  ])("of Redis is an error: %s", async (_, answer) => {
    for (const onStoreError of ["fail", "allow"] as const) {
      const backend = new FakeRedis();
      const limiter = limiterOf(backend, { onStoreError });
      backend.plan.push(() => answer);
      if (onStoreError === "fail") {
        expect(await refusal(limiter.limit(KEY))).toMatchObject({ code: "ERR_BACKEND", reason: "answer" });
      } else expect(await limiter.limit(KEY)).toMatchObject({ allowed: true, error: { reason: "answer" } });
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: true, remaining: 9 });
    }
  });

  const row = (ends: unknown, now: unknown): SqlRow => ({ ends, now });
  const texts = (ends: number, now: number) => row(String(ends), String(now));
  const invalidRows: [string, unknown][] = [
    ["nothing", null],
    ["a text", "allowed"],
    ["two rows", [texts(NOW + 6 * S, NOW), texts(NOW + 6 * S, NOW)]],
    ["an empty row", [{}]],
    ["null as a row", [null]],
    ["numbers", [row(NOW + 6 * S, NOW)]],
    ["words", [row("soon", "now")]],
    ["fractions", [row(`${NOW + 6 * S}.5`, `${NOW}`)]],
  ];

  test.each([
    ...invalidRows,
    ["allowed at no cost", [texts(NOW, NOW)]],
    ["allowed beyond the limit", [texts(NOW + 60 * S + 1, NOW)]],
    ["numbers past 2^53", [row("9223372036854775807", "9223372036848775807")]],
  ])("of SQL is an error: %s", async (_, answer) => {
    const backend = new FakeSql();
    backend.before = (verb) => (verb === "INSERT" ? answer : undefined);
    expect(await refusal(limiterOf(backend).limit(KEY))).toMatchObject({ reason: "answer" });
  });

  test.each(invalidRows)(
    "of SQL to the second statement of a denied call is an error: %s",
    async (_, answer) => {
      const backend = new FakeSql();
      const limiter = limiterOf(backend);
      await limiter.limit(KEY, 10);
      backend.before = (verb) => (verb === "SELECT" ? answer : undefined);
      expect(await refusal(limiter.limit(KEY))).toMatchObject({ reason: "answer" });
    },
  );

  test("of a custom memory port is an error, and so is memory with another value", async () => {
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
  test("gets one statement for an allowed call, and one more for a denied call", async () => {
    const backend = new FakeSql();
    const limiter = limiterOf(backend);
    const verbs = () => backend.sent.splice(0).map(({ verb }) => verb);
    await limiter.limit(KEY, 10);
    expect(verbs()).toEqual(["DELETE", "INSERT"]);
    await limiter.limit(KEY);
    expect(verbs()).toEqual(["INSERT", "SELECT"]);
    // Only a TAT that is implausibly far ahead is pulled back.
    backend.now -= S;
    await limiter.limit(KEY);
    expect(verbs()).toEqual(["INSERT", "SELECT"]);
    backend.now -= 1000;
    await limiter.limit(KEY);
    expect(verbs()).toEqual(["INSERT", "SELECT", "UPDATE"]);
  });

  test("is cleaned every 200 calls, and a failed cleaning affects no call", async () => {
    const backend = new FakeSql();
    backend.before = (verb) => {
      if (verb === "DELETE") throw new Error("locked");
    };
    const limiter = limiterOf(backend, { limit: 1000 });
    for (let call = 0; call < 201; call++) await limiter.limit(KEY);
    const cleanings = backend.sent.filter(({ verb }) => verb === "DELETE");
    expect(cleanings.length).toBe(2);
    expect(cleanings[0].text).toContain("bitflake_rates");
  });

  test("denies a call for 1 ms when the row has quota again, or is gone, in the second statement", async () => {
    const waits = (time: number) => (backend: FakeSql) => {
      backend.now += time;
    };
    for (const [meanwhile, remaining, resetMs] of [
      [waits(30 * S), 5, 30_000],
      [waits(60 * S), 10, 0],
      [(backend: FakeSql) => backend.rows.clear(), 10, 0],
    ] as const) {
      const backend = new FakeSql();
      const limiter = limiterOf(backend);
      await limiter.limit(KEY, 10);
      backend.before = (verb) => {
        if (verb === "SELECT") meanwhile(backend);
      };
      expect(await limiter.limit(KEY)).toEqual({ allowed: false, remaining, retryAfterMs: 1, resetMs });
    }
  });

  test("allows no more calls when a statement waited and has an older time than the row", async () => {
    const backend = new FakeSql("postgres");
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

  test("does not pull back a row that a concurrent call has moved", async () => {
    const backend = new FakeSql();
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

  test("pulls back a row with the largest 64-bit integer", async () => {
    const backend = new FakeSql();
    backend.rows.set(JSON.stringify(["api", KEY]), 2n ** 63n - 1n);
    expect(await limiterOf(backend).limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 6000 });
    backend.now += 6 * S;
    expect(await limiterOf(backend).limit(KEY)).toMatchObject({ allowed: true });
  });
});

describe("Redis", () => {
  test("gets one Redis key for each key, with the key as its hash tag, and numbers as text", async () => {
    const backend = Object.assign(new FakeRedis(), { prefix: "app" });
    await limiterOf(backend).limit("a}b{", 3);
    const args = ["18000000", "60000000", "1000000"];
    expect(backend.sent).toEqual([{ operation: "consume", keys: ["app:{a}b{}:rate:api"], args }]);
  });
});

describe("memory", () => {
  test("deletes keys whose TAT has passed", async () => {
    let now = 0;
    const backend = memory({ clock: () => now });
    const limiter = limiterOf(backend);
    const keys = () =>
      backend.change<Entries, string[]>("rate:api", (entries = new Map()) => [entries, [...entries.keys()]]);
    for (let call = 0; call < 10_000; call++) {
      await limiter.limit(`client ${call}`);
      now += 10;
      // 600 clients call in the 6 s that each is remembered.
      if (call % 1000 === 0) expect(keys().length).toBeLessThanOrEqual(601);
    }
    now += 6000;
    await limiter.limit("the last");
    expect(keys()).toEqual(["the last"]);
  });

  test("keeps a key for at most two windows, for any costs", async () => {
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
          const size = backend.change<Entries, number>("rate:api", (entries = new Map()) => [
            entries,
            entries.size,
          ]);
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
    ["too large for fractions of a millisecond", 1_800_000_000_000.123],
  ])("works with a clock %s", async (_, start) => {
    let now = start;
    const limiter = limiterOf(memory({ clock: () => now }));
    expect(await limiter.limit(KEY, 10)).toMatchObject({ allowed: true, resetMs: 60_000 });
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 6000 });
    now += 6001;
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: true });
  });

  test.each([Number.NaN, Infinity, 1e300, -1e300, 2 ** 53])(
    "throws when its clock returns %d",
    async (now) => {
      for (const onStoreError of ["fail", "allow"] as const) {
        const limiter = limiterOf(memory({ clock: () => now }), { onStoreError });
        if (Number.isFinite(now) && onStoreError === "allow") {
          expect(await limiter.limit(KEY)).toMatchObject({ allowed: true, error: { reason: "answer" } });
        } else expect(await refusal(limiter.limit(KEY))).toBeInstanceOf(BitflakeError);
      }
    },
  );
});

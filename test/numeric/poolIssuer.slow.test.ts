// Issuing from IdPool: one ID, by request key, several at once, and all IDs to the last one.

import { describe, expect, expectTypeOf, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import {
  ArgumentError,
  BackendError,
  IdPoolEmptyError,
  IdPoolExhaustedError,
  type NumericIdType,
} from "../../src/numeric/index.ts";
import {
  ALL,
  drain,
  expectDistinct,
  FOURS,
  finishBackground,
  InspectableStore,
  issueEach,
  type Operation,
  poolOf,
  rejection,
  seeded,
  typeOf,
  useSteppedTime,
} from "./poolFixtures.ts";

useSteppedTime();

describe("issue", () => {
  test("issues valid IDs, each once", async () => {
    const pool = poolOf({ length: 10 });
    const ids = await issueEach(pool, 3000);
    expectDistinct(ids, pool.type);
  });

  test("issues IDs in random order", async () => {
    const ids = (await issueEach(poolOf({ length: 10 }), 2000)).map(Number);
    const ascending = ids.filter((id, i) => i > 0 && id > (ids[i - 1] as number)).length;
    // Half of them, plus or minus six times the square root of n / 12.
    expect(Math.abs(ascending - 1000)).toBeLessThan(6 * Math.sqrt(2000 / 12));
  });

  test("issues each ID once to 300 concurrent calls of two pools", async () => {
    const backend = memory();
    const pools = [poolOf({ backend, length: 8 }), poolOf({ backend, length: 8 })];
    const ids = await Promise.all(Array.from({ length: 300 }, (_, call) => pools[call % 2].issue()));
    expectDistinct(ids, pools[0].type);
  });

  test.each<[string, string, unknown]>([
    ["an unknown option", "option", { key: "a" }],
    ["a string", "options", "a"],
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
  ])("refuses %s and takes nothing", async (_, field, options) => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port() });
    await pool.fill({ to: 5 });
    store.calls.length = 0;
    const error = await rejection(pool.issue(options as { requestKey: string }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field });
    expect(store.calls).toEqual([]);
  });
});

describe("a request key", () => {
  test("always gets the same ID, from any pool of the store", async () => {
    const backend = memory();
    const pool = poolOf({ backend });
    const id = await pool.issue({ requestKey: "form 17" });
    expect(await pool.issue({ requestKey: "form 17" })).toBe(id);
    expect(await poolOf({ backend }).issue({ requestKey: "form 17" })).toBe(id);
    expect((await pool.status()).taken).toBe(1);
  });

  test("gets an ID that no other call gets", async () => {
    const pool = poolOf();
    const keys = Array.from({ length: 200 }, (_, i) => `form ${i}`);
    const ids: string[] = [];
    for (const requestKey of keys) ids.push(await pool.issue({ requestKey }), await pool.issue());
    expectDistinct(ids, pool.type);
    for (const [i, requestKey] of keys.entries()) expect(await pool.issue({ requestKey })).toBe(ids[2 * i]);
  });

  test.each(["an empty", "a filled"])("gets one ID in 200 concurrent calls on %s pool", async (which) => {
    const backend = memory();
    const pools = [1, 2, 3].map(() => poolOf({ backend }));
    if (which === "a filled") await pools[0].fill();
    const calls = Array.from({ length: 200 }, (_, call) => pools[call % 3].issue({ requestKey: "form 17" }));
    expect(new Set(await Promise.all(calls)).size).toBe(1);
    expect((await pools[0].status()).taken).toBe(1);
  });

  test("gets its ID when the pool is exhausted, and when it is stopped", async () => {
    const backend = memory();
    const pool = poolOf({ backend, length: 3 });
    const id = await pool.issue({ requestKey: "form 17" });
    await drain(pool);
    expect(await rejection(pool.issue({ requestKey: "form 18" }))).toBeInstanceOf(IdPoolExhaustedError);
    await pool.stop();
    expect(await pool.issue({ requestKey: "form 17" })).toBe(id);
    expect(await poolOf({ backend, length: 3 }).issue({ requestKey: "form 17" })).toBe(id);
  });

  test("gets the same ID after a lost answer", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port("pool", 100) });
    await pool.fill();
    store.hangs = (operation) => operation === "issue";
    const error = await rejection(pool.issue({ requestKey: "form 17" }));
    expect(error).toMatchObject({ code: "ERR_BACKEND", reason: "timeout", operation: "pool: issue" });
    store.hangs = () => false;
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

  test("is absent when undefined", async () => {
    const pool = poolOf();
    const ids = [await pool.issue({ requestKey: undefined }), await pool.issue({ requestKey: undefined })];
    expectDistinct(ids, pool.type);
  });
});

describe("issueIds", () => {
  test("issues as many IDs as requested, each once", async () => {
    const pool = poolOf({ length: 8 });
    const ids: string[] = [];
    for (const count of [1, 2, 3, 999, 1000, 5000, 10_000]) {
      const batch = await pool.issueIds(count);
      expect(batch.length).toBe(count);
      ids.push(...batch);
    }
    expectDistinct(ids, pool.type);
  });

  test("issues more IDs than the high mark", async () => {
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
    expect(await rejection(pool.issueMany(0))).toMatchObject({ field: "count", code: "ERR_ARGUMENT" });
  });

  test("returns a new array", async () => {
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
  ])("refuses a count of %o and takes nothing", async (count) => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port() });
    const error = await rejection(pool.issueIds(count as number));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field: "count" });
    expect(store.calls).toEqual([]);
  });

  test("issues none if too few remain, and says how many do", async () => {
    const pool = poolOf({ length: 3 });
    const ids = await issueEach(pool, 30);
    for (const count of [25, 26, 10_000]) {
      const error = await rejection(pool.issueIds(count));
      expect(error).toBeInstanceOf(IdPoolExhaustedError);
      expect(error).toMatchObject({ type: "farmer", count, available: 24 });
    }
    expect(await pool.status()).toMatchObject({ available: 24, taken: 30, remaining: 24n });
    ids.push(...(await pool.issueIds(24)));
    expect(ids.length).toBe(ALL[3]);
    expectDistinct(ids, pool.type);
    expect(await rejection(pool.issueIds(1))).toMatchObject({ available: 0, code: "ERR_ID_POOL_EXHAUSTED" });
  });

  test("issues all IDs in one call", async () => {
    const pool = poolOf();
    const ids = await pool.issueIds(ALL[4]);
    expect(ids.sort()).toEqual(FOURS);
  });
});

describe("issue to the last ID", () => {
  test("issues all 29,593 IDs of six digits, alternating between two pools, single calls, batches and restarts", async () => {
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
        // A process restarts: sometimes after stop(), otherwise its refill continues in the background.
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
    for (const pool of pools) expect(await rejection(pool.issue())).toBeInstanceOf(IdPoolExhaustedError);
  });

  test.each([2, 3, 4, 5] as const)("issues as many IDs of %d digits as the type has", async (length) => {
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
  ])("issues all IDs with a low mark of %d and a high mark of %d", async (lowMark, highMark) => {
    const pool = poolOf({ lowMark, highMark });
    const { ids, end } = await drain(pool);
    expect(ids.sort()).toEqual(FOURS);
    expect(end).toBeInstanceOf(IdPoolExhaustedError);
  });

  test("gives each concurrent call its own ID or an IdPoolExhaustedError", async () => {
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
    // In five digits the first five are also the last five.
    ["of a known set", typeOf(5, "mosip")],
    ["that let nothing begin", typeOf(4, { notStartWith: [..."0123456789"] })],
  ])("soon finds that there is no ID by rules %s", async (_, type) => {
    const pool = poolOf({ type });
    const started = Date.now();
    expect(await rejection(pool.issue())).toBeInstanceOf(IdPoolExhaustedError);
    expect(Date.now() - started).toBeLessThan(1000);
    expect(await pool.fill()).toBe(0);
    expect(await pool.status()).toMatchObject({ available: 0, taken: 0, remaining: 0n, isExhausted: true });
  });

  test("does not scan for long IDs: draws find none, which is the cause of the error", async () => {
    const pool = poolOf({ type: typeOf(11, { notStartWith: [..."0123456789"] }) });
    const error = await rejection(pool.issue());
    expect(error).toBeInstanceOf(IdPoolEmptyError);
    expect(error.cause).toMatchObject({ code: "ERR_NO_VALID_ID", type: "farmer", length: 11 });
  });

  test("issues the only ID of a type", async () => {
    const [only] = FOURS;
    const others = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, "0"));
    const notStartWith = others.filter((start) => start !== only.slice(0, 3));
    const pool = poolOf({ type: typeOf(4, { notStartWith }), highMark: 30 });
    expect(await drain(pool)).toMatchObject({ ids: [only], end: { code: "ERR_ID_POOL_EXHAUSTED" } });
  });

  test("throws at once after a restart, without a scan", async () => {
    const store = new InspectableStore();
    await drain(poolOf({ backend: store.port(), length: 3 }));
    const [scan, known] = [store.state.scan, store.state.places.size];
    store.calls.length = 0;
    const pool = poolOf({ backend: store.port("new"), length: 3 });
    expect(await rejection(pool.issue())).toBeInstanceOf(IdPoolExhaustedError);
    expect(await rejection(pool.issue({ requestKey: "form 17" }))).toBeInstanceOf(IdPoolExhaustedError);
    expect(await rejection(pool.issueIds(2))).toBeInstanceOf(IdPoolExhaustedError);
    await finishBackground();
    expect(store.calls.map(({ operation }) => operation)).toEqual(["register", "count", "count", "count"]);
    expect([store.state.scan, store.state.places.size]).toEqual([scan, known]);
  });

  test("does not refill while the last IDs are issued", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: 3 });
    expect(await pool.fill()).toBe(ALL[3]);
    store.calls.length = 0;
    await issueEach(pool, ALL[3]);
    await finishBackground();
    expect(store.takeCalls("claim", "add", "advance", "count")).toEqual([]);
  });

  test("issues every ID although a process ends between two steps of its refill", async () => {
    const random = seeded();
    for (let round = 0; round < 8; round++) {
      const store = new InspectableStore();
      const ids: string[] = [];
      let end: unknown;
      for (let run = 0; end === undefined && run < 400; run++) {
        // Its claim is lost with it.
        let left = 3 + random(12);
        const isDead = (operation: Operation) =>
          ["add", "advance", "claim"].includes(operation)
            ? left-- <= 0
            : left <= 0 && operation === "release";
        store.fails = isDead;
        const pool = poolOf({ backend: store.port(), highMark: 20, waitMs: 0 });
        await pool.fill({ to: 20 + random(40) }).catch((error) => expect(error).toBeInstanceOf(BackendError));
        store.fails = () => false;
        for (let some = random(50); some > 0; some--) {
          await pool.issue().then(
            (id) => ids.push(id),
            (error) => {
              if (error instanceof IdPoolExhaustedError) end = error;
              else expect(error).toBeInstanceOf(IdPoolEmptyError);
            },
          );
        }
        await finishBackground();
      }
      expect(end).toBeInstanceOf(IdPoolExhaustedError);
      expect(ids.sort()).toEqual(FOURS);
    }
  });
});

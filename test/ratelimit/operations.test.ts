// The other operations of a RateLimit on a key, on each kind of port: burst, peek, refund, block and reset.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Backend, memory } from "../../src/backend/index.ts";
import { ArgumentError, BackendError, RateLimit, type RateLimitOptions } from "../../src/ratelimit/index.ts";
import { rateLimitPort } from "../../src/ratelimit/openPort.ts";
import { block, consume, gcraOf, isChange, peek, refund } from "../../src/ratelimit/rule.ts";
import { memoryCells } from "../support/memoryCells.ts";
import { NOW } from "./arbitraries.ts";
import { allFixtures, KEY } from "./fixtures.ts";

const S = 1_000_000;

const limiterOf = (backend: Backend, more: Partial<RateLimitOptions> = {}) =>
  new RateLimit({ backend, name: "api", limit: 10, windowMs: 60_000, ...more });

beforeEach(() => {
  vi.useFakeTimers({ now: NOW / 1000, toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each(allFixtures)("on %s", (_, make) => {
  describe("burst", () => {
    test("below the limit bounds the calls that pass at once, and the rate stays", async () => {
      const { backend, set } = make();
      const limiter = limiterOf(backend, { burst: 3 });
      expect(await limiter.limit(KEY, 3)).toMatchObject({ allowed: true, remaining: 0, resetMs: 18_000 });
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 6000 });
      set(NOW + 6 * S);
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: true, remaining: 0 });
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: false });
      set(NOW + 24 * S);
      expect(await limiter.limit(KEY, 3)).toMatchObject({ allowed: true });
    });

    test("above the limit may pass at once too", async () => {
      const { backend, set } = make();
      const limiter = limiterOf(backend, { burst: 25 });
      expect(await limiter.limit(KEY, 25)).toMatchObject({ allowed: true, remaining: 0, resetMs: 150_000 });
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 6000 });
      set(NOW + 60 * S);
      expect(await limiter.peek(KEY)).toMatchObject({ remaining: 10, resetMs: 90_000 });
    });
  });

  test("a cost above the burst is denied for ever, and changes nothing", async () => {
    const { backend, get } = make();
    for (const [limiter, cost] of [
      [limiterOf(backend), 11],
      [limiterOf(backend, { burst: 3 }), 4],
      [limiterOf(backend), Number.MAX_SAFE_INTEGER],
    ] as const) {
      const denied = { allowed: false, remaining: limiter.burst, retryAfterMs: Infinity, resetMs: 0 };
      expect(await limiter.limit(KEY, cost)).toEqual(denied);
      expect(await limiter.peek(KEY, cost)).toEqual(denied);
      expect(await limiter.limitOrWait(KEY, { cost, maxWaitMs: 2 ** 31 - 1 })).toEqual(denied);
    }
    expect(get()).toBe(undefined);
    const limiter = limiterOf(backend);
    await limiter.limit(KEY, 4);
    expect(await limiter.limit(KEY, 11)).toMatchObject({ allowed: false, remaining: 6, resetMs: 24_000 });
  });

  describe("peek", () => {
    test("returns the decision of limit, with the quota as it is, and changes nothing", async () => {
      const { backend, set, get } = make();
      const limiter = limiterOf(backend);
      expect(await limiter.peek(KEY)).toEqual({ allowed: true, remaining: 10, retryAfterMs: 0, resetMs: 0 });
      expect(get()).toBe(undefined);
      await limiter.limit(KEY, 7);
      const tat = get();
      for (let again = 0; again < 2; again++) {
        expect(await limiter.peek(KEY, 3)).toEqual({
          allowed: true,
          remaining: 3,
          retryAfterMs: 0,
          resetMs: 42_000,
        });
        expect(await limiter.peek(KEY, 4)).toEqual({
          allowed: false,
          remaining: 3,
          retryAfterMs: 6000,
          resetMs: 42_000,
        });
      }
      set(NOW + 41 * S + 999_000);
      expect(await limiter.peek(KEY)).toMatchObject({ remaining: 9, resetMs: 1 });
      set(NOW + 42 * S);
      expect(await limiter.peek(KEY)).toMatchObject({ remaining: 10, resetMs: 0 });
      expect(get()).toBe(tat);
    });

    test("shows a TAT that is implausibly far ahead as the next call would, and does not pull it back", async () => {
      const { backend, put, get } = make();
      put(NOW + 86_400 * S);
      const limiter = limiterOf(backend);
      expect(await limiter.peek(KEY)).toEqual({
        allowed: false,
        remaining: 0,
        retryAfterMs: 6000,
        resetMs: 60_000,
      });
      expect(get()).toBe(NOW + 86_400 * S);
    });
  });

  describe("reset", () => {
    test("gives the whole quota and ends a block, of this key alone", async () => {
      const { backend } = make();
      const limiter = limiterOf(backend);
      await limiter.reset("unknown");
      for (const key of [KEY, "bob"]) {
        await limiter.limit(key, 10);
        await limiter.block(key, 3_600_000);
      }
      await limiter.reset(KEY);
      expect(await limiter.peek(KEY)).toEqual({ allowed: true, remaining: 10, retryAfterMs: 0, resetMs: 0 });
      expect(await limiter.limit(KEY, 10)).toMatchObject({ allowed: true });
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 6000 });
      expect(await limiter.limit("bob")).toMatchObject({ allowed: false, retryAfterMs: 3_600_000 });
    });
  });

  describe("refund", () => {
    test("of a decision gives back its cost, once", async () => {
      const { backend } = make();
      const limiter = limiterOf(backend);
      const first = await limiter.limit(KEY, 4);
      await limiter.limit(KEY, 2);
      await Promise.all([limiter.refund(first), limiter.refund(first), limiter.refund(first)]);
      expect(await limiter.peek(KEY)).toMatchObject({ remaining: 8, resetMs: 12_000 });
      await limiter.refund(first, 2);
      expect((await limiter.peek(KEY)).remaining).toBe(8);
    });

    test("of a decision in parts gives back no more than it took", async () => {
      const { backend } = make();
      const limiter = limiterOf(backend);
      const decision = await limiter.limit(KEY, 7);
      await limiter.limit(KEY, 3);
      await limiter.refund(decision, 2);
      expect((await limiter.peek(KEY)).remaining).toBe(2);
      await limiter.refund(decision, 4);
      expect((await limiter.peek(KEY)).remaining).toBe(6);
      await limiter.refund(decision, 4);
      expect((await limiter.peek(KEY)).remaining).toBe(7);
    });

    test("of a decision gives back only what time has not given back", async () => {
      const { backend, set } = make();
      const limiter = limiterOf(backend);
      const decision = await limiter.limit(KEY, 2);
      // 3 of its 12 s are left. The quota of another call is not touched.
      set(NOW + 9 * S);
      await limiter.limit(KEY, 4);
      await limiter.refund(decision);
      expect(await limiter.peek(KEY)).toMatchObject({ resetMs: 24_000 });
      const late = await limiter.limit(KEY);
      set(NOW + 39 * S);
      await limiter.limit(KEY, 10);
      await limiter.refund(late);
      expect(await limiter.peek(KEY)).toMatchObject({ remaining: 0, resetMs: 60_000 });
    });

    test("of a decision in parts gives back less of it as time passes", async () => {
      const { backend, set } = make();
      const limiter = limiterOf(backend);
      const decision = await limiter.limit(KEY, 7);
      await limiter.refund(decision, 2);
      // The 5 that are left were given back by now.
      set(NOW + 36 * S);
      await limiter.limit(KEY, 10);
      await limiter.refund(decision);
      expect(await limiter.peek(KEY)).toMatchObject({ remaining: 0, resetMs: 60_000 });
    });

    test("of a decision that took nothing changes nothing", async () => {
      const { backend } = make();
      const limiter = limiterOf(backend);
      await limiter.limit(KEY, 10);
      for (const decision of [
        await limiter.limit(KEY),
        await limiter.limit(KEY, 11),
        await limiter.peek("bob"),
      ]) {
        await limiter.refund(decision);
      }
      expect((await limiter.peek(KEY)).remaining).toBe(0);
    });

    test("of a key gives back its cost, and never more than the whole quota", async () => {
      const { backend, set, get } = make();
      const limiter = limiterOf(backend, { burst: 5 });
      await limiter.refund(KEY);
      expect(get()).toBe(undefined);
      await limiter.limit(KEY, 5);
      await limiter.refund(KEY);
      await limiter.refund(KEY, 2);
      expect(await limiter.peek(KEY)).toMatchObject({ remaining: 3, resetMs: 12_000 });
      await limiter.refund(KEY, Number.MAX_SAFE_INTEGER);
      expect(await limiter.peek(KEY)).toMatchObject({ remaining: 5, resetMs: 0 });
      set(NOW + 1000 * S);
      await limiter.refund(KEY, 5);
      expect(await limiter.limit(KEY, 5)).toMatchObject({ allowed: true, resetMs: 30_000 });
      expect((await limiter.limit(KEY)).allowed).toBe(false);
    });

    test("does not end a block", async () => {
      const { backend } = make();
      const limiter = limiterOf(backend);
      const decision = await limiter.limit(KEY);
      await limiter.block(KEY, 1000);
      await limiter.refund(decision);
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, blockedMs: 1000 });
    });
  });

  describe("block", () => {
    test("denies a key until it ends, and no other key", async () => {
      const { backend, set } = make();
      const limiter = limiterOf(backend);
      await limiter.block(KEY, 5000);
      const denied = {
        allowed: false,
        remaining: 0,
        retryAfterMs: 5000,
        resetMs: 5000,
        blockedMs: 5000,
      };
      expect(await limiter.limit(KEY)).toEqual(denied);
      expect(await limiter.peek(KEY)).toEqual(denied);
      expect((await limiter.limit("bob")).allowed).toBe(true);
      expect((await limiterOf(backend, { name: "web" }).limit(KEY)).allowed).toBe(true);
      set(NOW + 5 * S - 1000);
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 1, blockedMs: 1 });
      set(NOW + 5 * S);
      expect(await limiter.limit(KEY)).toEqual({
        allowed: true,
        remaining: 9,
        retryAfterMs: 0,
        resetMs: 6000,
      });
    });

    test("is never shortened, and may be much longer than the window", async () => {
      const { backend, set } = make();
      const limiter = limiterOf(backend, { windowMs: 1000 });
      await limiter.block(KEY, 86_400_000);
      await limiter.block(KEY, 1000);
      await limiter.limit(KEY);
      expect(await limiter.limit(KEY)).toMatchObject({ blockedMs: 86_400_000 });
      set(NOW + 3600 * S);
      await limiter.block(KEY, 86_400_000);
      expect(await limiter.limit(KEY)).toMatchObject({ blockedMs: 86_400_000 });
      await limiter.block(KEY, 2 ** 31 - 1);
      expect(await limiter.limit(KEY)).toMatchObject({ retryAfterMs: 2 ** 31 - 1 });
    });

    test("lets the quota come back meanwhile, and no faster", async () => {
      const { backend, set } = make();
      const limiter = limiterOf(backend);
      await limiter.limit(KEY, 10);
      await limiter.block(KEY, 3000);
      expect(await limiter.limit(KEY)).toEqual({
        allowed: false,
        remaining: 0,
        retryAfterMs: 6000,
        resetMs: 60_000,
        blockedMs: 3000,
      });
      expect(await limiter.limit(KEY, 5)).toMatchObject({ retryAfterMs: 30_000 });
      set(NOW + 3 * S);
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 3000 });
      await limiter.block(KEY, 57_000);
      set(NOW + 60 * S);
      expect(await limiter.limit(KEY, 10)).toMatchObject({ allowed: true });
    });

    test("outlasts a TAT that has passed", async () => {
      const { backend, set } = make();
      const limiter = limiterOf(backend);
      await limiter.limit(KEY);
      await limiter.block(KEY, 3_600_000);
      set(NOW + 600 * S);
      // Each of these calls may delete what has ended.
      for (let call = 0; call < 250; call++) await limiter.limit("bob");
      expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 3_000_000 });
    });

    test("stays when a TAT that is implausibly far ahead is pulled back", async () => {
      const { backend, put, get } = make();
      const limiter = limiterOf(backend);
      put(NOW + 86_400 * S);
      await limiter.block(KEY, 1000);
      expect(await limiter.limit(KEY)).toMatchObject({ blockedMs: 1000, retryAfterMs: 6000 });
      expect(get()).toBe(NOW + 60 * S);
      expect(await limiter.limit(KEY)).toMatchObject({ blockedMs: 1000 });
    });
  });

  test("every operation does as the rule, in any order", async () => {
    const anyStep = fc.record({
      operation: fc.constantFrom("consume", "peek", "refund", "refund key", "block", "reset"),
      waitMs: fc.oneof(fc.constant(0), fc.nat(3000), fc.nat(100_000)),
      cost: fc.integer({ min: 1, max: 5 }),
      which: fc.nat(),
    });
    const gcra = gcraOf(10, 60_000, 5);
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 25, size: "max" }), async (steps) => {
        const { backend, set, get } = make();
        const store = rateLimitPort(backend, "api", gcra);
        let now = NOW;
        let tat: number | undefined;
        let blockedUntil: number | undefined;
        const tats = [NOW];
        for (const { operation, waitMs, cost, which } of steps) {
          now += waitMs * 1000;
          set(now);
          const costUs = cost * gcra.interval;
          if (operation === "consume") {
            const wanted = consume(gcra, costUs, tat, now, undefined, blockedUntil);
            expect(await store.consume(KEY, costUs)).toEqual(wanted);
            if (isChange(wanted, tat)) tat = wanted.tat;
            tats.push(wanted.tat);
          } else if (operation === "peek") {
            expect(await store.peek(KEY, costUs)).toEqual(
              peek(gcra, costUs, tat, now, undefined, blockedUntil),
            );
          } else if (operation === "block") {
            await store.block(KEY, waitMs * 1000 + 1000);
            blockedUntil = block(blockedUntil, waitMs * 1000 + 1000, now);
          } else if (operation === "reset") {
            await store.reset(KEY);
            [tat, blockedUntil] = [undefined, undefined];
          } else {
            const callTat = operation === "refund" ? tats[which % tats.length] : Number.MAX_SAFE_INTEGER;
            await store.refund(KEY, costUs, callTat);
            tat = refund(tat, costUs, callTat, now);
          }
          // What has ended may be stored in any way.
          if ((tat ?? 0) > now) expect(get()).toBe(tat);
          else expect(get() ?? 0).toBeLessThanOrEqual(now);
        }
      }),
      { numRuns: 200 },
    );
  });
});

test("cells are written only when a call counts, and a key is blocked, refunded or reset", async () => {
  const backend = memoryCells();
  const limiter = limiterOf(backend);
  const writes = () => backend.calls.splice(0).filter((call) => call.startsWith("swap")).length;
  const decision = await limiter.limit(KEY, 10);
  expect(writes()).toBe(1);
  await limiter.limit(KEY);
  await limiter.peek(KEY);
  await limiter.refund("unknown");
  await limiter.reset("unknown");
  expect(writes()).toBe(0);
  await limiter.block("unused", 1000);
  await limiter.block(KEY, 1000);
  expect(writes()).toBe(2);
  for (const key of [KEY, "unused"]) await limiter.limit(key);
  expect(writes()).toBe(0);
  await limiter.refund(decision);
  await limiter.reset("unused");
  expect(writes()).toBe(2);
  await limiter.reset("unused");
  expect(writes()).toBe(0);
  expect(backend.values()).toEqual({
    "bitflake:rate:api:ada": `${NOW} ${NOW + S}`,
    "bitflake:rate:api:unused": "0",
  });
});

test("a refund in memory of an ended key leaves it to be deleted", async () => {
  const backend = memory({ clock: () => NOW / 1000 });
  const limiter = limiterOf(backend);
  await limiter.limit("ended");
  await limiter.refund("ended");
  await limiter.limit(KEY);
  type Entries = Map<string, unknown>;
  const keys = backend.change<Entries, string[]>("rate:api", (entries = new Map()) => [
    entries,
    [...entries.keys()],
  ]);
  expect(keys).toEqual([KEY]);
});

describe("a wrong argument is refused before the store is called", () => {
  const backend: Backend = { eval: () => Promise.reject(new Error("called")) };
  const limiter = limiterOf(backend);

  test.each<[string, () => Promise<unknown>]>([
    ["key", () => limiter.peek("")],
    ["key", () => limiter.block("", 1)],
    ["key", () => limiter.reset("\0")],
    ["key", () => limiter.limitOrWait("", { maxWaitMs: 1 })],
    ["cost", () => limiter.peek(KEY, 0)],
    ["cost", () => limiter.refund(KEY, 0)],
    ["cost", () => limiter.refund(KEY, 1.5)],
    ["cost", () => limiter.limitOrWait(KEY, { maxWaitMs: 1, cost: -1 })],
    ["call", () => limiter.refund("")],
    ["call", () => limiter.refund({ allowed: true, remaining: 1, retryAfterMs: 0, resetMs: 1 })],
    ["call", () => limiter.refund(undefined as unknown as string)],
    ["call", () => limiter.refund(7 as unknown as string)],
    ["forMs", () => limiter.block(KEY, 0)],
    ["forMs", () => limiter.block(KEY, 2 ** 31)],
    ["forMs", () => limiter.block(KEY, undefined as unknown as number)],
    ["maxWaitMs", () => limiter.limitOrWait(KEY, { maxWaitMs: -1 })],
    ["maxWaitMs", () => limiter.limitOrWait(KEY, { maxWaitMs: Infinity })],
    ["maxWaitMs", () => limiter.limitOrWait(KEY, {} as { maxWaitMs: number })],
    ["options", () => limiter.limitOrWait(KEY, 100 as unknown as { maxWaitMs: number })],
    ["option", () => limiter.limitOrWait(KEY, { maxWaitMs: 1, waitMs: 2 } as { maxWaitMs: number })],
    [
      "signal.throwIfAborted",
      () => limiter.limitOrWait(KEY, { maxWaitMs: 1, signal: {} as unknown as AbortSignal }),
    ],
  ])("%s", async (field, call) => {
    const error = await call().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field });
  });

  test("a decision of another limit is refused", async () => {
    const other = limiterOf(memory());
    await expect(limiter.refund(await other.limit(KEY))).rejects.toMatchObject({ field: "call" });
  });
});

describe("a store that fails", () => {
  const broken: Backend = { eval: () => Promise.reject(new Error("connection refused")) };
  const changes = (limiter: RateLimit): [string, () => Promise<void>][] => [
    ["ratelimit: refund", () => limiter.refund(KEY)],
    ["ratelimit: block", () => limiter.block(KEY, 1000)],
    ["ratelimit: reset", () => limiter.reset(KEY)],
  ];

  test("fails refunds, blocks, resets and peeks, or they are lost if onStoreError is allow", async () => {
    const failing = limiterOf(broken);
    for (const [operation, change] of changes(failing)) {
      const error = await change().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(BackendError);
      expect(error).toMatchObject({ operation, reason: "failed" });
    }
    await expect(failing.peek(KEY)).rejects.toMatchObject({ operation: "ratelimit: peek" });
    const allowing = limiterOf(broken, { onStoreError: "allow" });
    for (const [, change] of changes(allowing)) expect(await change()).toBe(undefined);
    expect(await allowing.peek(KEY)).toMatchObject({ allowed: true, error: { reason: "failed" } });
    await allowing.refund(await allowing.limit(KEY));
  });

  test.each([undefined, null, 1, "", "done ", "ok", "key 1 2", "key 1 2 -3", "key x 2 3", {}])(
    "includes the answer %j",
    async (answer) => {
      const limiter = limiterOf({ eval: async () => answer });
      for (const [, change] of changes(limiter))
        await expect(change()).rejects.toMatchObject({ reason: "answer" });
      await expect(limiter.peek(KEY)).rejects.toMatchObject({ reason: "answer" });
    },
  );

  test("is replaced by an insurance, in every operation", async () => {
    const backend = memory({ clock: () => 0 });
    const insurance = limiterOf(backend, { name: "insurance", limit: 2 });
    const limiter = limiterOf(broken, { insurance });
    const decision = await limiter.limit(KEY);
    expect(decision).toMatchObject({ allowed: true, remaining: 1, error: { reason: "failed" } });
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 30_000 });
    expect(await limiter.peek(KEY)).toMatchObject({ allowed: false, error: { reason: "failed" } });
    await limiter.refund(decision);
    await limiter.refund(decision);
    expect(await limiter.peek(KEY)).toMatchObject({ remaining: 1 });
    await limiter.refund(KEY);
    expect(await limiter.peek(KEY)).toMatchObject({ remaining: 2 });
    await limiter.block(KEY, 1000);
    expect(await limiter.peek(KEY)).toMatchObject({ blockedMs: 1000 });
    await limiter.reset(KEY);
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: true, remaining: 1 });
    // An argument that is not valid is not a failure of the store.
    await expect(limiter.limit("")).rejects.toBeInstanceOf(ArgumentError);
  });

  test("and an insurance that fails too are decided by onStoreError", async () => {
    const insurance = limiterOf(broken);
    const failing = limiterOf(broken, { insurance });
    await expect(failing.limit(KEY)).rejects.toBeInstanceOf(BackendError);
    await expect(failing.reset(KEY)).rejects.toBeInstanceOf(BackendError);
    const allowing = limiterOf(broken, { insurance, onStoreError: "allow" });
    expect(await allowing.limit(KEY)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await allowing.reset(KEY)).toBe(undefined);
  });

  test("gets no call through the insurance when it works", async () => {
    const insurance = limiterOf(broken);
    const limiter = limiterOf(memory(), { insurance });
    const decision = await limiter.limit(KEY);
    expect(decision.error).toBe(undefined);
    await limiter.refund(decision);
    expect((await limiter.peek(KEY)).remaining).toBe(10);
  });
});

describe("shadow", () => {
  test("counts as the limit does, and allows all calls", async () => {
    const backend = memory({ clock: () => 0 });
    const limiter = limiterOf(backend, { shadow: true });
    expect(await limiter.limit(KEY, 10)).toEqual({
      allowed: true,
      remaining: 0,
      retryAfterMs: 0,
      resetMs: 60_000,
    });
    const passed = { allowed: true, wouldDeny: true, remaining: 0, retryAfterMs: 6000, resetMs: 60_000 };
    const denied = await limiter.limit(KEY);
    expect(denied).toEqual(passed);
    expect(await limiter.peek(KEY)).toEqual(passed);
    expect(await limiter.limitOrWait(KEY, { maxWaitMs: 0 })).toEqual(passed);
    await limiter.refund(denied);
    expect(await limiterOf(backend).peek(KEY)).toMatchObject({ allowed: false, resetMs: 60_000 });
    expect(await limiter.limit(KEY, 11)).toMatchObject({ allowed: true, wouldDeny: true });
  });

  test("allows calls while the store fails", async () => {
    const limiter = limiterOf(
      { eval: () => Promise.reject(new Error("connection refused")) },
      { shadow: true },
    );
    const decision = await limiter.limit(KEY);
    expect(decision).toMatchObject({ allowed: true, error: { reason: "failed" } });
    expect(decision.wouldDeny).toBe(undefined);
    await limiter.reset(KEY);
  });
});

test("memory deletes blocks that have ended", async () => {
  let now = 0;
  const backend = memory({ clock: () => now });
  const limiter = limiterOf(backend);
  await limiter.block("long", 86_400_000);
  for (let call = 0; call < 10_000; call++) {
    await limiter.block(`client ${call}`, 1000);
    now += 10;
  }
  type Blocks = { readonly ends: Map<string, number> };
  const size = backend.change<Blocks, number>("block:api", (blocks) => [
    blocks as Blocks,
    blocks?.ends.size ?? 0,
  ]);
  expect(size).toBeLessThan(300);
  expect((await limiter.limit("long")).allowed).toBe(false);
});

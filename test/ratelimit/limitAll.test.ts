// RateLimit.limitAll: all limits count a call, or none does, in one step or one after the other.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Backend, memory } from "../../src/backend/index.ts";
import {
  ArgumentError,
  BackendError,
  type LimitCall,
  RateLimit,
  type RateLimitOptions,
} from "../../src/ratelimit/index.ts";
import { NOW } from "./arbitraries.ts";
import { FakeRedis } from "./fakePorts.ts";
import { allFixtures } from "./fixtures.ts";

const S = 1_000_000;

const limiterOf = (backend: Backend, name: string, limit: number, more: Partial<RateLimitOptions> = {}) =>
  new RateLimit({ backend, name, limit, windowMs: 60_000, ...more });

beforeEach(() => {
  vi.useFakeTimers({ now: NOW / 1000, toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each(allFixtures)("on %s", (_, make) => {
  test("counts a call in all limits, and the strictest one speaks", async () => {
    const { backend, set } = make();
    const [address, account] = [limiterOf(backend, "address", 10), limiterOf(backend, "account", 3)];
    const calls = [
      { limiter: address, key: "192.0.2.7" },
      { limiter: account, key: "ada", cost: 2 },
    ];
    const allowed = await RateLimit.limitAll(calls);
    expect(allowed).toEqual({
      allowed: true,
      remaining: 1,
      retryAfterMs: 0,
      resetMs: 40_000,
      limiter: account,
      decisions: [
        { allowed: true, remaining: 9, retryAfterMs: 0, resetMs: 6000 },
        { allowed: true, remaining: 1, retryAfterMs: 0, resetMs: 40_000 },
      ],
    });
    const denied = await RateLimit.limitAll(calls);
    expect(denied).toMatchObject({ allowed: false, remaining: 1, retryAfterMs: 20_000, limiter: account });
    expect((await address.peek("192.0.2.7")).remaining).toBe(9);
    set(NOW + 20 * S);
    expect((await RateLimit.limitAll(calls)).allowed).toBe(true);
    await address.limit("192.0.2.7", 9);
    const both = await RateLimit.limitAll(calls);
    expect(both).toMatchObject({ allowed: false, limiter: account, retryAfterMs: 40_000 });
    expect(both.limiter.name).toBe("account");
  });

  test("its decisions can be refunded, and those of a denied call give nothing back", async () => {
    const { backend } = make();
    const [one, two] = [limiterOf(backend, "one", 5), limiterOf(backend, "two", 1)];
    const calls = [
      { limiter: one, key: "ada" },
      { limiter: two, key: "ada" },
    ];
    const { decisions } = await RateLimit.limitAll(calls);
    const denied = await RateLimit.limitAll(calls);
    expect(denied.allowed).toBe(false);
    for (const decision of denied.decisions) if (decision) await one.refund(decision).catch(() => {});
    expect((await one.peek("ada")).remaining).toBe(4);
    for (const [at, limiter] of [one, two].entries()) await limiter.refund(decisions[at] ?? "nothing");
    expect((await one.peek("ada")).remaining).toBe(5);
    expect((await RateLimit.limitAll(calls)).allowed).toBe(true);
  });

  test("a block or a cost above the burst denies it, and takes nothing", async () => {
    const { backend } = make();
    const [one, two] = [limiterOf(backend, "one", 5), limiterOf(backend, "two", 5)];
    await two.block("bob", 1000);
    expect(
      await RateLimit.limitAll([
        { limiter: one, key: "ada" },
        { limiter: two, key: "bob" },
      ]),
    ).toMatchObject({ allowed: false, blockedMs: 1000, limiter: two });
    expect(
      await RateLimit.limitAll([
        { limiter: one, key: "ada" },
        { limiter: two, key: "ada", cost: 6 },
      ]),
    ).toMatchObject({ allowed: false, retryAfterMs: Infinity, limiter: two });
    expect((await one.peek("ada")).remaining).toBe(5);
  });

  test("concurrent calls pass as often as the strictest limit allows, whatever it is listed as", async () => {
    const { backend } = make();
    const [strict, loose] = [limiterOf(backend, "strict", 7), limiterOf(backend, "loose", 200)];
    const calls = [
      { limiter: strict, key: "ada" },
      { limiter: loose, key: "192.0.2.7" },
    ];
    for (const [listed, key] of [
      [calls, "192.0.2.7"],
      [[{ limiter: loose, key: "192.0.2.8" }, calls[0]], "192.0.2.8"],
    ] as const) {
      await strict.reset("ada");
      const decisions = await Promise.all(Array.from({ length: 50 }, () => RateLimit.limitAll(listed)));
      expect(decisions.filter(({ allowed }) => allowed).length).toBe(7);
      expect((await loose.peek(key)).remaining).toBe(193);
    }
  });
});

describe("one step", () => {
  test("on Redis is one script", async () => {
    const backend = new FakeRedis();
    const calls = ["one", "two", "three"].map((name) => ({
      limiter: limiterOf(backend, name, 5),
      key: `key of ${name}`,
    }));
    await RateLimit.limitAll(calls);
    expect(backend.sent.map(({ operation }) => operation)).toEqual(["consume"]);
    expect(backend.sent[0].keys.length).toBe(3);
  });

  test("on a cluster is one script for one key, and otherwise one call for each limit in turn", async () => {
    const backend = new FakeRedis();
    backend.isCluster = true;
    const [one, two] = [limiterOf(backend, "one", 5), limiterOf(backend, "two", 1)];
    const both = (first: string, second: string) =>
      RateLimit.limitAll([
        { limiter: one, key: first },
        { limiter: two, key: second },
      ]);
    const sent = () => backend.sent.splice(0).map(({ operation, keys }) => `${operation} ${keys.length}`);
    expect((await both("ada", "ada")).allowed).toBe(true);
    expect(sent()).toEqual(["consume 2"]);
    expect((await both("a", "b")).allowed).toBe(true);
    expect(sent()).toEqual(["consume 2", "consume 1", "consume 1"]);
    // Now it is known to be a cluster.
    expect((await both("a", "b")).allowed).toBe(false);
    expect(sent()).toEqual(["consume 1", "consume 1", "refund 1"]);
    expect((await one.peek("a")).remaining).toBe(4);
    sent();
    await one.limit("a", 4);
    expect(await both("a", "b")).toMatchObject({ allowed: false, limiter: two, retryAfterMs: 60_000 });
    expect(sent()).toEqual(["consume 1", "consume 1", "peek 1"]);
    expect((await both("}x", "}x")).allowed).toBe(true);
    expect(sent()).toEqual(["consume 1", "consume 1"]);
    expect((await both("bob", "bob")).allowed).toBe(true);
    expect(sent()).toEqual(["consume 2"]);
  });

  test.each<[string, string]>([
    ["too few", `allowed ${NOW + 12 * S} ${NOW}`],
    [
      "too many",
      Array(3)
        .fill(`allowed ${NOW + 12 * S} ${NOW}`)
        .join(","),
    ],
    ["a denial although both have quota", `allowed ${NOW} ${NOW},denied ${NOW} ${NOW}`],
    [
      "a denial, and a call that was counted beyond the limit",
      `allowed ${NOW + 60 * S} ${NOW},denied ${NOW + 60 * S} ${NOW}`,
    ],
    ["a call that was not counted", `allowed ${NOW + 12 * S} ${NOW},allowed ${NOW} ${NOW}`],
  ])("an answer is unexpected: %s", async (_title, answer) => {
    const backend = new FakeRedis();
    const calls = ["one", "two"].map((name) => ({ limiter: limiterOf(backend, name, 5), key: "ada" }));
    backend.plan.push(() => answer);
    await expect(RateLimit.limitAll(calls)).rejects.toMatchObject({ reason: "answer" });
  });
});

describe("one after the other", () => {
  test("are limits of several backends, and those with shadow", async () => {
    const [one, two] = [limiterOf(memory(), "one", 5), limiterOf(new FakeRedis(), "two", 1)];
    const shadow = limiterOf(one.backend, "shadow", 1, { shadow: true });
    const calls = [one, shadow, two].map((limiter) => ({ limiter, key: "ada" }));
    expect((await RateLimit.limitAll(calls)).allowed).toBe(true);
    expect(await RateLimit.limitAll(calls)).toMatchObject({ allowed: false, limiter: two });
    expect((await one.peek("ada")).remaining).toBe(4);
    await two.reset("ada");
    const passed = await RateLimit.limitAll(calls);
    expect(passed.allowed).toBe(true);
    expect(passed.decisions[1]).toMatchObject({ allowed: true, wouldDeny: true });
  });

  test("if one fails, the quota of the others is given back, and the error is thrown", async () => {
    const one = limiterOf(memory(), "one", 5);
    const broken = limiterOf({ eval: () => Promise.reject(new Error("down")) }, "two", 5);
    const calls = [one, broken].map((limiter) => ({ limiter, key: "ada" }));
    await expect(RateLimit.limitAll(calls)).rejects.toBeInstanceOf(BackendError);
    expect((await one.peek("ada")).remaining).toBe(5);
  });

  test("a refund that fails loses quota, and the denial stays", async () => {
    const backend = new FakeRedis();
    const [one, two] = [limiterOf(backend, "one", 5), limiterOf(memory(), "two", 1)];
    await two.limit("ada");
    backend.plan.push(
      () => `allowed ${NOW + 12 * S} ${NOW}`,
      () => {
        throw new Error("down");
      },
    );
    const calls = [one, two].map((limiter) => ({ limiter, key: "ada" }));
    expect(await RateLimit.limitAll(calls)).toMatchObject({ allowed: false, limiter: two });
  });
});

describe("a store that fails", () => {
  const broken: Backend = { eval: () => Promise.reject(new Error("down")) };

  test("gets one call, and each limit does as its options say", async () => {
    let evals = 0;
    const backend: Backend = {
      eval: () => {
        evals++;
        return Promise.reject(new Error("down"));
      },
    };
    const insurance = limiterOf(memory(), "insurance", 2);
    const insured = limiterOf(backend, "insured", 5, { insurance });
    const allowing = limiterOf(backend, "allowing", 5, { onStoreError: "allow" });
    const calls = [insured, allowing].map((limiter) => ({ limiter, key: "ada" }));
    expect(await RateLimit.limitAll(calls)).toMatchObject({ allowed: true, error: { reason: "failed" } });
    expect(evals).toBe(1);
    await RateLimit.limitAll(calls);
    expect(await RateLimit.limitAll(calls)).toMatchObject({
      allowed: false,
      limiter: insured,
      retryAfterMs: 30_000,
    });
  });

  test("fails the call if one limit fails, and the insurance of the others takes its quota back", async () => {
    const insurance = limiterOf(memory(), "insurance", 2);
    const calls = [
      { limiter: limiterOf(broken, "one", 5, { insurance }), key: "ada" },
      { limiter: limiterOf(broken, "two", 5), key: "ada" },
    ];
    await expect(RateLimit.limitAll(calls)).rejects.toBeInstanceOf(BackendError);
    expect((await insurance.peek("ada")).remaining).toBe(2);
  });

  test("and passes calls does not speak for the others", async () => {
    const limiter = limiterOf(memory(), "one", 5);
    const allowing = limiterOf(broken, "two", 5, { onStoreError: "allow" });
    const calls = [allowing, limiter].map((each) => ({ limiter: each, key: "ada" }));
    expect(await RateLimit.limitAll(calls)).toMatchObject({ allowed: true, remaining: 4, limiter });
  });
});

test("the denial that lasts longest speaks, then the lowest remaining, then the latest reset", async () => {
  const backend = memory({ clock: () => 0 });
  const call = (name: string, limit: number, windowMs: number): LimitCall => ({
    limiter: new RateLimit({ backend, name, limit, windowMs }),
    key: "ada",
  });
  const nameOf = async (calls: LimitCall[]) => (await RateLimit.limitAll(calls)).limiter.name;
  const [short, long] = [call("short", 2, 1000), call("long", 2, 60_000)];
  expect(await nameOf([short, long])).toBe("long");
  expect(await nameOf([long, short])).toBe("long");
  expect(await nameOf([short, long])).toBe("long");
  expect(await nameOf([long, short])).toBe("long");
  expect(await nameOf([call("wide", 9, 60_000), call("narrow", 8, 1000)])).toBe("narrow");
});

test("calls that are not valid are refused", async () => {
  const limiter = limiterOf(memory(), "api", 5);
  const good = { limiter, key: "ada" };
  for (const [field, calls] of [
    ["calls", []],
    ["calls", undefined],
    ["calls", good],
    ["calls[0]", [null]],
    ["calls[0].limiter", [{ key: "ada" }]],
    ["calls[0].limiter", [{ limiter: { limit: () => {} }, key: "ada" }]],
    ["calls[1].key", [good, { limiter }]],
    ["calls[1].key", [good, { limiter, key: "" }]],
    ["calls[0].cost", [{ ...good, cost: 0 }]],
    ["a name in calls[0]", [{ ...good, price: 1 }]],
    ["calls[1]", [good, { ...good, cost: 2 }]],
    ["calls[1]", [good, { limiter: limiterOf(limiter.backend, "api", 9), key: "ada" }]],
  ] as const) {
    const error = await RateLimit.limitAll(calls as unknown as LimitCall[]).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ field });
  }
  expect((await limiter.peek("ada")).remaining).toBe(5);
  // The same name and key on another backend is another key.
  expect(
    (await RateLimit.limitAll([good, { limiter: limiterOf(memory(), "api", 5), key: "ada" }])).allowed,
  ).toBe(true);
});

test("in memory and on Redis, a call is counted by all limits or by none, whatever they have", async () => {
  const anyStep = fc.record({
    waitMs: fc.nat(20_000),
    costs: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 20 }), fc.boolean(), async (steps, onRedis) => {
      let now = NOW;
      const redis = new FakeRedis();
      const backend: Backend = onRedis ? redis : memory({ clock: () => now / 1000 });
      const limiters = [limiterOf(backend, "one", 6), limiterOf(backend, "two", 9, { burst: 7 })];
      for (const { waitMs, costs } of steps) {
        now += waitMs * 1000;
        redis.now = now;
        const calls = limiters.map((limiter, at) => ({ limiter, key: "ada", cost: costs[at] }));
        const peeked = await Promise.all(calls.map(({ limiter, key, cost }) => limiter.peek(key, cost)));
        const { allowed, decisions } = await RateLimit.limitAll(calls);
        expect(allowed).toBe(peeked.every((decision) => decision.allowed));
        const after = await Promise.all(limiters.map((limiter) => limiter.peek("ada")));
        for (const [at, { resetMs }] of after.entries()) {
          if (allowed) expect(decisions[at]?.resetMs).toBe(resetMs);
          else expect(peeked[at].resetMs).toBe(resetMs);
        }
      }
    }),
    { numRuns: 100 },
  );
});

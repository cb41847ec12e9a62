// Remembered denials: which calls reach the store, when a denial ends, and how it is forgotten.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { type ClockReading, Denials, MAX_DENIALS } from "../../src/ratelimit/denials.ts";
import { RateLimit, type RateLimitOptions } from "../../src/ratelimit/index.ts";
import { consume, gcraOf } from "../../src/ratelimit/rule.ts";
import { NOW } from "./arbitraries.ts";
import { FakeRedis } from "./fakePorts.ts";
import { KEY } from "./fixtures.ts";

const S = 1_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW / 1000, toFake: ["Date", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A store, and limits of 10 in 60 s on it that remember denials. */
function setUp(more: Partial<RateLimitOptions> = {}) {
  const backend = new FakeRedis();
  const make = (others: Partial<RateLimitOptions> = {}) =>
    new RateLimit({
      backend,
      name: "api",
      limit: 10,
      windowMs: 60_000,
      rememberDenials: true,
      ...more,
      ...others,
    });
  return {
    backend,
    make,
    limiter: make(),
    /** Moves the clocks of the process and of the store. */
    wait(ms: number) {
      vi.advanceTimersByTime(ms);
      backend.now += ms * 1000;
    },
    /** Returns the operations since the last time. */
    sent: () => backend.sent.splice(0).map(({ operation }) => operation),
  };
}

describe("a remembered denial", () => {
  test("answers calls without the store, with the times of their moment", async () => {
    const { limiter, sent, wait } = setUp();
    await limiter.limit(KEY, 10);
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 6000 });
    expect(sent()).toEqual(["consume", "consume"]);
    for (let flood = 0; flood < 100; flood++) {
      expect(await limiter.limit(KEY)).toEqual({
        allowed: false,
        remaining: 0,
        retryAfterMs: 6000,
        resetMs: 60_000,
      });
    }
    wait(1500);
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, retryAfterMs: 4500, resetMs: 58_500 });
    expect(sent()).toEqual([]);
  });

  test("ends when the store would allow a call, and not for others' keys", async () => {
    const { limiter, sent, wait } = setUp();
    await limiter.limit(KEY, 10);
    await limiter.limit(KEY);
    sent();
    wait(5999);
    expect((await limiter.limit(KEY)).allowed).toBe(false);
    expect(sent()).toEqual([]);
    wait(1);
    expect((await limiter.limit(KEY)).allowed).toBe(true);
    expect((await limiter.limit("bob")).allowed).toBe(true);
    expect(sent()).toEqual(["consume", "consume"]);
  });

  test("of a high cost does not deny a lower one", async () => {
    const { limiter, sent } = setUp();
    await limiter.limit(KEY, 8);
    expect((await limiter.limit(KEY, 5)).allowed).toBe(false);
    sent();
    expect(await limiter.limit(KEY, 4)).toMatchObject({ allowed: false, remaining: 2, retryAfterMs: 12_000 });
    expect(sent()).toEqual([]);
    expect((await limiter.limit(KEY, 2)).allowed).toBe(true);
    expect(sent()).toEqual(["consume"]);
  });

  test("of a block lasts as long as the block", async () => {
    const { limiter, sent, wait } = setUp();
    await limiter.block(KEY, 3_600_000);
    await limiter.limit(KEY);
    sent();
    wait(3_599_999);
    expect(await limiter.limit(KEY)).toMatchObject({ allowed: false, blockedMs: 1, retryAfterMs: 1 });
    expect(sent()).toEqual([]);
    wait(1);
    expect((await limiter.limit(KEY)).allowed).toBe(true);
  });

  test("is forgotten by a reset or a refund, also of another limit of the name", async () => {
    for (const isSame of [true, false]) {
      for (const giveBack of [
        (limiter: RateLimit) => limiter.reset(KEY),
        (limiter: RateLimit) => limiter.refund(KEY, 2),
      ]) {
        const { limiter, make, sent } = setUp();
        await limiter.limit(KEY, 10);
        await limiter.limit(KEY);
        await giveBack(isSame ? limiter : make({ rememberDenials: false }));
        sent();
        expect((await limiter.limit(KEY)).allowed).toBe(true);
        expect(sent()).toEqual(["consume"]);
      }
    }
  });

  test("is forgotten by a reset that fails, because it may have been done", async () => {
    const { limiter, backend, sent } = setUp();
    await limiter.limit(KEY, 10);
    await limiter.limit(KEY);
    backend.plan.push(() => {
      backend.states.clear();
      throw new Error("connection lost");
    });
    await expect(limiter.reset(KEY)).rejects.toMatchObject({ reason: "failed" });
    sent();
    expect((await limiter.limit(KEY)).allowed).toBe(true);
  });

  test("is not remembered if a reset was faster than its answer", async () => {
    const { limiter, backend } = setUp();
    await limiter.limit(KEY, 10);
    let answer = (_: unknown) => {};
    backend.plan.push(() => new Promise((resolve) => (answer = resolve)));
    const denied = limiter.limit(KEY);
    await limiter.reset(KEY);
    answer(`denied ${NOW + 60 * S} ${NOW}`);
    expect((await denied).allowed).toBe(false);
    expect((await limiter.limit(KEY)).allowed).toBe(true);
  });

  test("counts in limitAll too, and then the store gets no call", async () => {
    const { limiter, make, sent, wait } = setUp();
    const other = make({ name: "other" });
    const calls = [
      { limiter: other, key: "192.0.2.7" },
      { limiter, key: KEY },
    ];
    await limiter.limit(KEY, 10);
    expect((await RateLimit.limitAll(calls)).allowed).toBe(false);
    sent();
    const denied = await RateLimit.limitAll(calls);
    expect(denied).toMatchObject({ allowed: false, retryAfterMs: 6000, limiter });
    expect(denied.decisions[0]).toBe(undefined);
    expect(sent()).toEqual([]);
    wait(6000);
    expect((await RateLimit.limitAll(calls)).allowed).toBe(true);
    expect(sent()).toEqual(["consume"]);
  });

  test("is none without the option, and none of memory, whose clock may be one of its own", async () => {
    const { make, sent } = setUp({ rememberDenials: false });
    const plain = make();
    await plain.limit(KEY, 10);
    for (let call = 0; call < 3; call++) await plain.limit(KEY);
    expect(sent().length).toBe(4);

    let now = 0;
    const options = { name: "api", limit: 1, windowMs: 1000, rememberDenials: true };
    const limiter = new RateLimit({ ...options, backend: memory({ clock: () => now }) });
    await limiter.limit(KEY);
    expect((await limiter.limit(KEY)).allowed).toBe(false);
    now = 1000;
    expect((await limiter.limit(KEY)).allowed).toBe(true);
  });
});

describe("Denials", () => {
  const gcra = gcraOf(10, 60_000);
  const reading = (ms: number): ClockReading => ({ steadyMs: ms, wallMs: ms });
  const denied = { allowed: false, tat: NOW + 60 * S, now: NOW };

  test("end in time if one of the clocks stood still or was set", () => {
    for (const [steadyMs, wallMs, isDenied] of [
      [5999, 5999, true],
      [6000, 0, false], // The wall clock was set back.
      [0, 6000, false], // The machine slept.
      [-1, -9_000_000, true],
    ] as const) {
      const denials = new Denials();
      denials.remember("api", KEY, denied, reading(0), 0);
      const recalled = denials.recall(gcra, "api", KEY, gcra.interval, { steadyMs, wallMs });
      expect(recalled !== undefined).toBe(isDenied);
    }
  });

  test("are at most so many, and the oldest is forgotten first", () => {
    const denials = new Denials();
    for (let at = 0; at < MAX_DENIALS; at++) denials.remember("api", `${at}`, denied, reading(0), 0);
    // Denied again, so it is not the oldest.
    denials.remember("api", "0", denied, reading(0), 0);
    denials.remember("api", "one more", denied, reading(0), 0);
    const isKnown = (key: string) =>
      denials.recall(gcra, "api", key, gcra.interval, reading(0)) !== undefined;
    expect(["0", "1", "2", "one more"].map(isKnown)).toEqual([true, false, true, true]);
  });

  test("separate names and keys", () => {
    const denials = new Denials();
    denials.remember("a", "b\nc", denied, reading(0), 0);
    for (const [name, key] of [
      ["a", "b"],
      ["b", "b\nc"],
      ["a", "c"],
    ]) {
      expect(denials.recall(gcra, name as string, key as string, gcra.interval, reading(0))).toBe(undefined);
    }
  });

  test("deny only what the store would deny, while quota is only taken there", () => {
    const anyStep = fc.record({
      waitUs: fc.nat(20 * S),
      cost: fc.integer({ min: 1, max: 10 }),
      isElsewhere: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), fc.nat(50_000), (steps, latencyUs) => {
        const denials = new Denials();
        let now = NOW;
        let tat: number | undefined;
        for (const { waitUs, cost, isElsewhere } of steps) {
          now += waitUs;
          const costUs = cost * gcra.interval;
          const sent = reading(now / 1000);
          const recalled = isElsewhere ? undefined : denials.recall(gcra, "api", KEY, costUs, sent);
          // The store reads its clock a little after the request is sent.
          now += latencyUs;
          const result = consume(gcra, costUs, tat, now);
          if (recalled) {
            // At the moment of the recall, and not of the answer that the store would have given.
            expect(consume(gcra, costUs, tat, now - latencyUs).allowed).toBe(false);
            continue;
          }
          tat = result.tat;
          if (!isElsewhere && !result.allowed) denials.remember("api", KEY, result, sent, 0);
        }
      }),
    );
  });
});

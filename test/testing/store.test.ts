// testStore: every feature follows the clock that the test moves.

import { describe, expect, test } from "vitest";
import { Counter } from "../../src/counter/index.ts";
import { Idempotency } from "../../src/idempotency/index.ts";
import { LeaseExpiredError, leaseNode } from "../../src/lease/index.ts";
import { RateLimit } from "../../src/ratelimit/index.ts";
import { testClock, testStore } from "../../src/testing/index.ts";

describe("a test store", () => {
  test("ends the window of a rate limit when its clock moves, and not before", async () => {
    const store = testStore();
    const limiter = new RateLimit({ backend: store, name: "logins", limit: 2, windowMs: 60_000 });
    const allowed = async () => (await limiter.limit("ada")).allowed;
    expect([await allowed(), await allowed(), await allowed()]).toEqual([true, true, false]);
    store.clock.advance(29_999);
    expect(await allowed()).toBe(false);
    store.clock.advance(1);
    expect([await allowed(), await allowed()]).toEqual([true, false]);
  });

  test("forgets an idempotency key when its time is over", async () => {
    const store = testStore();
    const keys = new Idempotency({ backend: store, name: "orders", ttlMs: 60_000 });
    let runs = 0;
    const run = async () => (await keys.once("k", "f", async () => ++runs)).value;
    expect([await run(), await run()]).toEqual([1, 1]);
    store.clock.advance(59_999);
    expect(await run()).toBe(1);
    store.clock.advance(1);
    expect(await run()).toBe(2);
  });

  test("ends a lease, whose node another one then gets", async () => {
    const store = testStore();
    const options = { backend: store, clock: store.clock, preset: "twitter", ttlMs: 30_000 } as const;
    const first = await leaseNode(options);
    first.generator.nextId();
    store.clock.advance(31_000);
    expect(() => first.generator.nextId()).toThrow(LeaseExpiredError);
    const second = await leaseNode(options);
    expect(second.generator.nextId()).toBeGreaterThan(0n);
    await second.release();
    await first.release();
  });

  test("keeps counters, and has the given clock", async () => {
    const clock = testClock({ start: 5, step: 1 });
    const store = testStore({ clock });
    expect(store.clock).toBe(clock);
    const counter = new Counter({ backend: store, name: "orders" });
    expect([await counter.next(), await counter.next()]).toEqual([1n, 2n]);
  });

  test("is separate from others", async () => {
    for (let i = 0; i < 2; i++) {
      expect(await new Counter({ backend: testStore(), name: "orders" }).next()).toBe(1n);
    }
  });

  test.each([
    [{ start: 5 }, "option must be one of clock"],
    [{ clock: 5 }, "clock must be a function, got 5"],
    [null, "options must be an object, got null"],
  ])("of %j is refused", (options, message) => {
    expect(() => testStore(options as never)).toThrow(message);
  });
});

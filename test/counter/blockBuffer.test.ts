// A Counter by the block: when a range is fetched, which call gets which value, and which calls get an error.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Counter } from "../../src/counter/index.ts";
import { MAX_VALUE } from "../../src/counter/rule.ts";
import { flushEvents, ManualRedis } from "./ports.ts";

let redis: ManualRedis;
const unhandled: unknown[] = [];
const record = (reason: unknown) => void unhandled.push(reason);

beforeEach(() => {
  redis = new ManualRedis();
  process.on("unhandledRejection", record);
});
afterEach(async () => {
  await flushEvents();
  process.off("unhandledRejection", record);
  expect(unhandled.splice(0)).toEqual([]);
});

/** Returns the only pending call. */
function only() {
  expect(redis.pending.length).toBe(1);
  return redis.pending[0];
}

/** Returns the outcomes of calls, updated as they settle. */
function observe(calls: Promise<bigint>[]): unknown[] {
  const outcomes: unknown[] = calls.map(() => "waits");
  for (const [at, call] of calls.entries()) {
    call.then(
      (value) => {
        outcomes[at] = Number(value);
      },
      (error) => {
        outcomes[at] = error.code;
      },
    );
  }
  return outcomes;
}

const counterOf = (block: number) => new Counter({ backend: redis, name: "orders", block });
const calls = (counter: Counter, count: number) => Array.from({ length: count }, () => counter.next());

/** Creates a counter that has issued so many values of its first range. */
async function createUsedCounter(block: number, used: number) {
  const counter = counterOf(block);
  const first = calls(counter, used);
  redis.reply(only());
  await Promise.all(first);
  return counter;
}

describe("the next range of a block counter", () => {
  test.each([
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
    [10, 5],
    [1000, 500],
  ])("of %d values is fetched when %d of the current range are used, and not before", async (block, half) => {
    const counter = await createUsedCounter(block, 1);
    for (let used = 1; used < half; used++) {
      expect(redis.pending.length).toBe(0);
      await counter.next();
    }
    expect(only().request).toMatchObject({ count: BigInt(block), highest: BigInt(block) });
  });

  test("arrives before it is needed, so no call waits", async () => {
    const counter = await createUsedCounter(10, 5);
    redis.reply(only());
    await flushEvents();
    const outcomes = observe(calls(counter, 14));
    await flushEvents();
    expect(outcomes).toEqual(Array.from({ length: 14 }, (_, at) => at + 6));
    // 9 values of the second range are used, so the third range is being fetched.
    only();
  });

  test("is fetched once for all waiting calls, and serves them in their order", async () => {
    const counter = counterOf(4);
    const outcomes = observe(calls(counter, 11));
    for (let range = 1; range <= 3; range++) {
      await flushEvents();
      expect(outcomes.indexOf("waits")).toBe((range - 1) * 4);
      redis.reply(only());
    }
    await flushEvents();
    expect(outcomes).toEqual(Array.from({ length: 11 }, (_, at) => at + 1));
    only(); // The fourth range, ahead of need.
  });

  test("serves a later call after the calls that already wait", async () => {
    const counter = await createUsedCounter(2, 2);
    const early = counter.next();
    // The first call asks for another value at once, while the second still waits for its own.
    const chain = early.then(() => counter.next());
    const late = counter.next();
    redis.reply(only());
    expect([await early, await late]).toEqual([3n, 4n]);
    redis.reply(only());
    expect(await chain).toBe(5n);
  });

  test("may be short at the end of the counter", async () => {
    redis.at = MAX_VALUE - 3n;
    const counter = counterOf(10);
    const waiting = calls(counter, 5);
    redis.reply(only());
    expect(await Promise.all(waiting.slice(0, 3))).toEqual([MAX_VALUE - 2n, MAX_VALUE - 1n, MAX_VALUE]);
    await flushEvents();
    redis.reply(only());
    for (const call of waiting.slice(3)) {
      await expect(call).rejects.toMatchObject({ code: "ERR_COUNTER_EXHAUSTED" });
    }
  });

  test("is fetched at once when the current range is a single value", async () => {
    redis.at = MAX_VALUE - 1n;
    const counter = await createUsedCounter(2, 1);
    redis.reply(only());
    await flushEvents();
    const end = counter.next();
    redis.reply(only());
    await expect(end).rejects.toMatchObject({ code: "ERR_COUNTER_EXHAUSTED" });
  });
});

describe("a failed fetch of a block counter", () => {
  test("ahead of need fails no call: the rest is issued, and the call that needs a value fetches again", async () => {
    const counter = await createUsedCounter(4, 2);
    redis.fail(only());
    await flushEvents();
    expect(await Promise.all(calls(counter, 2))).toEqual([3n, 4n]);
    expect(redis.pending.length).toBe(0);
    const call = counter.next();
    redis.reply(only());
    expect(await call).toBe(5n);
  });

  test("ahead of need does not fail a call that came meanwhile, which fetches again", async () => {
    const counter = await createUsedCounter(4, 2);
    const ahead = only();
    const outcomes = observe(calls(counter, 3));
    redis.fail(ahead);
    await flushEvents();
    expect(outcomes).toEqual([3, 4, "waits"]);
    redis.fail(only());
    await flushEvents();
    expect(outcomes).toEqual([3, 4, "ERR_BACKEND"]);
  });

  test("fails all waiting calls and no later one", async () => {
    const counter = counterOf(3);
    const outcomes = observe(calls(counter, 5));
    redis.fail(only());
    await flushEvents();
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => "ERR_BACKEND"));
    const next = counter.next();
    redis.reply(only());
    expect(await next).toBe(1n);
  });

  test("fails the calls that got no value from the ranges before", async () => {
    const counter = counterOf(2);
    const outcomes = observe(calls(counter, 5));
    redis.reply(only());
    await flushEvents();
    const second = only();
    redis.execute(second);
    redis.fail(second);
    await flushEvents();
    expect(outcomes).toEqual([1, 2, "ERR_BACKEND", "ERR_BACKEND", "ERR_BACKEND"]);
    // The store executed it, so 3 and 4 are lost.
    const next = counter.next();
    redis.reply(only());
    expect(await next).toBe(5n);
  });

  test("fails all waiting calls after a single try", async () => {
    const counter = counterOf(2);
    const outcomes = observe(calls(counter, 1000));
    redis.fail(only());
    await flushEvents();
    expect(new Set(outcomes)).toEqual(new Set(["ERR_BACKEND"]));
    expect(redis.pending.length).toBe(0);
  });
});

describe("the process of a block counter", () => {
  /** Returns a function that counts the timers started since that keep the process alive. */
  function countActiveTimers() {
    const started = vi.spyOn(globalThis, "setTimeout");
    const stopped = vi.spyOn(globalThis, "clearTimeout");
    return () => {
      const over = new Set(stopped.mock.calls.map(([timer]) => timer));
      const timers = started.mock.results.map(({ value }) => value as NodeJS.Timeout);
      return timers.filter((timer) => !over.has(timer) && timer.hasRef()).length;
    };
  }
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("is kept alive by a waiting call and not by a fetch ahead of need", async () => {
    const activeTimers = countActiveTimers();
    const counter = counterOf(4);
    const first = counter.next();
    expect(activeTimers()).toBe(1);
    redis.reply(only());
    await first;
    expect(activeTimers()).toBe(0);
    await counter.next();
    only(); // Ahead of need.
    expect(activeTimers()).toBe(0);
    await Promise.all(calls(counter, 2));
    const waiting = calls(counter, 3);
    expect(activeTimers()).toBe(1);
    redis.reply(only());
    expect(await Promise.all(waiting)).toEqual([5n, 6n, 7n]);
    expect(activeTimers()).toBe(0);
  });

  test("is kept alive when a fetch ahead of need fails and the waiting call fetches again", async () => {
    const counter = await createUsedCounter(4, 2);
    const activeTimers = countActiveTimers();
    const waiting = calls(counter, 3);
    expect(activeTimers()).toBe(1);
    redis.fail(only());
    await flushEvents();
    expect(activeTimers()).toBe(1);
    redis.fail(only());
    await expect(waiting[2]).rejects.toMatchObject({ code: "ERR_BACKEND" });
    expect(activeTimers()).toBe(0);
  });
});

// By the block: what is fetched when, who gets what, and who hears of what goes wrong.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Counter } from "../../src/counter/index.ts";
import { LAST } from "../../src/counter/rule.ts";
import { Desk, settled } from "./ports.ts";

let desk: Desk;
const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);

beforeEach(() => {
  desk = new Desk();
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  await settled();
  process.off("unhandledRejection", note);
  expect(unhandled.splice(0)).toEqual([]);
});

/** The one call before the desk. */
function only() {
  expect(desk.pending.length).toBe(1);
  return desk.pending[0];
}

/** What has become of calls so far. */
function watch(calls: Promise<bigint>[]): unknown[] {
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

const counterOf = (block: number) => new Counter({ backend: desk, name: "orders", block });
const calls = (counter: Counter, count: number) => Array.from({ length: count }, () => counter.next());

/** A counter that has the first range, and has given out so many values of it. */
async function started(block: number, used: number) {
  const counter = counterOf(block);
  const first = calls(counter, used);
  desk.reply(only());
  await Promise.all(first);
  return counter;
}

describe("the next range", () => {
  test.each([
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
    [10, 5],
    [1000, 500],
  ])("of %d is fetched when %d of the current are used, and not before", async (block, half) => {
    const counter = await started(block, 1);
    for (let used = 1; used < half; used++) {
      expect(desk.pending.length).toBe(0);
      await counter.next();
    }
    expect(only().request).toMatchObject({ count: BigInt(block), highest: BigInt(block) });
  });

  test("is there when it is needed, so that no call waits", async () => {
    const counter = await started(10, 5);
    desk.reply(only());
    await settled();
    const outcomes = watch(calls(counter, 14));
    await settled();
    expect(outcomes).toEqual(Array.from({ length: 14 }, (_, at) => at + 6));
    // 9 of the second range are used: the third is on its way.
    only();
  });

  test("is fetched once, however many calls wait, and serves them in their order", async () => {
    const counter = counterOf(4);
    const outcomes = watch(calls(counter, 11));
    for (let range = 1; range <= 3; range++) {
      await settled();
      expect(outcomes.indexOf("waits")).toBe((range - 1) * 4);
      desk.reply(only());
    }
    await settled();
    expect(outcomes).toEqual(Array.from({ length: 11 }, (_, at) => at + 1));
    only(); // The fourth, ahead of need.
  });

  test("is not overtaken: who comes later waits behind those who wait", async () => {
    const counter = await started(2, 2);
    const early = counter.next();
    // Whoever hears of a value first asks for another one at once, while others still wait for theirs.
    const chain = early.then(() => counter.next());
    const late = counter.next();
    desk.reply(only());
    expect([await early, await late]).toEqual([3n, 4n]);
    desk.reply(only());
    expect(await chain).toBe(5n);
  });

  test("may be a short one, where the counter ends", async () => {
    desk.at = LAST - 3n;
    const counter = counterOf(10);
    const waiting = calls(counter, 5);
    desk.reply(only());
    expect(await Promise.all(waiting.slice(0, 3))).toEqual([LAST - 2n, LAST - 1n, LAST]);
    await settled();
    desk.reply(only());
    for (const call of waiting.slice(3)) {
      await expect(call).rejects.toMatchObject({ code: "ERR_COUNTER_EXHAUSTED" });
    }
  });

  test("is asked for at once where the current one is a single value", async () => {
    desk.at = LAST - 1n;
    const counter = await started(2, 1);
    desk.reply(only());
    await settled();
    const end = counter.next();
    desk.reply(only());
    await expect(end).rejects.toMatchObject({ code: "ERR_COUNTER_EXHAUSTED" });
  });
});

describe("a fetch that fails", () => {
  test("ahead of need is nobody's: the rest is given out, and the call that needs a value tries itself", async () => {
    const counter = await started(4, 2);
    desk.fail(only());
    await settled();
    expect(await Promise.all(calls(counter, 2))).toEqual([3n, 4n]);
    expect(desk.pending.length).toBe(0);
    const call = counter.next();
    desk.reply(only());
    expect(await call).toBe(5n);
  });

  test("ahead of need is not that of a call that came meanwhile: it gets a try of its own", async () => {
    const counter = await started(4, 2);
    const ahead = only();
    const outcomes = watch(calls(counter, 3));
    desk.fail(ahead);
    await settled();
    expect(outcomes).toEqual([3, 4, "waits"]);
    desk.fail(only());
    await settled();
    expect(outcomes).toEqual([3, 4, "ERR_BACKEND"]);
  });

  test("is that of all who wait, and of nobody who comes later", async () => {
    const counter = counterOf(3);
    const outcomes = watch(calls(counter, 5));
    desk.fail(only());
    await settled();
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => "ERR_BACKEND"));
    const next = counter.next();
    desk.reply(only());
    expect(await next).toBe(1n);
  });

  test("after it gave values to some is that of the others", async () => {
    const counter = counterOf(2);
    const outcomes = watch(calls(counter, 5));
    desk.reply(only());
    await settled();
    const second = only();
    desk.run(second);
    desk.fail(second);
    await settled();
    expect(outcomes).toEqual([1, 2, "ERR_BACKEND", "ERR_BACKEND", "ERR_BACKEND"]);
    // It was carried out: 3 and 4 are lost.
    const next = counter.next();
    desk.reply(only());
    expect(await next).toBe(5n);
  });

  test("is heard of at once, without as many tries as there are calls", async () => {
    const counter = counterOf(2);
    const outcomes = watch(calls(counter, 1000));
    desk.fail(only());
    await settled();
    expect(new Set(outcomes)).toEqual(new Set(["ERR_BACKEND"]));
    expect(desk.pending.length).toBe(0);
  });
});

describe("the process", () => {
  /** How many timers keep it from ending, of those that were started since. */
  function holding() {
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

  test("is kept by a call that waits, and not by what is fetched ahead", async () => {
    const held = holding();
    const counter = counterOf(4);
    const first = counter.next();
    expect(held()).toBe(1);
    desk.reply(only());
    await first;
    expect(held()).toBe(0);
    await counter.next();
    only(); // Ahead of need.
    expect(held()).toBe(0);
    await Promise.all(calls(counter, 2));
    const waiting = calls(counter, 3);
    expect(held()).toBe(1);
    desk.reply(only());
    expect(await Promise.all(waiting)).toEqual([5n, 6n, 7n]);
    expect(held()).toBe(0);
  });

  test("is kept on, where a fetch ahead fails and the call that waits for it tries itself", async () => {
    const counter = await started(4, 2);
    const held = holding();
    const waiting = calls(counter, 3);
    expect(held()).toBe(1);
    desk.fail(only());
    await settled();
    expect(held()).toBe(1);
    desk.fail(only());
    await expect(waiting[2]).rejects.toMatchObject({ code: "ERR_BACKEND" });
    expect(held()).toBe(0);
  });
});

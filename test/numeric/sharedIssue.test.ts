// SharedIssue: which calls share a step, and which ID, reason or error each of them gets.

import { describe, expect, test, vi } from "vitest";
import { IdPoolEmptyError } from "../../src/numeric/index.ts";
import { SharedIssue } from "../../src/numeric/sharedIssue.ts";
import { InspectableStore, poolOf } from "./poolFixtures.ts";

/** A shared issue whose steps are answered by hand. */
function byHand() {
  const steps: {
    count: number;
    answer: (ids: readonly string[] | { why: string }) => void;
    fail: (error: unknown) => void;
  }[] = [];
  const shared = new SharedIssue<{ why: string }>(
    (count) => new Promise((answer, fail) => steps.push({ count, answer, fail })),
  );
  return { shared, steps };
}

const turn = () => new Promise((later) => setImmediate(later));

describe("calls for one ID", () => {
  test("are sent at once when no step is under way, and together when one is", async () => {
    const { shared, steps } = byHand();
    const alone = shared.takeOne();
    expect(steps.map(({ count }) => count)).toEqual([1]);
    const others = [shared.takeOne(), shared.takeOne(), shared.takeOne()];
    expect(steps).toHaveLength(1);
    steps[0]?.answer(["100"]);
    expect(await alone).toBe("100");
    expect(steps.map(({ count }) => count)).toEqual([1, 3]);
    const last = shared.takeOne();
    steps[1]?.answer(["201", "202", "203"]);
    expect(await Promise.all(others)).toEqual(["201", "202", "203"]);
    expect(steps.map(({ count }) => count)).toEqual([1, 3, 1]);
    steps[2]?.answer(["300"]);
    expect(await last).toBe("300");
    await turn();
    expect(steps).toHaveLength(3);
    void shared.takeOne();
    expect(steps).toHaveLength(4);
  });

  test("are at most 1000 in one step", async () => {
    const { shared, steps } = byHand();
    const calls = Array.from({ length: 2002 }, () => shared.takeOne());
    for (let at = 0; at < 4; at++) {
      const { count = 0, answer } = steps[at] ?? {};
      answer?.(Array.from({ length: count }, (_, id) => `${at}-${id}`));
      await turn();
    }
    expect(steps.map(({ count }) => count)).toEqual([1, 1000, 1000, 1]);
    expect(new Set(await Promise.all(calls)).size).toBe(2002);
  });

  test("that are too many for one take wait 50 ms at most too", async () => {
    vi.useFakeTimers();
    const { shared, steps } = byHand();
    void shared.takeOne();
    for (let call = 0; call < 2500; call++) void shared.takeOne();
    for (const counts of [[1], [1, 1000], [1, 1000, 1000], [1, 1000, 1000, 500]]) {
      expect(steps.map(({ count }) => count)).toEqual(counts);
      await vi.advanceTimersByTimeAsync(50);
    }
    vi.useRealTimers();
  });

  test("wait 50 ms at most for those before them, which may hang", async () => {
    vi.useFakeTimers();
    const { shared, steps } = byHand();
    void shared.takeOne();
    const others = [shared.takeOne(), shared.takeOne()];
    await vi.advanceTimersByTimeAsync(49);
    expect(steps.map(({ count }) => count)).toEqual([1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(steps.map(({ count }) => count)).toEqual([1, 2]);
    const last = shared.takeOne();
    steps[1]?.answer(["201", "202"]);
    expect(await Promise.all(others)).toEqual(["201", "202"]);
    await vi.advanceTimersByTimeAsync(0);
    steps[2]?.answer(["300"]);
    expect(await last).toBe("300");
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test("all get the error or the reason of their step, and the next ones a step of their own", async () => {
    const { shared, steps } = byHand();
    const resultsOf = (calls: Promise<unknown>[]) =>
      Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
    const first = shared.takeOne();
    const failed = resultsOf([shared.takeOne(), shared.takeOne()]);
    steps[0]?.answer({ why: "empty" });
    expect(await first).toEqual({ why: "empty" });
    const next = resultsOf([shared.takeOne(), shared.takeOne()]);
    const down = new Error("down");
    steps[1]?.fail(down);
    expect(await failed).toEqual([down, down]);
    await turn();
    steps[2]?.answer({ why: "empty" });
    expect(await next).toEqual([{ why: "empty" }, { why: "empty" }]);
  });
});

describe("concurrent issues of a pool", () => {
  test("share statements", async () => {
    const store = new InspectableStore();
    const pool = poolOf({ backend: store.port(), length: 10, lowMark: 0, highMark: 500 });
    await pool.fill();
    store.calls.length = 0;
    const ids = await Promise.all(Array.from({ length: 100 }, () => pool.issue()));
    expect(new Set(ids).size).toBe(100);
    expect(store.takeCalls("issue")).toHaveLength(2);
    await pool.stop();
  });

  test("that are more than the available IDs take all of these", async () => {
    const pool = poolOf({ length: 10, lowMark: 0, highMark: 5, waitMs: 0 });
    await pool.fill();
    await pool.stop();
    const calls = Array.from({ length: 9 }, () => pool.issue().catch((error: unknown) => error));
    const results = await Promise.all(calls);
    const ids = results.filter((result) => typeof result === "string");
    expect(new Set(ids).size).toBe(5);
    const errors = results.filter((result) => typeof result !== "string");
    for (const error of errors) expect(error).toBeInstanceOf(IdPoolEmptyError);
  });
});

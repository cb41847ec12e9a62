// Cells: a rule on a store with compare-and-set, with other processes, lost answers and wrong ones.

import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Cells, cellKey } from "../../src/backend/cells.ts";
import { BackendError, type CellPort } from "../../src/backend/index.ts";
import { conformanceCases } from "../../src/testing/index.ts";
import { memoryCells } from "../support/memoryCells.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** Adds a letter to the value. The result is the new value. */
const add = (letter: string) => (value: string | undefined) => {
  const next = (value ?? "") + letter;
  return { value: next, result: next };
};

/** Reads the value and writes nothing. */
const look = (value: string | undefined) => ({ result: value });

describe.each([
  ["with a clock", memoryCells(Date.now)],
  ["without one", memoryCells()],
])("the store of these tests, %s, keeps the contract:", (_title, port) => {
  for (const { name, run } of conformanceCases(port)) test(name, run);
});

describe("a step", () => {
  test("reads, applies the rule, and swaps", async () => {
    const port = memoryCells();
    const cells = new Cells(port);
    expect(await cells.step("test", "k", add("a"))).toBe("a");
    expect(await cells.step("test", "k", add("b"))).toBe("ab");
    expect(port.calls).toEqual(["read k", "swap k", "read k", "swap k"]);
    expect(port.values()).toEqual({ k: "ab" });
  });

  test("that writes nothing needs one call", async () => {
    const port = memoryCells();
    expect(await new Cells(port).step("test", "k", look)).toBe(undefined);
    expect(port.calls).toEqual(["read k"]);
  });

  test("on a remembered cell needs one call", async () => {
    const port = memoryCells();
    const cells = new Cells(port);
    for (const letter of "abc") await cells.step("test", "k", add(letter), { isRemembered: true });
    expect(port.calls).toEqual(["read k", "swap k", "swap k", "swap k"]);
  });

  test("on a remembered cell that another process has changed gets its value first", async () => {
    const port = memoryCells();
    const cells = new Cells(port);
    await cells.step("test", "k", add("a"), { isRemembered: true });
    await new Cells(port).step("test", "k", add("x"));
    expect(await cells.step("test", "k", add("b"), { isRemembered: true })).toBe("axb");
  });

  test("refuses only by a cell that was read for it", async () => {
    const port = memoryCells();
    const cells = new Cells(port);
    await cells.step("test", "k", add("a"), { isRemembered: true });
    await new Cells(port).step("test", "k", add("x"));
    expect(await cells.step("test", "k", look, { isRemembered: true })).toBe("ax");
  });

  test("gets the store's time, and this process's if the store has none", async () => {
    vi.useFakeTimers({ now: 5000, toFake: ["Date", "performance"] });
    const timeOf = (port: CellPort) =>
      new Cells(port).step("test", "k", (_value, nowMs) => ({ result: nowMs }));
    expect(await timeOf(memoryCells())).toBe(5000);
    const time = await timeOf(memoryCells(() => 1000));
    expect(time).toBeGreaterThanOrEqual(1000);
    expect(time).toBeLessThan(5000);
  });
});

describe("steps of one process on one key", () => {
  test("run one after the other, without a lost swap", async () => {
    const port = memoryCells();
    const cells = new Cells(port);
    const letters = [..."abcdefghij"];
    const results = await Promise.all(letters.map((letter) => cells.step("test", "k", add(letter))));
    expect(results.at(-1)).toBe("abcdefghij");
    expect(port.calls).toEqual(["read k", ...letters.map(() => "swap k")]);
  });

  test("continue after one that fails", async () => {
    const port = memoryCells();
    const cells = new Cells(port);
    port.before = (call) => {
      if (port.calls.length === 1) throw new Error(`no ${call}`);
    };
    const failing = cells.step("test", "k", add("a"));
    const next = cells.step("test", "k", add("b"));
    await expect(failing).rejects.toThrow(BackendError);
    expect(await next).toBe("b");
  });

  test("that are refused share a read that was sent after they began", async () => {
    const port = memoryCells();
    const cells = new Cells(port);
    const refused = Array.from({ length: 1000 }, () => cells.step("test", "k", look));
    expect(await Promise.all(refused)).toEqual(refused.map(() => undefined));
    expect(port.calls).toEqual(["read k"]);
  });

  test("are not refused by a read that was sent before they began", async () => {
    const port = memoryCells();
    const cells = new Cells(port);
    let open: (() => void) | undefined;
    port.after = () =>
      new Promise<void>((resolve) => {
        open = resolve;
      });
    const first = cells.step("test", "k", look);
    // The store has read, and its answer is on the way.
    await vi.waitFor(() => expect(open).toBeDefined());
    port.after = () => {};
    await new Cells(port).step("test", "k", add("x"));
    const second = cells.step("test", "k", look);
    open?.();
    expect(await first).toBe(undefined);
    expect(await second).toBe("x");
  });

  test("that are twice as many as the store can do are done at its pace", async () => {
    vi.useFakeTimers({ now: 0, toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
    const port = memoryCells(undefined, { timeoutMs: 1000 });
    // 100 swaps a second.
    port.before = () => new Promise((answer) => setTimeout(answer, 10));
    const cells = new Cells(port);
    const increment = (value = "0") => ({ value: String(Number(value) + 1), result: undefined });
    let done = 0;
    const refusals = new Set<string>();
    for (let ms = 0; ms < 20_000; ms += 5) {
      const refuse = ({ message }: BackendError) => refusals.add(message);
      cells.step("test", "k", increment).then(() => done++, refuse);
      await vi.advanceTimersByTimeAsync(5);
    }
    expect(done).toBeGreaterThan(1900);
    // A refused step has changed nothing, because none was sent whose answer came too late.
    expect([...refusals]).toEqual(["test: earlier calls of this process on the same key took the time"]);
    expect(Number(port.values()["k"])).toBeLessThanOrEqual(done + 1);
  });

  test("wait for one that is slow for once, and are then done, also those that need no call of their own", async () => {
    vi.useFakeTimers({ now: 0, toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
    const port = memoryCells(undefined, { timeoutMs: 1000 });
    let slowMs = 0;
    port.before = () => new Promise((answer) => setTimeout(answer, slowMs));
    const cells = new Cells(port);
    const outcomesOf = async <T>(all: readonly Promise<T>[]) => {
      const outcomes = all.map((step) =>
        step.then(
          () => "done",
          (error) => error.message,
        ),
      );
      await vi.advanceTimersByTimeAsync(2000);
      return Promise.all(outcomes);
    };
    expect(await outcomesOf([cells.step("test", "k", add("a"))])).toEqual(["done"]);
    slowMs = 450;
    const writes = [
      cells.step("test", "k", add("b")),
      ...[..."cdef"].map((letter) => cells.step("test", "k", add(letter))),
    ];
    await vi.advanceTimersByTimeAsync(600);
    slowMs = 0;
    expect(await outcomesOf(writes)).toEqual(Array(5).fill("done"));
    // One read answers a flood of refused steps, however long it took.
    slowMs = 900;
    const looks = Array.from({ length: 20 }, () => cells.step("test", "k", look));
    expect(await outcomesOf(looks)).toEqual(Array(20).fill("done"));
  });

  test("on different keys do not wait for each other", async () => {
    const port = memoryCells();
    const cells = new Cells(port);
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    port.before = (call) => (call === "swap slow" ? gate : undefined);
    const slow = cells.step("test", "slow", add("a"));
    expect(await cells.step("test", "k", add("b"))).toBe("b");
    open();
    expect(await slow).toBe("a");
  });

  test("are forgotten when they have ended", async () => {
    const port = memoryCells();
    const cells = new Cells(port);
    await cells.step("test", "k", add("a"));
    await cells.step("test", "k", add("b"));
    expect(port.calls.filter((call) => call === "read k")).toHaveLength(2);
  });
});

describe("processes on one key", () => {
  test("lose no step, in any order of their calls", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 5 }), async (scheduler, count) => {
        const port = memoryCells(undefined, { timeoutMs: 60_000 });
        port.before = () => scheduler.schedule(Promise.resolve());
        port.after = () => scheduler.schedule(Promise.resolve());
        const steps = Array.from({ length: count }, (_, i) =>
          new Cells(port).step("test", "k", add("abcde".charAt(i))),
        );
        const all = Promise.all(steps);
        await scheduler.waitFor(all);
        const value = port.values()["k"] as string;
        expect([...value].sort().join("")).toBe("abcde".slice(0, count));
        // Each result is what the step has written: a beginning of the last value.
        for (const result of await all) expect(value.startsWith(result)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test("that are always faster end the step with an error when its time is over", async () => {
    const port = memoryCells(undefined, { timeoutMs: 1000 });
    const other = new Cells({ ...port, swap: port.swap });
    let isOther = false;
    port.before = async (call) => {
      if (call !== "swap k" || isOther) return;
      isOther = true;
      await other.step("test", "k", add("x"));
      isOther = false;
    };
    await expect(new Cells(port).step("test", "k", add("a"))).rejects.toThrow(
      expect.objectContaining({ code: "ERR_BACKEND", operation: "test", reason: "timeout" }),
    );
    expect(port.values()["k"]).toMatch(/^x+$/);
  });
});

test("the pause after a lost swap keeps the process alive only if the step does", async () => {
  const timers: NodeJS.Timeout[] = [];
  const start = setTimeout;
  vi.stubGlobal("setTimeout", (...args: Parameters<typeof setTimeout>) => {
    const timer = start(...args);
    timers.push(timer);
    return timer;
  });
  for (const background of [true, false]) {
    const port = memoryCells();
    let isFirst = true;
    port.before = async (call) => {
      if (call !== "swap k" || !isFirst) return;
      isFirst = false;
      await new Cells(port).step("test", "k", add("x"));
    };
    timers.length = 0;
    const step = new Cells(port).step("test", "k", add("a"), { background });
    await vi.waitFor(() => expect(timers).toHaveLength(3));
    // The limits of the step and of the other process's, and the pause.
    expect(timers.map((timer) => timer.hasRef())).toEqual([!background, true, !background]);
    expect(await step).toBe("xa");
  }
  vi.unstubAllGlobals();
});

describe("a store that fails", () => {
  test("is a BackendError, and the next step reads again", async () => {
    const port = memoryCells();
    const cells = new Cells(port);
    await cells.step("test", "k", add("a"), { isRemembered: true });
    port.after = () => {
      throw new Error("connection lost");
    };
    // The swap has happened, but its answer is lost.
    await expect(cells.step("test", "k", add("b"), { isRemembered: true })).rejects.toThrow(
      expect.objectContaining({ code: "ERR_BACKEND", reason: "failed" }),
    );
    port.after = () => {};
    expect(await cells.step("test", "k", add("c"), { isRemembered: true })).toBe("abc");
  });

  test("writes nothing after the time is over", async () => {
    vi.useFakeTimers();
    const port = memoryCells(undefined, { timeoutMs: 100 });
    let open = () => {};
    port.before = () =>
      new Promise<void>((resolve) => {
        open = resolve;
      });
    const late = vi.fn();
    const step = new Cells(port).step("test", "k", add("a"), { onLateAnswer: late });
    const refused = expect(step).rejects.toThrow(expect.objectContaining({ reason: "timeout" }));
    await vi.advanceTimersByTimeAsync(100);
    await refused;
    open();
    await vi.advanceTimersByTimeAsync(1000);
    expect(port.calls).toEqual(["read k"]);
    expect(late).not.toHaveBeenCalled();
  });

  test("reports a swap that it answers late", async () => {
    vi.useFakeTimers();
    const port = memoryCells(undefined, { timeoutMs: 100 });
    let open = () => {};
    port.after = (call) =>
      call === "swap k" &&
      new Promise<void>((resolve) => {
        open = resolve;
      });
    const late = vi.fn();
    const step = new Cells(port).step("test", "k", add("a"), { onLateAnswer: late });
    const refused = expect(step).rejects.toThrow(expect.objectContaining({ reason: "timeout" }));
    await vi.advanceTimersByTimeAsync(100);
    await refused;
    open();
    await vi.advanceTimersByTimeAsync(0);
    expect(late).toHaveBeenCalledExactlyOnceWith("a");
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["a value without a version", { value: "x", version: "" }],
    ["a version without a value", { value: undefined, version: "1" }],
    ["a number as value", { value: 1, version: "1" }],
    ["no version", { value: "x" }],
    ["a time that is no number", { value: "x", version: "1", nowMs: Number.NaN }],
  ])("answers a read with %s: the response is unexpected", async (_title, answer) => {
    const port = { ...memoryCells(), read: async () => answer as never };
    await expect(new Cells(port).step("test", "k", add("a"))).rejects.toThrow(
      expect.objectContaining({ code: "ERR_BACKEND", reason: "answer", operation: "test" }),
    );
  });

  test("does not say whether it has swapped: the response is unexpected", async () => {
    const port = { ...memoryCells(), swap: async () => ({ value: "x", version: "1" }) as never };
    await expect(new Cells(port).step("test", "k", add("a"))).rejects.toThrow(
      expect.objectContaining({ reason: "answer" }),
    );
  });

  test("has a value that the rule cannot read: the response is unexpected", async () => {
    const broken = () => {
      throw new Error("not a number");
    };
    await expect(new Cells(memoryCells()).step("test", "k", broken)).rejects.toThrow(
      expect.objectContaining({
        reason: "answer",
        cause: expect.objectContaining({ message: "not a number" }),
      }),
    );
  });
});

test("keys of different features, names and keys are different", () => {
  const port = memoryCells();
  const anyName = fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom(..."ab:%{} /ü") });
  const any = fc.record({
    feature: fc.constantFrom("once", "rate", "counter"),
    name: anyName,
    key: fc.option(anyName, { nil: undefined }),
  });
  const keyOf = ({ feature, name, key }: { feature: string; name: string; key: string | undefined }) =>
    cellKey(port, feature, name, key);
  fc.assert(
    fc.property(any, any, (a, b) => {
      const same = a.feature === b.feature && a.name === b.name && a.key === b.key;
      expect(keyOf(a) === keyOf(b)).toBe(same);
    }),
  );
});

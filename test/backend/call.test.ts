// The calls of a store: answers that come after the limit, and timers that do not keep a process alive.

import { afterEach, describe, expect, test, vi } from "vitest";
import { callStore, startTimer } from "../../src/backend/call.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("an answer after the limit", () => {
  const parse = (answer: unknown) => (typeof answer === "number" ? answer : undefined);

  /** Calls a store that answers one second too late. Resolves to what `onLateAnswer` got. */
  async function callLate(answer: () => unknown): Promise<unknown[]> {
    vi.useFakeTimers();
    const late: unknown[] = [];
    const answered = async () => {
      await new Promise((resolve) => setTimeout(resolve, 2000));
      return answer();
    };
    const called = callStore(
      { timeoutMs: 1000 } as Parameters<typeof callStore>[0],
      "test",
      answered,
      parse,
      {
        onLateAnswer: (result) => late.push(result),
      },
    );
    const failed = expect(called).rejects.toMatchObject({ reason: "timeout", operation: "test" });
    await vi.advanceTimersByTimeAsync(1000);
    await failed;
    expect(late).toEqual([]);
    await vi.advanceTimersByTimeAsync(1000);
    return late;
  }

  test("is passed on", async () => {
    expect(await callLate(() => 7)).toEqual([7]);
  });

  test("is not, if it is not valid", async () => {
    expect(await callLate(() => "seven")).toEqual([]);
  });

  test("that is an error is ignored", async () => {
    const fail = () => {
      throw new Error("too late");
    };
    expect(await callLate(fail)).toEqual([]);
  });
});

describe("a timer in the background", () => {
  test("is unreferenced where timers are objects", () => {
    const unref = vi.fn();
    vi.stubGlobal("setTimeout", () => ({ unref }));
    startTimer(() => {}, 1000);
    expect(unref).not.toHaveBeenCalled();
    startTimer(() => {}, 1000, { background: true });
    expect(unref).toHaveBeenCalledOnce();
  });

  test("is unreferenced by Deno, where timers are numbers", () => {
    const unrefTimer = vi.fn();
    vi.stubGlobal("setTimeout", () => 7);
    vi.stubGlobal("Deno", { unrefTimer });
    startTimer(() => {}, 1000);
    expect(unrefTimer).not.toHaveBeenCalled();
    startTimer(() => {}, 1000, { background: true });
    expect(unrefTimer).toHaveBeenCalledExactlyOnceWith(7);
  });

  test("is a plain timer in a browser", () => {
    vi.stubGlobal("setTimeout", () => 7);
    expect(() => startTimer(() => {}, 1000, { background: true })()).not.toThrow();
  });
});

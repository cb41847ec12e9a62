// The lock while the work runs: its extensions, its loss, and late answers, under fake timers.

import { afterEach, describe, expect, test, vi } from "vitest";
import { Idempotency, LockLostError } from "../../src/idempotency/index.ts";
import { ScriptedRedis } from "./fakePorts.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("a lock", () => {
  /** Starts work that takes `ms`. Returns its outcome, and the reason of its signal. */
  const startWork = (once: Idempotency, ms: number) => {
    let signal = new AbortController().signal;
    const call = once.once("k", "f", async (given) => {
      signal = given;
      await new Promise((wake) => setTimeout(wake, ms));
      return 1;
    });
    return { outcome: call.catch((error) => error), reason: () => signal.reason };
  };

  test("is extended three times in its duration, and no more when the work is done", async () => {
    vi.useFakeTimers();
    const backend = new ScriptedRedis("acquired", "yes", "yes", "yes", "yes");
    const { outcome } = startWork(new Idempotency({ backend, name: "n", lockMs: 3000 }), 3500);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toEqual({ value: 1, isReplay: false });
    expect(backend.sent).toEqual(
      ["HSET 4", "HSET 3", "HSET 3", "HSET 3", "HDEL 3"].map((sent) => sent.replace("HDEL", "HSET HDEL")),
    );
  });

  test("that another owner has aborts the work, and its result is not stored", async () => {
    vi.useFakeTimers();
    const backend = new ScriptedRedis("acquired", "yes", "no", "no");
    const { outcome, reason } = startWork(new Idempotency({ backend, name: "n", lockMs: 3000 }), 10_000);
    await vi.advanceTimersByTimeAsync(1999);
    expect(reason()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(reason()).toBeInstanceOf(LockLostError);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toBeInstanceOf(LockLostError);
    expect(backend.sent).toHaveLength(4);
  });

  test("that cannot be extended aborts the work when it may have ended, and not before", async () => {
    vi.useFakeTimers();
    const backend = new ScriptedRedis("acquired", "yes");
    const { outcome, reason } = startWork(new Idempotency({ backend, name: "n", lockMs: 3000 }), 6000);
    await vi.advanceTimersByTimeAsync(1000);
    backend.answers.push(...[1, 2, 3, 4, 5].map(() => undefined));
    // Extended at 1000, and so until 4000.
    await vi.advanceTimersByTimeAsync(2990);
    expect(reason()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(20);
    expect(reason()).toBeInstanceOf(LockLostError);
    backend.answers.splice(0);
    backend.answers.push("yes");
    await vi.advanceTimersByTimeAsync(5000);
    // No other owner has acquired it.
    expect(await outcome).toEqual({ value: 1, isReplay: false });
  });

  test("is extended until the store has the result, and its loss then aborts nothing", async () => {
    vi.useFakeTimers();
    const slow = () => new Promise((resolve) => setTimeout(() => resolve("yes"), 4000));
    const backend = new ScriptedRedis("acquired", slow, "yes", "yes", "no");
    const { outcome, reason } = startWork(new Idempotency({ backend, name: "n", lockMs: 3000 }), 500);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toEqual({ value: 1, isReplay: false });
    expect(reason()).toBeUndefined();
    expect(backend.sent).toEqual(["HSET 4", "HSET HDEL 3", "HSET 3", "HSET 3", "HSET 3"]);
  });

  test("is extended again after a failed extension", async () => {
    vi.useFakeTimers();
    const backend = new ScriptedRedis("acquired", "nonsense", "yes", "yes", "yes");
    const { outcome, reason } = startWork(new Idempotency({ backend, name: "n", lockMs: 3000 }), 3900);
    await vi.advanceTimersByTimeAsync(5000);
    expect(reason()).toBeUndefined();
    expect(await outcome).toEqual({ value: 1, isReplay: false });
  });

  test("ignores an answer that arrives after the work is done", async () => {
    vi.useFakeTimers();
    const late = (answer: unknown) => () => new Promise((resolve) => setTimeout(() => resolve(answer), 900));
    for (const answer of ["no", "nonsense"]) {
      const backend = new ScriptedRedis("acquired", late(answer), "yes");
      const { outcome, reason } = startWork(new Idempotency({ backend, name: "n", lockMs: 3000 }), 1500);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await outcome).toEqual({ value: 1, isReplay: false });
      expect(reason()).toBeUndefined();
    }
  });
});

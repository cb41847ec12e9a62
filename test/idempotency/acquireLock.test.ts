// Waiting for the lock of a key: the pauses, their end, and stores that fail meanwhile.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BackendError, memory } from "../../src/backend/index.ts";
import { acquireOrWait } from "../../src/idempotency/acquireLock.ts";
import {
  FingerprintError,
  Idempotency,
  InFlightError,
  idempotent,
  NotKeptError,
} from "../../src/idempotency/index.ts";
import type { AcquireResult } from "../../src/idempotency/rule.ts";
import { errorOf, ScriptedRedis } from "./fakePorts.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const running = { outcome: "running", waitMs: 30_000 } as const;

/** Waits for a key that stays locked, and notes the time of each call of the store. */
function waitForKey(times: number[], waitMs: number, signal?: AbortSignal, delayMs = 0) {
  const began = performance.now();
  const acquire = vi.fn(async () => {
    times.push(performance.now() - began);
    if (delayMs > 0) await new Promise((wake) => setTimeout(wake, delayMs));
    return running;
  });
  // The first call is an acquire, and the others are reads.
  const call = acquireOrWait(acquire, () => acquire(), waitMs, signal);
  call.catch(() => {});
  return call;
}

describe("the pauses", () => {
  test.each([
    ["shortest", 0, 10],
    ["longest", 1 - Number.EPSILON, 20],
  ])("grow to half a second, with the %s random part", async (_, random, first) => {
    vi.spyOn(Math, "random").mockReturnValue(random);
    const times: number[] = [];
    const call = waitForKey(times, 10_000);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await call).toEqual(running);
    const pauses = times.slice(1).map((time, at) => time - (times[at] as number));
    for (const [at, pause] of pauses.slice(0, -1).entries()) {
      const expected = Math.min(first * 2 ** at, 25 * first);
      expect(pause).toBeGreaterThanOrEqual(Math.floor(expected) - 1);
      expect(pause).toBeLessThanOrEqual(expected + 1);
    }
    // The last read is at the end of the wait.
    expect(times.at(-1)).toBeGreaterThanOrEqual(10_000);
    expect(times.at(-1)).toBeLessThanOrEqual(10_001);
    expect(times.length).toBeLessThanOrEqual(50);
  });

  test("are none without a wait", async () => {
    const times: number[] = [];
    expect(await waitForKey(times, 0)).toEqual(running);
    expect(times).toHaveLength(1);
  });

  test("do not begin after a store that answers later than waitMs", async () => {
    const times: number[] = [];
    const call = waitForKey(times, 500, undefined, 600);
    await vi.advanceTimersByTimeAsync(600);
    expect(await call).toEqual(running);
    expect(times).toEqual([0]);
  });

  test("leave no timer and no listener behind", async () => {
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, "addEventListener");
    const remove = vi.spyOn(signal, "removeEventListener");
    const call = waitForKey([], 5000, signal);
    await vi.advanceTimersByTimeAsync(6000);
    await call;
    expect(vi.getTimerCount()).toBe(0);
    expect(add.mock.calls.length).toBeGreaterThan(10);
    expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(
      add.mock.calls.map(([, listener]) => listener),
    );
  });
});

describe("a signal", () => {
  test("ends a pause with its reason, and sends nothing more", async () => {
    const times: number[] = [];
    const controller = new AbortController();
    const call = waitForKey(times, 10_000, controller.signal).catch((error) => error);
    await vi.advanceTimersByTimeAsync(1000);
    const { length } = times;
    const reason = new Error("gone");
    controller.abort(reason);
    expect(await call).toBe(reason);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(times).toHaveLength(length);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that is aborted already allows one acquire", async () => {
    const times: number[] = [];
    const reason = new Error("gone");
    const signal = AbortSignal.abort(reason);
    await expect(waitForKey(times, 10_000, signal)).rejects.toBe(reason);
    expect(times).toHaveLength(1);
    const acquired: AcquireResult = { outcome: "acquired" };
    const peek = vi.fn();
    expect(await acquireOrWait(async () => acquired, peek, 10_000, signal)).toEqual(acquired);
    expect(peek).not.toHaveBeenCalled();
  });

  test("whose reason is a BackendError is not an error of the store", async () => {
    const reason = new BackendError("lease: renew", "timeout", "no answer");
    const once = new Idempotency({
      backend: new ScriptedRedis("running 900", "running 800"),
      name: "n",
      inFlight: "wait",
      onStoreError: "allow",
    });
    const work = vi.fn();
    const call = errorOf(once.once("k", "f", work, { signal: AbortSignal.abort(reason) }));
    await vi.advanceTimersByTimeAsync(5000);
    expect(await call).toBe(reason);
    expect(work).not.toHaveBeenCalled();
  });

  test("of a request ends its wait", async () => {
    const backend = memory();
    let finish = () => {};
    const run = vi.fn(
      () =>
        new Promise<Response>((resolve) => {
          finish = () => resolve(new Response("done"));
        }),
    );
    const handler = idempotent(run, { backend, name: "n", tenant: () => "", inFlight: "wait" });
    const request = (signal?: AbortSignal) =>
      new Request("https://shop.example/", {
        method: "POST",
        headers: { "idempotency-key": "k" },
        ...(signal && { signal }),
      });
    const first = handler(request());
    while (run.mock.calls.length === 0) await vi.advanceTimersByTimeAsync(1);
    const controller = new AbortController();
    const second = handler(request(controller.signal)).catch((error) => error);
    await vi.advanceTimersByTimeAsync(200);
    controller.abort(new Error("client has gone"));
    await vi.advanceTimersByTimeAsync(0);
    expect(await second).toMatchObject({ message: "client has gone" });
    finish();
    expect(await (await first).text()).toBe("done");
    expect(run).toHaveBeenCalledOnce();
  });
});

describe("a wait ends", () => {
  const make = (backend: ScriptedRedis, options = {}) =>
    new Idempotency({ backend, name: "n", inFlight: "wait", waitMs: 5000, ...options });

  test.each([
    ["a FingerprintError", ["absent", "mismatch"], FingerprintError],
    ["a NotKeptError", ["unstored", "unstored"], NotKeptError],
    ["a BackendError of the read", ["nonsense"], BackendError],
    ["a BackendError of the acquire", ["running 0", "nonsense"], BackendError],
  ])("with %s at once", async (_, answers, ErrorClass) => {
    const backend = new ScriptedRedis("running 900", ...answers);
    const call = errorOf(make(backend).once("k", "f", () => 1));
    await vi.advanceTimersByTimeAsync(30);
    expect(await call).toBeInstanceOf(ErrorClass);
    expect(backend.sent).toHaveLength(1 + answers.length);
  });

  test("goes on, if another waiting call was faster", async () => {
    const backend = new ScriptedRedis(
      "running 900",
      "running 0",
      "running 30000",
      "absent",
      "acquired",
      "yes",
    );
    const call = make(backend).once("k", "f", () => 1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await call).toEqual({ value: 1, isReplay: false });
    // Acquires have four arguments, reads none.
    expect(backend.sent).toEqual(["HSET 4", " 0", "HSET 4", " 0", "HSET 4", "HSET HDEL 3"]);
  });

  test("with the work, if the store fails and onStoreError is allow", async () => {
    const backend = new ScriptedRedis("running 900", "nonsense");
    const call = make(backend, { onStoreError: "allow" }).once("k", "f", () => 1);
    await vi.advanceTimersByTimeAsync(30);
    expect(await call).toMatchObject({ value: 1, isReplay: false, error: expect.any(BackendError) });
  });

  test("with an InFlightError of the last answer", async () => {
    const backend = new ScriptedRedis();
    backend.eval = async () => "running 777";
    const call = errorOf(make(backend).once("k", "f", () => 1));
    await vi.advanceTimersByTimeAsync(6000);
    const error = await call;
    expect(error).toBeInstanceOf(InFlightError);
    expect(error).toHaveProperty("lockedMs", 777);
  });

  test("with a lock that holds from the last acquire on", async () => {
    const backend = new ScriptedRedis(...Array<string>(8).fill("running 900"), "absent", "acquired", "yes");
    let isAborted: boolean | undefined;
    const call = make(backend, { lockMs: 300 }).once("k", "f", async (signal) => {
      // The first acquire was longer ago than the lock holds.
      await new Promise((wake) => setTimeout(wake, 50));
      isAborted = signal.aborted;
    });
    await vi.advanceTimersByTimeAsync(5000);
    expect(await call).toEqual({ value: undefined, isReplay: false });
    expect(isAborted).toBe(false);
  });
});

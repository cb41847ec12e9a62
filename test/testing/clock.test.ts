// testClock: a clock that a test moves.

import { describe, expect, test } from "vitest";
import { ArgumentError, makeGenerator } from "../../src/index.ts";
import { type TestClockOptions, testClock } from "../../src/testing/index.ts";

describe("a test clock", () => {
  test("stands still at 2026-01-01 until the test moves it", () => {
    const clock = testClock();
    expect([clock(), clock()].map((ms) => new Date(ms).toISOString())).toEqual(
      Array(2).fill("2026-01-01T00:00:00.000Z"),
    );
    clock.advance(1500);
    expect(new Date(clock()).toISOString()).toBe("2026-01-01T00:00:01.500Z");
    clock.advance(-2000);
    expect(new Date(clock()).toISOString()).toBe("2025-12-31T23:59:59.500Z");
    clock.nowMs = 5;
    expect(clock()).toBe(5);
  });

  test("starts at a Date or at milliseconds, and moves by its step after each reading", () => {
    const clock = testClock({ start: new Date(1000), step: 7 });
    expect([clock(), clock(), clock.nowMs, clock()]).toEqual([1000, 1007, 1014, 1014]);
    expect(testClock({ start: 3 })()).toBe(3);
  });

  test("is an identity of its own", () => {
    const next = () => makeGenerator("twitter", { clock: testClock() }).nextId();
    expect(next()).toBe(next());
    const clock = testClock();
    const [first, second] = [0, 0].map(() => makeGenerator("twitter", { clock }).nextId());
    expect(second).toBe((first as bigint) + 1n);
  });

  test.each<[TestClockOptions, string]>([
    [{ start: Number.NaN }, "start must be a whole number from "],
    [{ start: new Date(Number.NaN) }, "start must be a whole number from "],
    [{ start: 1.5 }, "start must be a whole number from "],
    [{ start: "2026-01-01" as never }, "start must be a whole number from "],
    [{ step: -1 }, "step must be a whole number from 0 to "],
    [{ step: 0.5 }, "step must be a whole number from 0 to "],
    [{ steps: 1 } as never, "option must be one of start, step, got "],
    [null as never, "options must be an object, got null"],
  ])("of %j is refused", (options, message) => {
    expect(() => testClock(options)).toThrow(ArgumentError);
    expect(() => testClock(options)).toThrow(message);
  });

  test.each([Number.NaN, 0.5, Infinity, "5"])("is not moved by %s", (ms) => {
    const clock = testClock();
    const before = clock.nowMs;
    expect(() => clock.advance(ms as number)).toThrow("ms must be a whole number from ");
    expect(clock.nowMs).toBe(before);
  });

  test("that is set to no number is an error of the generator", () => {
    const clock = testClock();
    clock.nowMs = Number.NaN;
    expect(() => makeGenerator("twitter", { clock }).nextId()).toThrow("clock() must be a finite number");
  });
});

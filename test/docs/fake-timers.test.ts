// The recipe of docs/testing.md for Vitest, with more than one test. The recipes alone, for Jest too, are apps in test/apps.

import { decode, nextId } from "bitflake";
import { reset } from "bitflake/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-05-01") });
  reset();
});
afterEach(() => {
  vi.useRealTimers();
});

test("an ID carries the fake time", () => {
  expect(decode(nextId(), "minimal").generatedAt).toBe("2026-05-01T00:00:00.000Z");
});

test("an ID carries the fake time in the next test too, in which the clock has gone back", () => {
  vi.advanceTimersByTime(86_400_000);
  expect(decode(nextId(), "minimal").generatedAt).toBe("2026-05-02T00:00:00.000Z");
});

test.each(["2030-01-02", "2030-01-01", "2024-01-01"])("an ID carries the date %s, after reset", (day) => {
  vi.setSystemTime(new Date(day));
  reset();
  const ids = [nextId(), nextId()];
  expect(ids.map((id) => decode(id, "minimal").generatedAt)).toEqual(Array(2).fill(`${day}T00:00:00.000Z`));
  expect(ids[1]).toBe((ids[0] as bigint) + 1n);
});

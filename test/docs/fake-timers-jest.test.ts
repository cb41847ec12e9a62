// The recipe of docs/testing.md for Jest, which stands here as it stands there. It runs on the parts of Vitest that stand for
// those of Jest.

import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { decode, nextId } from "bitflake";
import { reset } from "bitflake/testing";

beforeEach(() => {
  jest.useFakeTimers({ now: new Date("2026-05-01") });
  reset();
});
afterEach(() => {
  jest.useRealTimers();
});

test("an ID carries the fake time", () => {
  expect(decode(nextId(), "minimal").generatedAt).toBe("2026-05-01T00:00:00.000Z");
});

test("an ID carries the fake time in the next test too, in which the clock has gone back", () => {
  jest.advanceTimersByTime(86_400_000);
  expect(decode(nextId(), "minimal").generatedAt).toBe("2026-05-02T00:00:00.000Z");
});

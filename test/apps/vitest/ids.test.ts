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

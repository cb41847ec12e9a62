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

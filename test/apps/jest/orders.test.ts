import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { decode } from "bitflake";
import { deterministic, reset } from "bitflake/testing";
import { createOrder } from "./orders.js";

beforeEach(reset);
afterEach(() => {
  jest.useRealTimers();
});

// Each day is before the one of the test that ran before it.
test.each(["2030-01-02", "2030-01-01", "2024-01-01"])("an order has the fake date %s", (day) => {
  jest.useFakeTimers({ now: new Date(day) });
  expect(decode(createOrder(1250).id, "twitter").generatedAt).toBe(`${day}T00:00:00.000Z`);
  jest.advanceTimersByTime(86_400_000);
  const nextDay = new Date(Date.parse(day) + 86_400_000).toISOString();
  expect(decode(createOrder(1250).id, "twitter").generatedAt).toBe(nextDay);
});

test("an order has the same ID in each run", () => {
  const ids = deterministic({ preset: "twitter", machineId: 7, start: new Date("2026-05-01") });
  expect(createOrder(1250, () => ids.nextId())).toEqual({ id: 837840745267228672n, cents: 1250 });
});

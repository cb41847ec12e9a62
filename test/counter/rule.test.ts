// The rule of counters, as a table and as promises.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LAST, NONE, outcomeOf, reserve } from "../../src/counter/rule.ts";
import { anyRequest, anyValue } from "./arbitraries.ts";

const range = (first: bigint, last: bigint) => ({ first, last });

describe("a reservation", () => {
  test.each([
    ["a new counter starts at the floor", NONE, 1n, 1n, NONE, 1n, range(1n, 1n)],
    ["a floor of 0 is a value", NONE, 1n, 0n, NONE, 0n, range(0n, 0n)],
    ["a block from a floor of 0", NONE, 10n, 0n, NONE, 9n, range(0n, 9n)],
    ["goes on after the last value", 7n, 1n, 1n, 7n, 8n, range(8n, 8n)],
    ["goes on though others have had values meanwhile", 9n, 1n, 1n, 7n, 10n, range(10n, 10n)],
    ["a block", 7n, 5n, 1n, NONE, 12n, range(8n, 12n)],
    ["one below the floor", 98n, 1n, 100n, NONE, 100n, range(100n, 100n)],
    ["just below the floor", 99n, 1n, 100n, NONE, 100n, range(100n, 100n)],
    ["at the floor", 100n, 1n, 100n, NONE, 101n, range(101n, 101n)],
    ["a floor with fewer digits", 1000n, 1n, 999n, NONE, 1001n, range(1001n, 1001n)],
    ["across 2^53", 2n ** 53n - 1n, 3n, 1n, NONE, 2n ** 53n + 2n, range(2n ** 53n, 2n ** 53n + 2n)],
    ["what is left of a block", LAST - 300n, 1000n, 1n, NONE, LAST, range(LAST - 299n, LAST)],
    ["a block that just fits", LAST - 1000n, 1000n, 1n, NONE, LAST, range(LAST - 999n, LAST)],
    ["the last value", LAST - 1n, 1n, 1n, LAST - 1n, LAST, range(LAST, LAST)],
    ["the last value as the floor, by the block", NONE, 1000n, LAST, NONE, LAST, range(LAST, LAST)],
    ["nothing after the last value", LAST, 1n, 1n, LAST, LAST, "exhausted"],
    ["nothing after the last value for anyone", LAST, 1000n, 1n, NONE, LAST, "exhausted"],
    ["a counter that is behind", 6n, 1n, 1n, 7n, 6n, "backwards"],
    ["a counter that is gone", NONE, 1n, 1n, 7n, NONE, "backwards"],
    ["a counter that is gone after a single 0", NONE, 1n, 0n, 0n, NONE, "backwards"],
    ["a counter that is gone after the last value", NONE, 1n, 1n, LAST, NONE, "backwards"],
    ["behind, though the floor is above", 6n, 1n, 1000n, 7n, 6n, "backwards"],
  ] as const)("%s", (_, at, count, floor, highest, after, outcome) => {
    expect(reserve(at, { count, floor, highest })).toEqual([after, outcome]);
  });

  test("gives values that are new, in range, and as many as asked for or all that are left", () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant(NONE), anyValue), anyRequest, (at, request) => {
        const [after, outcome] = reserve(at, request);
        if (typeof outcome === "string") {
          expect(after).toBe(at);
          expect(outcome).toBe(at < request.highest ? "backwards" : "exhausted");
          return;
        }
        const { first, last } = outcome;
        for (const below of [at, request.highest, request.floor - 1n]) expect(first > below).toBe(true);
        expect(last).toBe(after);
        expect(last <= LAST).toBe(true);
        const count = last - first + 1n;
        expect(count === request.count || (count > 0n && count < request.count && last === LAST)).toBe(true);
        // No value is left out that could have come.
        expect(first === at + 1n || first === request.floor).toBe(true);
      }),
    );
  });
});

describe("what a store says it did", () => {
  test("is believed if it is the rule, and nothing else is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant(NONE), anyValue), anyRequest, anyValue, (at, request, other) => {
        const [after, outcome] = reserve(at, request);
        expect(outcomeOf(request, at, after)).toEqual(outcome);
        if (other !== after) expect(outcomeOf(request, at, other)).toBe(undefined);
      }),
    );
  });
});

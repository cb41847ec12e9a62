// Rule of counters: a table of transitions, and properties.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkOutcome, MAX_VALUE, NO_VALUE, reserve } from "../../src/counter/rule.ts";
import { anyRequest, anyValue } from "./arbitraries.ts";

const range = (first: bigint, last: bigint) => ({ first, last });

test("NO_VALUE is one below the smallest value", () => {
  expect(NO_VALUE).toBe(-1n);
});

describe("reserve", () => {
  test.each([
    ["starts a new counter current the floor", NO_VALUE, 1n, 1n, NO_VALUE, 1n, range(1n, 1n)],
    ["grants 0 if the floor is 0", NO_VALUE, 1n, 0n, NO_VALUE, 0n, range(0n, 0n)],
    ["grants a block from a floor of 0", NO_VALUE, 10n, 0n, NO_VALUE, 9n, range(0n, 9n)],
    ["continues after the last value", 7n, 1n, 1n, 7n, 8n, range(8n, 8n)],
    ["continues when other clients have had values meanwhile", 9n, 1n, 1n, 7n, 10n, range(10n, 10n)],
    ["grants a block", 7n, 5n, 1n, NO_VALUE, 12n, range(8n, 12n)],
    ["jumps to the floor from below it", 98n, 1n, 100n, NO_VALUE, 100n, range(100n, 100n)],
    ["starts current the floor from one below it", 99n, 1n, 100n, NO_VALUE, 100n, range(100n, 100n)],
    ["continues from the floor", 100n, 1n, 100n, NO_VALUE, 101n, range(101n, 101n)],
    ["ignores a floor with fewer digits", 1000n, 1n, 999n, NO_VALUE, 1001n, range(1001n, 1001n)],
    [
      "is exact across 2^53",
      2n ** 53n - 1n,
      3n,
      1n,
      NO_VALUE,
      2n ** 53n + 2n,
      range(2n ** 53n, 2n ** 53n + 2n),
    ],
    [
      "grants the rest when less than a block is left",
      MAX_VALUE - 300n,
      1000n,
      1n,
      NO_VALUE,
      MAX_VALUE,
      range(MAX_VALUE - 299n, MAX_VALUE),
    ],
    [
      "grants a block that ends current the largest value",
      MAX_VALUE - 1000n,
      1000n,
      1n,
      NO_VALUE,
      MAX_VALUE,
      range(MAX_VALUE - 999n, MAX_VALUE),
    ],
    [
      "grants the largest value",
      MAX_VALUE - 1n,
      1n,
      1n,
      MAX_VALUE - 1n,
      MAX_VALUE,
      range(MAX_VALUE, MAX_VALUE),
    ],
    [
      "grants the largest value when it is the floor of a block",
      NO_VALUE,
      1000n,
      MAX_VALUE,
      NO_VALUE,
      MAX_VALUE,
      range(MAX_VALUE, MAX_VALUE),
    ],
    ["is exhausted after the largest value", MAX_VALUE, 1n, 1n, MAX_VALUE, MAX_VALUE, "exhausted"],
    [
      "is exhausted after the largest value, also for a new client",
      MAX_VALUE,
      1000n,
      1n,
      NO_VALUE,
      MAX_VALUE,
      "exhausted",
    ],
    ["refuses a counter that is behind the client", 6n, 1n, 1n, 7n, 6n, "backwards"],
    ["refuses a counter that is gone", NO_VALUE, 1n, 1n, 7n, NO_VALUE, "backwards"],
    ["refuses a counter that is gone after the value 0", NO_VALUE, 1n, 0n, 0n, NO_VALUE, "backwards"],
    [
      "refuses a counter that is gone after the largest value",
      NO_VALUE,
      1n,
      1n,
      MAX_VALUE,
      NO_VALUE,
      "backwards",
    ],
    ["refuses a counter that is behind, even if the floor is above", 6n, 1n, 1000n, 7n, 6n, "backwards"],
  ] as const)("%s", (_, current, count, floor, highest, after, outcome) => {
    expect(reserve(current, { count, floor, highest })).toEqual([after, outcome]);
  });

  test("grants new values in range, as many as requested or all that are left", () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant(NO_VALUE), anyValue), anyRequest, (current, request) => {
        const [after, outcome] = reserve(current, request);
        if (typeof outcome === "string") {
          expect(after).toBe(current);
          expect(outcome).toBe(current < request.highest ? "backwards" : "exhausted");
          return;
        }
        const { first, last } = outcome;
        for (const below of [current, request.highest, request.floor - 1n]) expect(first > below).toBe(true);
        expect(last).toBe(after);
        expect(last <= MAX_VALUE).toBe(true);
        const count = last - first + 1n;
        expect(count === request.count || (count > 0n && count < request.count && last === MAX_VALUE)).toBe(
          true,
        );
        // No possible value is skipped.
        expect(first === current + 1n || first === request.floor).toBe(true);
      }),
    );
  });
});

describe("checkOutcome", () => {
  test("accepts the outcome of the rule and no other", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(NO_VALUE), anyValue),
        anyRequest,
        anyValue,
        (current, request, other) => {
          const [after, outcome] = reserve(current, request);
          expect(checkOutcome(request, current, after)).toEqual(outcome);
          if (other !== after) expect(checkOutcome(request, current, other)).toBe(undefined);
        },
      ),
    );
  });
});

import { inspect } from "node:util";
import { describe, expect, expectTypeOf, test } from "vitest";
import * as backend from "../src/backend/index.ts";
import * as client from "../src/client/index.ts";
import * as counter from "../src/counter/index.ts";
import * as idempotency from "../src/idempotency/index.ts";
import * as bitflake from "../src/index.ts";
import {
  type AnyBitflakeError,
  ArgumentError,
  BitflakeError,
  ClockBackwardsError,
  ClockStalledError,
  EpochError,
  type ErrorCode,
  InvalidIdError,
  LayoutError,
  SequenceExhaustedError,
  TimestampOverflowError,
  UnsupportedError,
} from "../src/index.ts";
import * as lease from "../src/lease/index.ts";
import * as migrate from "../src/migrate/index.ts";
import * as numeric from "../src/numeric/index.ts";
import * as testing from "../src/testing/index.ts";

const each: [string, ErrorCode, BitflakeError][] = [
  ["ArgumentError", "ERR_ARGUMENT", new ArgumentError("count", "whole", 1.5)],
  ["LayoutError", "ERR_LAYOUT", new LayoutError("timestampBits", "less", 99)],
  ["InvalidIdError", "ERR_INVALID_ID", new InvalidIdError("id", "an ID", "x")],
  ["ClockBackwardsError", "ERR_CLOCK_BACKWARDS", new ClockBackwardsError(20, 5, 10)],
  ["ClockStalledError", "ERR_CLOCK_STALLED", new ClockStalledError(5, 100)],
  ["SequenceExhaustedError", "ERR_SEQUENCE_EXHAUSTED", new SequenceExhaustedError(5, 1)],
  ["TimestampOverflowError", "ERR_TIMESTAMP_OVERFLOW", new TimestampOverflowError(9, 5, 4)],
  ["EpochError", "ERR_EPOCH", new EpochError(1, 2)],
  ["UnsupportedError", "ERR_UNSUPPORTED", new UnsupportedError("crypto")],
  ["BackendError", "ERR_BACKEND", new backend.BackendError("setup", "timeout", "late")],
  ["ClockSkewError", "ERR_CLOCK_SKEW", new lease.ClockSkewError(9, 3, 5)],
  [
    "ConformanceError",
    "ERR_CONFORMANCE",
    new testing.ConformanceError([{ rule: "r", key: "k", expected: "a", actual: "b" }], 7),
  ],
  ["CounterBackwardsError", "ERR_COUNTER_BACKWARDS", new counter.CounterBackwardsError("n", 7n)],
  ["CounterExhaustedError", "ERR_COUNTER_EXHAUSTED", new counter.CounterExhaustedError("n")],
  ["FingerprintError", "ERR_FINGERPRINT", new idempotency.FingerprintError("k")],
  ["IdPoolEmptyError", "ERR_ID_POOL_EMPTY", new numeric.IdPoolEmptyError("farmer", 3, 2)],
  ["IdPoolExhaustedError", "ERR_ID_POOL_EXHAUSTED", new numeric.IdPoolExhaustedError("farmer", 3, 2)],
  ["IdPoolHistoryError", "ERR_ID_POOL_HISTORY", new numeric.IdPoolHistoryError("farmer", "7.1", "7.2")],
  ["InFlightError", "ERR_IN_FLIGHT", new idempotency.InFlightError("k", 5)],
  ["LeaseExpiredError", "ERR_LEASE_EXPIRED", new lease.LeaseExpiredError(3, 5, 6)],
  ["LockLostError", "ERR_LOCK_LOST", new idempotency.LockLostError("k")],
  ["NamespaceError", "ERR_NAMESPACE", new lease.NamespaceError("namespace n", "a", "b")],
  ["LeaseFenceError", "ERR_LEASE_FENCE", new lease.LeaseFenceError("n", 5)],
  ["StoreCutOffError", "ERR_STORE_CUT_OFF", new lease.StoreCutOffError("n", 5, 6)],
  ["NoNodeAvailableError", "ERR_NO_NODE_AVAILABLE", new lease.NoNodeAvailableError("n", 32, 5)],
  ["NotKeptError", "ERR_NOT_KEPT", new idempotency.NotKeptError("k")],
  [
    "ServiceError",
    "ERR_SERVICE",
    new client.ServiceError({ request: "GET /health", url: "http://a", reason: "timeout", what: "late" }, 1),
  ],
  ["TickFullError", "ERR_TICK_FULL", new migrate.TickFullError(1_700_000_000_000, 5, 4096)],
  ["NoValidIdError", "ERR_NO_VALID_ID", new numeric.NoValidIdError("farmer", 10)],
];

describe("every error", () => {
  test.each(each)("%s has the code %s, and shows its name everywhere", (name, code, error) => {
    expect(error).toBeInstanceOf(BitflakeError);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(name);
    expect(error.code).toBe(code);
    expect(error.stack).toContain(`${name}: ${error.message}`);
    expect(inspect(error)).toContain(code);
    // Loggers copy own properties.
    expect({ ...error }).toHaveProperty("code", code);
    expect(Object.keys(error)).not.toContain("cause");
    // And write them as JSON.
    expect(JSON.parse(JSON.stringify(error))).toHaveProperty("code", code);
  });

  test("is exported, and every exported error is in this table", () => {
    const exported = Object.keys({
      ...bitflake,
      ...backend,
      ...client,
      ...counter,
      ...idempotency,
      ...lease,
      ...numeric,
      ...migrate,
      ...testing,
    }).filter((name) => name.endsWith("Error") && name !== "BitflakeError");
    expect(exported.sort()).toEqual(each.map(([name]) => name).sort());
  });

  test.each([
    new UnsupportedError("crypto", { cause: "why" }),
    new backend.BackendError("setup", "failed", "down", { cause: "why" }),
    new client.ServiceError({ request: "", url: "", reason: "network", what: "down", cause: "why" }, 1),
    new numeric.IdPoolEmptyError("farmer", 3, 2, { cause: "why" }),
    new lease.LeaseExpiredError(3, 5, 6, { cause: "why" }),
  ])("$name keeps its cause, which is not enumerable, as that of a built-in error", (error) => {
    expect(error.cause).toBe("why");
    expect(Object.keys(error)).not.toContain("cause");
  });

  test("has typed facts", () => {
    expectTypeOf<ClockBackwardsError["backwardMs"]>().toEqualTypeOf<number>();
    expectTypeOf<BitflakeError["code"]>().toEqualTypeOf<ErrorCode>();
    expectTypeOf<LayoutError>().toExtend<ArgumentError>();
  });

  test("is in the union of all errors, which a switch over the code narrows", () => {
    expectTypeOf<AnyBitflakeError["code"]>().toEqualTypeOf<ErrorCode>();
    const explain = (error: AnyBitflakeError): number | string => {
      switch (error.code) {
        case "ERR_CLOCK_BACKWARDS":
          expectTypeOf(error).toEqualTypeOf<ClockBackwardsError>();
          return error.backwardMs;
        case "ERR_NO_NODE_AVAILABLE":
          expectTypeOf(error).toEqualTypeOf<lease.NoNodeAvailableError>();
          return error.soonestMs;
        case "ERR_ID_POOL_EXHAUSTED":
          expectTypeOf(error).toEqualTypeOf<numeric.IdPoolExhaustedError>();
          return error.remaining;
        case "ERR_LAYOUT":
        case "ERR_ARGUMENT":
          expectTypeOf(error.field).toEqualTypeOf<string>();
          return error.field;
        default:
          return error.code;
      }
    };
    expect(explain(new ClockBackwardsError(20, 5, 10))).toBe(15);
    expect(explain(new lease.NoNodeAvailableError("n", 32, 5))).toBe(5);
    expect(explain(new numeric.IdPoolExhaustedError("farmer", 3, 2))).toBe(2);
    expect(explain(new LayoutError("timestampBits", "less", 99))).toBe("timestampBits");
    expect(explain(new UnsupportedError("crypto"))).toBe("ERR_UNSUPPORTED");
  });

  test("of an exhausted pool has what is left under the old name as well", () => {
    const error = new numeric.IdPoolExhaustedError("farmer", 3, 2);
    expect(error).toMatchObject({ remaining: 2, available: 2 });
  });
});

describe("the value in a message", () => {
  const hostile = {
    toString(): string {
      throw new Error("ran code of the value");
    },
  };
  test.each([
    ["a number", 32, "32"],
    ["NaN", Number.NaN, "NaN"],
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["a boolean", true, "true"],
    ["a bigint", 5n, "5n"],
    ["a string, quoted", "32", '"32"'],
    ["a line break, escaped", "a\nb", '"a\\nb"'],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["a function", () => 1, "[function]"],
    ["an object, without running its code", hostile, "[object]"],
    ["an array", [1], "[object]"],
    ["62 characters", "x".repeat(62), `"${"x".repeat(62)}"`],
    ["65 characters, cut", "x".repeat(65), `"${"x".repeat(63)}`],
    ["half a gigabyte, cut before it is written out", "\0".repeat(5e8), `"${"\\u0000".repeat(10)}\\u0`],
    ["a long symbol, cut", Symbol("s".repeat(99)), `Symbol(${"s".repeat(57)}`],
    ["a bigint of 128 bits", -(2n ** 127n), `-${2n ** 127n}n`],
    ["a larger bigint, not written out", 2n ** 127n, "[bigint]"],
    ["a bigint of 30,000,000 digits", 1n << 100_000_000n, "[bigint]"],
  ])("%s", (_title, value, shown) => {
    expect(new ArgumentError("x", "good", value).message).toBe(`x must be good, got ${shown}`);
  });

  test("field, rule and value are fields, and the error can be logged as JSON", () => {
    for (const value of ["y".repeat(100), hostile, 5n, 32, undefined]) {
      const error = new ArgumentError("x", "good", value);
      expect(error.message).toBe(`x must be good, got ${error.value}`);
      expect(JSON.parse(JSON.stringify(error))).toEqual({
        code: "ERR_ARGUMENT",
        field: "x",
        rule: "good",
        value: error.value,
      });
    }
  });
});

// The response of each error.

import { describe, expect, test } from "vitest";
import * as errors from "../../src/errors.ts";
import { HttpError, toHttpError } from "../../src/service/response.ts";

describe("an error", () => {
  test.each<[number, string, unknown]>([
    [503, "ERR_BACKEND", new errors.BackendError("counter: reserve", "failed", "redis://:secret@10.0.0.5")],
    [503, "ERR_CLOCK_BACKWARDS", new errors.ClockBackwardsError(20, 5, 10)],
    [503, "ERR_CLOCK_SKEW", new errors.ClockSkewError(9, 3, 5)],
    [503, "ERR_CLOCK_STALLED", new errors.ClockStalledError(5, 100)],
    [503, "ERR_COUNTER_BACKWARDS", new errors.CounterBackwardsError("n", 7n)],
    [503, "ERR_EPOCH", new errors.EpochError(1, 2)],
    [503, "ERR_LEASE_EXPIRED", new errors.LeaseExpiredError(3, 5, 6)],
    [503, "ERR_NO_NODE_AVAILABLE", new errors.NoNodeAvailableError("n", 32, 5)],
    [503, "ERR_SEQUENCE_EXHAUSTED", new errors.SequenceExhaustedError(5, 1)],
    [503, "ERR_TIMESTAMP_OVERFLOW", new errors.TimestampOverflowError(9, 5, 4)],
    [410, "ERR_COUNTER_EXHAUSTED", new errors.CounterExhaustedError("n")],
    // An ArgumentError is the client's only where rejectInvalidInput says so.
    [500, "ERR_INTERNAL", new errors.ArgumentError("field", "right", "secret")],
    [500, "ERR_INTERNAL", new TypeError("secret")],
    [500, "ERR_INTERNAL", "secret"],
    [500, "ERR_INTERNAL", undefined],
  ])("becomes %d with the code %s", (status, code, error) => {
    const response = toHttpError(error).toResponse();
    expect(response.status).toBe(status);
    expect(response.headers["content-type"]).toBe("application/problem+json");
    expect(response.headers["retry-after"]).toBe(
      status === 503 && code !== "ERR_COUNTER_BACKWARDS" ? "1" : undefined,
    );
    expect(JSON.parse(response.body)).toMatchObject({
      type: "about:blank",
      title: expect.any(String),
      status,
      code,
    });
    expect(response.body).not.toContain("secret");
  });

  test("an HttpError stays as it is", () => {
    const httpError = new HttpError(429, "ERR_RATE_LIMITED", "Too many.", { "retry-after": "5" });
    expect(toHttpError(httpError)).toBe(httpError);
    expect(httpError.toResponse().headers).toEqual({
      "cache-control": "no-store",
      "content-type": "application/problem+json",
      "x-content-type-options": "nosniff",
      "retry-after": "5",
    });
  });
});

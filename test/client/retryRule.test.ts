// The rule of retries: which failures may pass, how long the pauses are, and the forms of a Retry-After.

import { describe, expect, test } from "vitest";
import { isShared, mayPass, parseRetryAfter, retryPause } from "../../src/client/retryRule.ts";
import type { ServiceFailure } from "../../src/internal.ts";

const failure = (facts: Partial<ServiceFailure>): ServiceFailure => ({
  request: "GET /",
  url: "http://a",
  reason: "status",
  what: "",
  ...facts,
});

describe("a failure", () => {
  test.each([408, 425, 429, 500, 502, 503, 504, 520, 599])("with the status %i may pass", (status) => {
    expect(mayPass(failure({ status }))).toBe(true);
  });

  test.each([
    0, 201, 204, 301, 308, 400, 401, 403, 404, 405, 406, 409, 410, 413, 414, 415, 422, 431, 501, 505,
  ])("with the status %i lasts", (status) => {
    expect(mayPass(failure({ status }))).toBe(false);
  });

  test.each(["network", "timeout", "answer"] as const)("of the kind %s may pass", (reason) => {
    expect(mayPass(failure({ reason }))).toBe(true);
  });

  test("that lasts until an operator moves the counter, and a closed client, are final", () => {
    expect(mayPass(failure({ status: 503, serviceCode: "ERR_COUNTER_BACKWARDS" }))).toBe(false);
    expect(mayPass(failure({ status: 503, serviceCode: "ERR_BACKEND" }))).toBe(true);
    expect(mayPass(failure({ reason: "closed" }))).toBe(false);
  });

  test("is that of all services only for the rate limit", () => {
    expect(isShared(failure({ status: 429 }))).toBe(true);
    expect(isShared(failure({ status: 503 }))).toBe(false);
    expect(isShared(failure({ reason: "network" }))).toBe(false);
  });
});

describe("the pause", () => {
  test.each([
    [1, 50],
    [2, 100],
    [3, 200],
    [6, 1600],
    [7, 2000],
    [1000, 2000],
  ])("after round %i is up to %i ms", (rounds, most) => {
    expect(retryPause(rounds, 0, 0)).toBe(0);
    expect(retryPause(rounds, 0, 0.5)).toBe(most / 2);
    expect(retryPause(rounds, 0, 1)).toBe(most);
  });

  test("begins after the Retry-After", () => {
    expect(retryPause(1, 3000, 0)).toBe(3000);
    expect(retryPause(2, 3000, 1)).toBe(3100);
  });
});

describe("a Retry-After", () => {
  const nowMs = Date.UTC(2026, 10, 27, 12);

  test.each([
    ["0", 0],
    ["1", 1000],
    ["120", 120_000],
    ["Fri, 27 Nov 2026 12:00:30 GMT", 30_000],
    ["Fri, 27 Nov 2026 11:00:00 GMT", 0],
    [`1${"0".repeat(400)}`, Number.POSITIVE_INFINITY],
  ])("of %j is a wait", (text, ms) => {
    expect(parseRetryAfter(text, nowMs)).toBe(ms);
  });

  test.each([
    null,
    "",
    " 1",
    "-1",
    "1.5",
    "1e3",
    "soon",
    "2026-11-27T12:00:30Z",
    "Fri, 99 Nov 2026 12:00:30 GMT",
  ])("of %j is none", (text) => {
    expect(parseRetryAfter(text, nowMs)).toBeUndefined();
  });
});

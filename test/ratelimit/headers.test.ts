// What clients are told in headers.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { BackendError, type Decision, RateLimit, rateLimitHeaders } from "../../src/ratelimit/index.ts";

const limiterOf = (name: string, limit = 10, windowMs = 60_000) =>
  new RateLimit({ backend: memory(), name, limit, windowMs });
const allowed: Decision = { allowed: true, remaining: 9, retryAfterMs: 0, resetMs: 6000 };

describe("the headers", () => {
  test("of a call that passes", () => {
    expect(rateLimitHeaders(limiterOf("api"), allowed)).toEqual({
      "ratelimit-policy": '"api";q=10;w=60',
      ratelimit: '"api";r=9;t=6',
    });
  });

  test("of a call that is denied say when to come again, never too early", () => {
    const denied = { allowed: false, remaining: 0, retryAfterMs: 1, resetMs: 54_001 };
    expect(rateLimitHeaders(limiterOf("api"), denied)).toEqual({
      "ratelimit-policy": '"api";q=10;w=60',
      ratelimit: '"api";r=0;t=55',
      "retry-after": "1",
    });
    expect(rateLimitHeaders(limiterOf("api"), { ...denied, retryAfterMs: 5001 })).toMatchObject({
      "retry-after": "6",
    });
  });

  test("say nothing of what remains where that is not known", () => {
    const error = new BackendError("ratelimit: limit", "timeout", "no answer");
    const decision = { allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 0, error };
    expect(rateLimitHeaders(limiterOf("api"), decision)).toEqual({ "ratelimit-policy": '"api";q=10;w=60' });
  });

  test.each([
    [1, 1],
    [999, 1],
    [1000, 1],
    [1001, 2],
    [2 ** 31 - 1, 2_147_484],
  ])("have a window of %d ms as %d s", (windowMs, seconds) => {
    const headers = rateLimitHeaders(limiterOf("api", 1, windowMs), allowed);
    expect(headers["ratelimit-policy"]).toBe(`"api";q=1;w=${seconds}`);
  });

  test.each([
    ["a b", '"a b"'],
    ["a;b=c, d", '"a;b=c, d"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["back\\slash", '"back\\\\slash"'],
    ["100%", '"100%25"'],
    ["%25", '"%2525"'],
    ["größe", '"gr%C3%B6%C3%9Fe"'],
    ["🙂", '"%F0%9F%99%82"'],
    ["~!", '"~!"'],
  ])("have the name %s as %s", (name, quoted) => {
    expect(rateLimitHeaders(limiterOf(name), allowed)["ratelimit"]).toBe(`${quoted};r=9;t=6`);
  });

  test("have each name so that a header can have it, and it can be read again", () => {
    const anyCharacter = fc
      .string({ unit: "binary", minLength: 1, maxLength: 1 })
      .filter((character) => /^[^\p{C}\p{Zl}\p{Zp}{}]$/u.test(character));
    // In UTF-16 the last ones have two.
    const anyName = fc.string({ unit: anyCharacter, minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(anyName, (name) => {
        const headers = rateLimitHeaders(limiterOf(name), allowed);
        expect(new Headers(headers).get("ratelimit")).toBe(headers["ratelimit"]);
        const [, quoted = ""] = /^"((?:[ !#-[\]-~]|\\["\\])*)";r=9;t=6$/.exec(headers["ratelimit"]) ?? [];
        expect(decodeURIComponent(quoted.replace(/\\(.)/g, "$1"))).toBe(name);
      }),
    );
  });
});

// Response headers of a rate limit, and that clients who follow them are allowed.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import {
  BackendError,
  type Decision,
  legacyRateLimitHeaders,
  RateLimit,
  rateLimitHeaders,
} from "../../src/ratelimit/index.ts";

const limiterOf = (name: string, limit = 10, windowMs = 60_000) =>
  new RateLimit({ backend: memory(), name, limit, windowMs });
const allowed: Decision = { allowed: true, remaining: 9, retryAfterMs: 0, resetMs: 6000 };

describe("the headers", () => {
  test("of an allowed call", () => {
    expect(rateLimitHeaders(limiterOf("api"), allowed)).toEqual({
      "ratelimit-policy": '"api";q=10;w=60',
      ratelimit: '"api";r=9;t=6',
    });
  });

  test("of a denied call have a retry-after that is never too early and never before t", () => {
    const denied = { allowed: false, remaining: 0, retryAfterMs: 1, resetMs: 54_001 };
    expect(rateLimitHeaders(limiterOf("api"), denied)).toEqual({
      "ratelimit-policy": '"api";q=10;w=60',
      ratelimit: '"api";r=0;t=1',
      "retry-after": "1",
    });
    expect(rateLimitHeaders(limiterOf("api"), { ...denied, retryAfterMs: 5001 })).toMatchObject({
      "retry-after": "6",
    });
    // SQL reads a denied key in a second statement, which may find quota again.
    const seenLater = { allowed: false, remaining: 3, retryAfterMs: 1, resetMs: 40_000 };
    expect(rateLimitHeaders(limiterOf("api"), seenLater)).toMatchObject({
      ratelimit: '"api";r=3;t=4',
      "retry-after": "4",
    });
  });

  test.each<[string, Partial<Decision>, string]>([
    ["the first call of ten", { remaining: 9, resetMs: 6000 }, "r=9;t=6"],
    ["the second call", { remaining: 8, resetMs: 12_000 }, "r=8;t=6"],
    ["the last call", { remaining: 0, resetMs: 60_000 }, "r=0;t=6"],
    ["the last call, a second ago", { remaining: 0, resetMs: 59_000 }, "r=0;t=5"],
    ["a part of a second", { remaining: 0, resetMs: 54_001 }, "r=0;t=1"],
    ["nothing used", { remaining: 10, resetMs: 0 }, "r=10"],
  ])("have the seconds until one more call is available, after %s", (_title, decision, wanted) => {
    expect(rateLimitHeaders(limiterOf("api"), { ...allowed, ...decision })["ratelimit"]).toBe(
      `"api";${wanted}`,
    );
  });

  test("are right when the interval is rounded up to a microsecond", () => {
    const limiter = limiterOf("api", 700_000, 1000);
    // 600,000 are used, at 2 µs and not 1.43: the next is available in 2 µs, and not in 343 ms.
    const half = { ...allowed, remaining: 100_000, resetMs: 1200 };
    expect(rateLimitHeaders(limiter, half)["ratelimit"]).toBe('"api";r=100000;t=1');
  });

  test("hold: after t seconds one more call passes, and a denied call passes after Retry-After", async () => {
    const step = fc.record({ waitMs: fc.nat(40_000), cost: fc.nat({ max: 4 }) });
    const limits = fc.record({
      limit: fc.integer({ min: 5, max: 30 }),
      windowMs: fc.integer({ min: 1, max: 100_000 }),
    });
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { minLength: 1, maxLength: 20 }), async (limit, steps) => {
        let now = 0;
        const clock = () => now;
        const backend = memory({ clock });
        const limiter = new RateLimit({ backend, name: "api", ...limit });
        /** Returns the decision at a later time, by the same calls on a new store. */
        const made: [number, number][] = [];
        const at = async (time: number, cost: number) => {
          const again = new RateLimit({ backend: memory({ clock: () => then }), name: "api", ...limit });
          let then = 0;
          for (const [when, madeCost] of made) {
            then = when;
            await again.limit("k", madeCost);
          }
          then = time;
          return again.limit("k", cost);
        };
        for (const { waitMs, cost: less } of steps) {
          const cost = less + 1;
          now += waitMs;
          const decision = await limiter.limit("k", cost);
          made.push([now, cost]);
          const { ratelimit = "", "retry-after": retryAfter } = rateLimitHeaders(limiter, decision);
          const [, remaining, seconds] = /;r=(\d+)(?:;t=(\d+))?$/.exec(ratelimit) ?? [];
          expect(Number(remaining)).toBe(decision.remaining);
          expect(seconds === undefined).toBe(decision.remaining === limit.limit);
          if (seconds === undefined) continue;
          expect(Number(seconds)).toBeGreaterThan(0);
          // The call itself takes one.
          const later = await at(now + Number(seconds) * 1000, 1);
          expect(later.remaining + 1).toBeGreaterThan(decision.remaining);
          // Not a second too late either, except for the millisecond by which the decision is rounded.
          if (Number(seconds) > 1) {
            const early = await at(now + (Number(seconds) - 1) * 1000 - 1, 1);
            expect(early.remaining + Number(early.allowed)).toBeLessThanOrEqual(decision.remaining);
          }
          if (decision.allowed) continue;
          expect(Number(retryAfter)).toBeGreaterThanOrEqual(Number(seconds));
          expect((await at(now + Number(retryAfter) * 1000, cost)).allowed).toBe(true);
        }
      }),
    );
  });

  test("have only the policy after an error of the store", () => {
    const error = new BackendError("ratelimit: limit", "timeout", "no answer");
    const decision = { allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 0, error };
    expect(rateLimitHeaders(limiterOf("api"), decision)).toEqual({ "ratelimit-policy": '"api";q=10;w=60' });
  });

  test("have the policy and retry-after if an insurance has denied the call", () => {
    const error = new BackendError("ratelimit: limit", "timeout", "no answer");
    const decision = { allowed: false, remaining: 0, retryAfterMs: 1500, resetMs: 9000, error };
    const headers = { "ratelimit-policy": '"api";q=10;w=60', "retry-after": "2" };
    expect(rateLimitHeaders(limiterOf("api"), decision)).toEqual(headers);
    expect(legacyRateLimitHeaders(limiterOf("api"), decision)).toEqual({ "retry-after": "2" });
    expect(legacyRateLimitHeaders(limiterOf("api"), { ...decision, allowed: true })).toEqual({});
  });

  test("have no retry-after for a call that never passes", () => {
    const denied = { allowed: false, remaining: 10, retryAfterMs: Infinity, resetMs: 0 };
    expect(rateLimitHeaders(limiterOf("api"), denied)).toEqual({
      "ratelimit-policy": '"api";q=10;w=60',
      ratelimit: '"api";r=10',
    });
  });

  test("of a blocked key name the end of the block", async () => {
    const limiter = new RateLimit({
      backend: memory({ clock: () => 0 }),
      name: "api",
      limit: 10,
      windowMs: 60_000,
    });
    await limiter.block("ada", 3_600_000);
    expect(rateLimitHeaders(limiter, await limiter.limit("ada"))).toEqual({
      "ratelimit-policy": '"api";q=10;w=60',
      ratelimit: '"api";r=0;t=3600',
      "retry-after": "3600",
    });
    await limiter.limit("bob", 10);
    await limiter.block("bob", 1000);
    expect(rateLimitHeaders(limiter, await limiter.limit("bob"))).toMatchObject({
      ratelimit: '"api";r=0;t=1',
      "retry-after": "6",
    });
  });

  test("count down from the burst, if it is another than the limit", async () => {
    for (const [burst, remaining] of [
      [3, "r=2;t=6"],
      [25, "r=24;t=6"],
    ] as const) {
      const options = {
        backend: memory({ clock: () => 0 }),
        name: "api",
        limit: 10,
        windowMs: 60_000,
        burst,
      };
      const limiter = new RateLimit(options);
      const headers = rateLimitHeaders(limiter, await limiter.limit("ada"));
      expect(headers).toEqual({ "ratelimit-policy": '"api";q=10;w=60', ratelimit: `"api";${remaining}` });
    }
  });

  test("are none in shadow, because clients would obey them", async () => {
    const limiter = new RateLimit({
      backend: memory(),
      name: "api",
      limit: 1,
      windowMs: 60_000,
      shadow: true,
    });
    for (let call = 0; call < 2; call++) {
      const decision = await limiter.limit("ada");
      expect(rateLimitHeaders(limiter, decision)).toEqual({});
      expect(legacyRateLimitHeaders(limiter, decision)).toEqual({});
    }
  });

  test("before the draft have limit, remaining and the second of the reset", () => {
    const limiter = limiterOf("api");
    expect(legacyRateLimitHeaders(limiter, allowed, 1_800_000_000_001)).toEqual({
      "x-ratelimit-limit": "10",
      "x-ratelimit-remaining": "9",
      "x-ratelimit-reset": "1800000007",
    });
    const denied = { allowed: false, remaining: 0, retryAfterMs: 5001, resetMs: 60_000 };
    expect(legacyRateLimitHeaders(limiter, denied, 0)).toEqual({
      "x-ratelimit-limit": "10",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": "60",
      "retry-after": "6",
    });
    const before = Math.floor(Date.now() / 1000);
    expect(Number(legacyRateLimitHeaders(limiter, denied)["x-ratelimit-reset"])).toBeGreaterThanOrEqual(
      before + 60,
    );
    const burst = new RateLimit({ backend: memory(), name: "api", limit: 10, windowMs: 60_000, burst: 3 });
    expect(legacyRateLimitHeaders(burst, allowed, 0)).toMatchObject({ "x-ratelimit-limit": "3" });
  });

  test.each([
    [1, 1],
    [999, 1],
    [1000, 1],
    [1001, 2],
    [2 ** 31 - 1, 2_147_484],
  ])("write a window of %d ms as %d s", (windowMs, seconds) => {
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
  ])("write the name %s as %s", (name, quoted) => {
    expect(rateLimitHeaders(limiterOf(name), allowed)["ratelimit"]).toBe(`${quoted};r=9;t=6`);
  });

  test("write every name as a valid header value that decodes to the name", () => {
    // Lists the characters first: most code points are unassigned, and a filter would draw seven for each one.
    const characters = Array.from({ length: 0x110000 }, (_, codePoint) =>
      String.fromCodePoint(codePoint),
    ).filter((character) => /^[^\p{C}\p{Zl}\p{Zp}{}]$/u.test(character));
    const anyCharacter = fc.nat(characters.length - 1).map((at) => characters[at] as string);
    // One character may be two UTF-16 units.
    const anyName = fc
      .string({ unit: anyCharacter, minLength: 1, maxLength: 100 })
      .filter((name) => name === name.normalize());
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

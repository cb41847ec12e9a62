// Rate limits on a store of cells without a clock: processes whose clocks disagree.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RateLimit } from "../../src/ratelimit/index.ts";
import { memoryCells } from "../support/memoryCells.ts";

const NOW = 1_800_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A limit of 10 a second, and a function that calls it by a clock. */
function createLimit() {
  const limit = new RateLimit({ backend: memoryCells(), name: "n", limit: 10, windowMs: 1000 });
  return (nowMs: number) => {
    vi.setSystemTime(nowMs);
    return limit.limit("k");
  };
}

describe("processes whose clocks disagree", () => {
  test.each([1500, 5000, 50_000])("by %i ms do not pass more than the limit", async (skewMs) => {
    const call = createLimit();
    let passed = 0;
    for (let ms = 0; ms < 5000; ms += 100) {
      for (let i = 0; i < 5; i++) passed += Number((await call(NOW + ms)).allowed);
      passed += Number((await call(NOW + ms - skewMs)).allowed);
    }
    // 10 at once, and then one every 100 ms.
    expect(passed).toBe(10 + 49);
  });
});

describe("a clock that is set back", () => {
  test("by a minute or less keeps the key for as long", async () => {
    const call = createLimit();
    await call(NOW);
    const { allowed, retryAfterMs } = await call(NOW - 30_000);
    expect(allowed).toBe(false);
    expect((await call(NOW - 30_000 + retryAfterMs - 1)).allowed).toBe(false);
    expect((await call(NOW - 30_000 + retryAfterMs)).allowed).toBe(true);
  });

  test("by more keeps it for a window", async () => {
    const call = createLimit();
    await call(NOW);
    const set = NOW - 70_000;
    const { allowed, retryAfterMs } = await call(set);
    expect([allowed, retryAfterMs]).toEqual([false, 100]);
    expect((await call(set + 100)).allowed).toBe(true);
  });
});

test.each(["", "1.5", "1e3", "9007199254740992", "a TAT"])(
  'a cell with "%s" is an unexpected response, and stays',
  async (value) => {
    const backend = memoryCells();
    await backend.swap("bitflake:rate:n:k", "", value);
    const limit = new RateLimit({ backend, name: "n", limit: 10, windowMs: 1000 });
    await expect(limit.limit("k")).rejects.toMatchObject({ reason: "answer" });
    expect(backend.values()).toEqual({ "bitflake:rate:n:k": value });
  },
);

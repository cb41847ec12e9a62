// Names that look the same: one of the two Unicode forms is refused wherever a store knows something by its name.

import { describe, expect, test } from "vitest";
import { memory } from "../src/backend/index.ts";
import { Counter } from "../src/counter/index.ts";
import { Idempotency } from "../src/idempotency/index.ts";
import { ArgumentError } from "../src/index.ts";
import { leaseNode } from "../src/lease/index.ts";
import { NumericIdType } from "../src/numeric/index.ts";
import { RateLimit } from "../src/ratelimit/index.ts";

const composed = "caf\u00e9";
const decomposed = "cafe\u0301";
const backend = memory();

describe("a name in a form that looks like another", () => {
  test.each<[string, (name: string) => unknown]>([
    ["counter", (name) => new Counter({ backend, name })],
    ["rate limit", (name) => new RateLimit({ backend, name, limit: 1, windowMs: 1000 })],
    ["idempotency", (name) => new Idempotency({ backend, name })],
    ["numeric type", (name) => new NumericIdType({ name, length: 10 })],
  ])("is refused for a %s", (_what, make) => {
    expect(() => make(composed)).not.toThrow();
    expect(() => make(decomposed)).toThrow(ArgumentError);
    expect(() => make(decomposed)).toThrow(
      expect.objectContaining({
        code: "ERR_ARGUMENT",
        field: "name",
        rule: "a string in Unicode normalization form C, as normalize() returns it",
      }),
    );
  });

  test("is refused for the name and the holder of a lease", async () => {
    const lease = await leaseNode({ backend, name: composed, holder: composed });
    await lease.release();
    await expect(leaseNode({ backend, name: decomposed })).rejects.toThrow(
      expect.objectContaining({ field: "name" }),
    );
    await expect(leaseNode({ backend, holder: decomposed })).rejects.toThrow(
      expect.objectContaining({ field: "holder" }),
    );
  });

  test("is another key of the same limit: keys are the client's, and kept as they are", async () => {
    const limiter = new RateLimit({ backend, name: "keys", limit: 1, windowMs: 60_000 });
    expect((await limiter.limit(composed)).allowed).toBe(true);
    expect((await limiter.limit(decomposed)).allowed).toBe(true);
    expect((await limiter.limit(composed)).allowed).toBe(false);
  });
});

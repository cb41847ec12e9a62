// Arbitrary limits and shares for property tests of the rate limit rule.

import fc from "fast-check";

/** A time in 2027, in microseconds since 1970. */
export const NOW = 1_800_000_000_000_000;

interface Limit {
  readonly limit: number;
  readonly windowMs: number;
}

/** Small limits, which reach every case within a few calls, and any limit up to the largest. */
export const anyLimit: fc.Arbitrary<Limit> = fc.oneof(
  fc.record({ limit: fc.integer({ min: 1, max: 12 }), windowMs: fc.integer({ min: 1, max: 100 }) }),
  fc
    .record({
      limit: fc.integer({ min: 1, max: 1_000_000_000 }),
      windowMs: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    })
    .filter(({ limit, windowMs }) => limit <= windowMs * 1000),
);

/** A number from 0 to 1, with 0, 0.5 and 1 more often than by chance. */
export const anyShare: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 0.5, 1),
  fc.double({ min: 0, max: 1, noNaN: true }),
);

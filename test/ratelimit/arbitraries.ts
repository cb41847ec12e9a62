// Limits and times to try the rule with.

import fc from "fast-check";

/** Some moment of these years, in microseconds. */
export const NOW = 1_800_000_000_000_000;

interface Limit {
  readonly limit: number;
  readonly windowMs: number;
}

/** Small ones, at which all that can happen happens soon, and the largest there are. */
export const anyLimit: fc.Arbitrary<Limit> = fc.oneof(
  fc.record({ limit: fc.integer({ min: 1, max: 12 }), windowMs: fc.integer({ min: 1, max: 100 }) }),
  fc
    .record({
      limit: fc.integer({ min: 1, max: 1_000_000_000 }),
      windowMs: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    })
    .filter(({ limit, windowMs }) => limit <= windowMs * 1000),
);

/** A share of something, with the ends and the middle more often than by chance. */
export const anyShare: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 0.5, 1),
  fc.double({ min: 0, max: 1, noNaN: true }),
);

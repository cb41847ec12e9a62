// Arbitrary values and requests around every boundary: the floor, a new digit, 2^53, and the largest value.

import fc from "fast-check";
import { MAX_VALUE, NO_VALUE, type Reservation } from "../../src/counter/rule.ts";

/** Values that are often neighbours. */
export const anyValue: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt(0n, 12n),
  // Around powers of ten, where the longer text has the smaller digits.
  fc.tuple(fc.integer({ min: 1, max: 18 }), fc.bigInt(-3n, 3n)).map(([n, by]) => 10n ** BigInt(n) + by),
  fc.bigInt(2n ** 53n - 5n, 2n ** 53n + 5n),
  fc.bigInt(MAX_VALUE - 12n, MAX_VALUE),
  fc.bigInt(0n, MAX_VALUE),
);

export const anyCount: fc.Arbitrary<bigint> = fc.oneof(
  fc.constant(1n),
  fc.bigInt(1n, 20n),
  fc.bigInt(1n, 2n ** 31n),
);

export const anyRequest: fc.Arbitrary<Reservation> = fc.record({
  count: anyCount,
  floor: fc.oneof(fc.constant(1n), anyValue),
  highest: fc.oneof(fc.constant(NO_VALUE), anyValue),
});

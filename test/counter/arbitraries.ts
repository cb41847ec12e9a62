// Values and requests around every edge there is: the floor, digits, doubles, and the last value.

import fc from "fast-check";
import { LAST, NONE, type Reservation } from "../../src/counter/rule.ts";

/** Values that lie next to each other often enough to meet. */
export const anyValue: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt(0n, 12n),
  // Where a text gets longer, so that the longer one has the smaller digits.
  fc.tuple(fc.integer({ min: 1, max: 18 }), fc.bigInt(-3n, 3n)).map(([n, by]) => 10n ** BigInt(n) + by),
  fc.bigInt(2n ** 53n - 5n, 2n ** 53n + 5n),
  fc.bigInt(LAST - 12n, LAST),
  fc.bigInt(0n, LAST),
);

export const anyCount: fc.Arbitrary<bigint> = fc.oneof(
  fc.constant(1n),
  fc.bigInt(1n, 20n),
  fc.bigInt(1n, 2n ** 31n),
);

export const anyRequest: fc.Arbitrary<Reservation> = fc.record({
  count: anyCount,
  floor: fc.oneof(fc.constant(1n), anyValue),
  highest: fc.oneof(fc.constant(NONE), anyValue),
});

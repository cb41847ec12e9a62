// Shared by the tests of text forms: IDs to try, and the error of a refusal.

import fc from "fast-check";
import { expect } from "vitest";
import { InvalidIdError } from "../../src/index.ts";

/** The largest ID. */
export const MAX = 2n ** 63n - 1n;

/** IDs, more of them than by chance near the ends of the range and near powers of two, where one half ends. */
export const anyId: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt(0n, MAX),
  fc.bigInt(0n, 5000n),
  fc.bigInt(0n, 5000n).map((n) => MAX - n),
  fc
    .tuple(fc.bigInt(0n, 62n), fc.bigInt(-2n, 2n))
    .map(([bits, by]) => 2n ** bits + by)
    .filter((id) => id >= 0n),
);

/** Returns the error of a refusal, `undefined` if nothing throws. Any other error fails the test. */
export function refused(act: () => unknown): InvalidIdError | undefined {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidIdError);
    return error as InvalidIdError;
  }
  return undefined;
}

// A reading of the system clock, as the wrappers use it.

import { assertWhole } from "../validate.ts";

/**
 * A reading of `Date.now` without its fraction. The limit is 48 bits, the year 10889, which is all that a UUID v7 holds.
 *
 * @throws {@link ArgumentError} if `Date.now` has been replaced, and returned no such time
 */
export function toUnixMs(reading: number): number {
  const ms = Number.isFinite(reading) ? Math.floor(reading) : reading;
  return assertWhole("Date.now()", ms, 0, 281_474_976_710_655);
}

// Readings of the system clock for UUIDs and timestamp IDs.

import { assertWhole } from "../validate.ts";

/**
 * Returns a reading of `Date.now` without its fraction. The limit is 48 bits, the year 10889, because a UUID v7 has no
 * more.
 *
 * @throws {@link ArgumentError} if the reading is not such a time, because `Date.now` has been replaced
 */
export function toUnixMs(reading: number): number {
  const ms = Number.isFinite(reading) ? Math.floor(reading) : reading;
  return assertWhole("Date.now()", ms, 0, 281_474_976_710_655);
}

// readMoment: a moment of an option as milliseconds, within limits.

import { assertWhole, DATE_END } from "../internal.ts";

/** The earliest moment that an epoch can be. */
export const FIRST_MOMENT = -1e14;

/** Asserts that a value is a whole number or a Date within limits; returns it as milliseconds since 1970. */
export function readMoment(
  field: string,
  value: unknown,
  least: number = FIRST_MOMENT,
  most: number = DATE_END,
): number {
  return assertWhole(field, value instanceof Date ? +value : value, least, most);
}

// readMoment: a moment of an option as milliseconds, within limits.

import { ArgumentError, DATE_END } from "../internal.ts";

/** The earliest moment that an epoch can be. */
export const FIRST_MOMENT = -1e14;

/** Asserts that a value is a whole number or a Date within limits; returns it as milliseconds since 1970. */
export function readMoment(
  field: string,
  value: unknown,
  least: number = FIRST_MOMENT,
  most: number = DATE_END,
): number {
  const ms = value instanceof Date ? +value : value;
  if (Number.isInteger(ms) && (ms as number) >= least && (ms as number) <= most) return (ms as number) + 0;
  const [from, to] = [least, most].map((limit) => `${limit} (${new Date(limit).toISOString()})`);
  throw new ArgumentError(field, `a Date, or milliseconds since 1970, from ${from} to ${to}`, ms);
}

// A layout with its epoch and tick: what it takes to read an ID, whoever made it.

import { whole } from "./check.ts";
import { compileLayout, type Layout } from "./layout.ts";
import type { Given } from "./options.ts";

/** What it takes to read an ID. */
export interface Format extends Layout {
  readonly epochMs: number;
  readonly tickMs: number;
  /** The last tick: the last that the field holds, or that begins while a Date still can say when. */
  readonly maxTick: number;
}

/** The last moment that a Date can hold. */
export const DATE_END = 8.64e15;

/** A number or Date from a caller as whole milliseconds since 1970. */
export function moment(field: string, value: number | Date): number {
  // From the year -1199 on: no farther from DATE_END than a number counts exactly.
  return whole(field, value instanceof Date ? +value : value, -1e14, DATE_END);
}

/** Validates the part of the options that decides how an ID reads. */
export function compileFormat(given: Given): Format {
  const widths = compileLayout(given);
  const epochMs = moment("epochMs", given.epochMs);
  const tickMs = whole("tickMs", given.tickMs, 1, DATE_END);
  const last = Math.floor((DATE_END - epochMs) / tickMs);
  return { ...widths, epochMs, tickMs, maxTick: Math.min(last, 2 ** widths.layout.timestampBits - 1) };
}

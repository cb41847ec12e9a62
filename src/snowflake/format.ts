// A layout with its epoch and tick: what it takes to read an ID, whoever made it.

import { whole } from "./check.ts";
import { compileLayout, type Layout } from "./layout.ts";
import type { Given } from "./options.ts";

/** What it takes to read an ID. */
export interface Format {
  readonly layout: Layout;
  readonly epochMs: number;
  readonly tickMs: number;
  /** The last tick: the last that the field holds, or that begins while a Date still can say when. */
  readonly maxTick: number;
}

/** The last moment that a Date can hold. */
export const DATE_END = 8.64e15;

/** The earliest moment that is taken, in the year -1199: near enough to DATE_END for exact differences. */
const DATE_START = -1e14;

/** A number or Date from a caller as whole milliseconds since 1970. */
export function moment(field: string, value: number | Date): number {
  return whole(field, value instanceof Date ? value.getTime() : value, DATE_START, DATE_END);
}

/** Validates the part of the options that decides how an ID reads. */
export function compileFormat(given: Given): Format {
  const layout = compileLayout(given);
  const epochMs = moment("epochMs", given.epochMs);
  const tickMs = whole("tickMs", given.tickMs, 1, DATE_END);
  const dated = Math.floor((DATE_END - epochMs) / tickMs);
  return { layout, epochMs, tickMs, maxTick: Math.min(2 ** layout.timestampBits - 1, dated) };
}

// How the bits of an ID are shared out and what they count: widths, epoch and tick in, validated, their last tick out.

import { LayoutError } from "../errors.ts";
import { assertWhole } from "../validate.ts";
import type { GeneratorOptions } from "./options.ts";
import { PRESET_MINIMAL, type Widths } from "./presets.ts";

/** What it takes to read an ID. */
export interface Format {
  /** Widths that sum to 63 or 53. */
  readonly layout: Widths;
  readonly epochMs: number;
  readonly tickMs: number;
  /** The last tick: the last that the field holds, or that begins while a Date still can say when. */
  readonly maxTick: number;
}

/** The last moment that a Date can hold. */
export const DATE_END = 8.64e15;

/** A number or Date from a caller as whole milliseconds since 1970. */
export function moment(field: string, value: unknown): number {
  // From the year -1199 on: no farther from DATE_END than a number counts exactly.
  return assertWhole(field, value instanceof Date ? +value : value, -1e14, DATE_END);
}

/** Validates the part of the options that decides how an ID reads. */
export function compileFormat(options: GeneratorOptions): Format {
  const layout = { ...PRESET_MINIMAL };
  let totalBits = 0;
  for (const name of Object.keys(layout) as (keyof Widths)[]) {
    // The timestamp comes first, and is the one field that an ID cannot do without.
    totalBits += layout[name] = assertWhole(name, options[name], totalBits ? 0 : 1, 53, "", LayoutError);
  }
  if (![63, 53].includes(totalBits)) throw new LayoutError("layout", "63 or 53 bits", totalBits);
  const epochMs = moment("epochMs", options.epochMs);
  const tickMs = assertWhole("tickMs", options.tickMs, 1, DATE_END);
  return {
    layout,
    epochMs,
    tickMs,
    maxTick: Math.floor(Math.min((DATE_END - epochMs) / tickMs, 2 ** layout.timestampBits - 1)),
  };
}

// The format of an ID: layout, epoch, tick length and `maxTick`, validated and derived from the options. `decode` needs no more.

import { LayoutError } from "../errors.ts";
import { assertWhole } from "../validate.ts";
import type { GeneratorOptions } from "./options.ts";
import type { Widths } from "./presets.ts";

/** The settings that decide how an ID is decoded. */
export interface Format {
  /** The four bit widths, which sum to 63 or 53. */
  readonly layout: Widths;
  readonly epochMs: number;
  readonly tickMs: number;
  /** The last tick that the timestamp field holds and that begins at a moment a Date can hold. */
  readonly maxTick: number;
}

/** The last moment that a Date can hold. */
export const DATE_END = 8.64e15;

/** Asserts that a value is a whole number or a Date, from the year -1199 on; returns it as milliseconds since 1970. */
export function assertMoment(field: string, value: unknown): number {
  // The lower limit keeps DATE_END - epochMs below 2^53.
  return assertWhole(field, value instanceof Date ? +value : value, -1e14, DATE_END);
}

/** Validates the options that decide how an ID is decoded, and returns its format. */
export function resolveFormat(options: GeneratorOptions): Format {
  const width = (name: keyof Widths, least: number) =>
    assertWhole(name, options[name], least, 53, "", LayoutError);
  const timestampBits = width("timestampBits", 1);
  const datacenterBits = width("datacenterBits", 0);
  const machineBits = width("machineBits", 0);
  const sequenceBits = width("sequenceBits", 0);
  const totalBits = timestampBits + datacenterBits + machineBits + sequenceBits;
  if (![63, 53].includes(totalBits)) throw new LayoutError("layout", "63 or 53 bits", totalBits);
  const epochMs = assertMoment("epochMs", options.epochMs);
  const tickMs = assertWhole("tickMs", options.tickMs, 1, DATE_END);
  return {
    layout: { timestampBits, datacenterBits, machineBits, sequenceBits },
    epochMs,
    tickMs,
    maxTick: Math.floor(Math.min((DATE_END - epochMs) / tickMs, 2 ** timestampBits - 1)),
  };
}

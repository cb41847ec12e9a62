// capacity: the years, nodes and IDs that a layout holds.

import { DATE_END, type Format, resolveFormat } from "./format.ts";
import { type GeneratorOptions, mergeOptions } from "./options.ts";
import type { PresetName } from "./presets.ts";

/** The years, nodes and IDs that a layout holds. */
export interface Capacity {
  /** How many years of 365.25 days the timestamp field spans, from the epoch. */
  readonly years: number;
  /** The first moment without an ID, as an ISO 8601 string in UTC; at the latest the last that a Date can hold. */
  readonly expiresAt: string;
  /** How many datacenters there can be. */
  readonly datacenters: number;
  /** How many machines a datacenter can have. */
  readonly machinesPerDatacenter: number;
  /** How many machines there can be in all. */
  readonly nodes: number;
  /** How many IDs one machine can make in a tick. */
  readonly idsPerTick: number;
  /** How many IDs one machine can make in a second. */
  readonly idsPerSecond: number;
}

/** 365.25 days. */
const YEAR_MS = 31_557_600_000;

export function capacityOf(format: Format): Capacity {
  const { layout, epochMs, tickMs } = format;
  const spanMs = 2 ** layout.timestampBits * tickMs;
  const idsPerTick = 2 ** layout.sequenceBits;
  return {
    years: spanMs / YEAR_MS,
    expiresAt: new Date(Math.min(epochMs + spanMs, DATE_END)).toISOString(),
    datacenters: 2 ** layout.datacenterBits,
    machinesPerDatacenter: 2 ** layout.machineBits,
    nodes: 2 ** (layout.datacenterBits + layout.machineBits),
    idsPerTick,
    idsPerSecond: (idsPerTick * 1000) / tickMs,
  };
}

/**
 * Returns how much a layout holds.
 *
 * @param preset the name of a preset, a `PRESET_…` constant, or options
 * @throws {@link LayoutError} if the widths do not make a layout
 * @throws {@link ArgumentError} if `epochMs` or `tickMs` is wrong, or an option is unknown; other options are not checked
 *
 * @example
 * ```ts
 * import { capacity } from "bitflake";
 *
 * const { nodes, idsPerSecond, expiresAt } = capacity("twitter");
 * nodes; // => 1024
 * idsPerSecond; // => 4096000
 * expiresAt; // => '2089-09-06T15:47:35.552Z'
 * ```
 */
export function capacity(preset: PresetName | GeneratorOptions): Capacity {
  return capacityOf(resolveFormat(mergeOptions(preset)));
}

// The largest ID of a layout.

import { resolveFormat } from "./format.ts";
import { type GeneratorOptions, mergeOptions } from "./options.ts";
import type { PresetName } from "./presets.ts";

/**
 * Returns the largest ID that `decode` takes with a preset or options. `decode` takes every ID from 0 to that one, because
 * the tick is the upper field.
 */
export function largestId(preset: PresetName | GeneratorOptions): bigint {
  const { layout, maxTick } = resolveFormat(mergeOptions(preset));
  const shift = layout.datacenterBits + layout.machineBits + layout.sequenceBits;
  return (BigInt(maxTick + 1) << BigInt(shift)) - 1n;
}

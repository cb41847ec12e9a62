// Changes of widths: all four from a preset, or one bit from one width to another.

import { capacity, LayoutError, makeGenerator } from "bitflake";

/** Returns the widths of a preset, by the names of their options. */
export function widthsOf(preset) {
  return makeGenerator(preset).layout;
}

/**
 * Changes one width by a bit and keeps the sum: the timestamp gives or takes the bit, or the sequence if the timestamp
 * itself changes.
 *
 * @param {import("bitflake").Widths} layout
 * @param {string} name the width to change
 * @param {1 | -1} by
 * @returns {Partial<import("bitflake").Widths>} the two changed widths; none if the library would refuse them
 */
export function moveBit(layout, name, by) {
  const other = name === "timestampBits" ? "sequenceBits" : "timestampBits";
  const changed = { [name]: layout[name] + by, [other]: layout[other] - by };
  try {
    capacity({ ...layout, ...changed });
    return changed;
  } catch (error) {
    if (!(error instanceof LayoutError)) throw error;
    return {};
  }
}

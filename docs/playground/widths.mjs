// Sets the widths of a layout: all by a preset, or two by a bit that one gives the other.

import { capacity, LayoutError, makeGenerator } from "bitflake";

/** The widths of a preset, by the names of their options. */
export function widthsOf(preset) {
  return makeGenerator(preset).layout;
}

/**
 * One width a bit wider or narrower, in a layout that stays one: the timestamp gives or takes the bit, and for the
 * timestamp's own width the sequence does.
 *
 * @param {import("bitflake").Widths} layout
 * @param {string} name the width to change
 * @param {1 | -1} by
 * @returns {Partial<import("bitflake").Widths>} the two that change; none if the library would refuse them
 */
export function traded(layout, name, by) {
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

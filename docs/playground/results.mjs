// The library's results for the input of the page, and its errors by field.

import { ArgumentError, capacity, decode, EpochError, parseId, SnowflakeGenerator } from "bitflake";

const FORMAT = ["timestampBits", "datacenterBits", "machineBits", "sequenceBits", "epochMs", "tickMs"];

/** Converts the exact text of a number to that number. Any other text stays a text, which the library refuses. */
function asTyped(text) {
  const trimmed = text.trim();
  return String(Number(trimmed)) === trimmed ? Number(trimmed) : trimmed;
}

/**
 * @typedef {object} Results
 * @property {Map<string, string>} faults the library's error messages, by the name of the option
 * @property {object} [format] widths, epoch and tick, if they are a valid layout
 * @property {import("bitflake").Capacity} [layoutCapacity] the capacity of the layout
 * @property {SnowflakeGenerator} [generator] a generator, if its options are valid
 * @property {import("bitflake").DecodedId} [decoded] the decoded ID, if it is an ID of this layout
 */

/**
 * Computes everything that the page shows.
 *
 * @param {Record<string, string>} typed the text of every field, by the name of its option
 * @returns {Results}
 */
export function computeResults(typed) {
  const faults = new Map();
  const attempt = (call, field) => {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof ArgumentError || error instanceof EpochError)) throw error;
      const { field: named = "epochMs", message } = error;
      if (field === undefined || named === field) faults.set(named, message);
    }
  };
  const id = typed.id.trim();
  const format = Object.fromEntries(FORMAT.map((name) => [name, asTyped(typed[name])]));

  // Each option by itself first, because the library reports only the first wrong one, and the page marks all.
  for (const name of FORMAT) attempt(() => capacity({ [name]: format[name] }), name);
  const layoutCapacity = faults.size === 0 ? attempt(() => capacity(format)) : undefined;
  if (layoutCapacity === undefined) {
    if (id !== "") attempt(() => parseId(id));
    return { faults };
  }

  const node = {
    datacenterId: format.datacenterBits > 0 ? asTyped(typed.datacenterId) : 0,
    machineId: format.machineBits > 0 ? asTyped(typed.machineId) : 0,
  };
  for (const [name, value] of Object.entries({ epochMs: format.epochMs, ...node }))
    attempt(() => new SnowflakeGenerator({ ...format, [name]: value }), name);
  // Not "wait", which would block the page for up to a tick.
  const generator = attempt(() => new SnowflakeGenerator({ ...format, ...node, onExhausted: "throw" }));
  const decoded = id === "" ? undefined : attempt(() => decode(id, format));
  return { faults, format, layoutCapacity, generator, decoded };
}

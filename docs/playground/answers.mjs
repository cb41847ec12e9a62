// What the library says of what was typed: its results, and its refusals by the field that each names.

import { ArgumentError, capacity, decode, EpochError, parseId, SnowflakeGenerator } from "bitflake";

const FORMAT = ["timestampBits", "datacenterBits", "machineBits", "sequenceBits", "epochMs", "tickMs"];

/** The number that a text is, to the last digit; any other text as it is, for the library to refuse. */
function asTyped(text) {
  const trimmed = text.trim();
  return String(Number(trimmed)) === trimmed ? Number(trimmed) : trimmed;
}

/**
 * @typedef {object} Answers
 * @property {Map<string, string>} faults the library's messages, by the names of its options
 * @property {object} [format] widths, epoch and tick, if they make a layout
 * @property {import("bitflake").Capacity} [holds] what that layout holds
 * @property {SnowflakeGenerator} [generator] if the options make one
 * @property {import("bitflake").DecodedId} [decoded] the ID taken apart, if it is one of this layout
 */

/**
 * @param {Record<string, string>} typed the text of every field, by the name of its option
 * @returns {Answers}
 */
export function answersTo(typed) {
  const faults = new Map();
  const ask = (call, field) => {
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

  // Each by itself first: the library stops at the first that is wrong, and all of them want marking.
  for (const name of FORMAT) ask(() => capacity({ [name]: format[name] }), name);
  const holds = faults.size === 0 ? ask(() => capacity(format)) : undefined;
  if (holds === undefined) {
    if (id !== "") ask(() => parseId(id));
    return { faults };
  }

  const node = {
    datacenterId: format.datacenterBits > 0 ? asTyped(typed.datacenterId) : 0,
    machineId: format.machineBits > 0 ? asTyped(typed.machineId) : 0,
  };
  for (const [name, value] of Object.entries({ epochMs: format.epochMs, ...node }))
    ask(() => new SnowflakeGenerator({ ...format, [name]: value }), name);
  // Never "wait": it would hold up the page for as long as a tick lasts.
  const generator = ask(() => new SnowflakeGenerator({ ...format, ...node, onExhausted: "throw" }));
  const decoded = id === "" ? undefined : ask(() => decode(id, format));
  return { faults, format, holds, generator, decoded };
}

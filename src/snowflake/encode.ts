// encode: puts an ID together from its fields.

import { assertObject, assertOneOf, assertWhole, readField } from "../validate.ts";
import { DATE_END, type Format, resolveFormat } from "./format.ts";
import { type GeneratorOptions, mergeOptions } from "./options.ts";
import type { PresetName } from "./presets.ts";

/** The fields of an ID that is put together. The fields that `decode` returns are accepted as they are. */
export interface IdFields {
  /** The moment, in milliseconds since 1970 or as a Date: rounded down to its tick. */
  readonly timestampMs: number | Date;
  /** The datacenter field. Default: that of the generator or the options. */
  readonly datacenterId?: number | undefined;
  /** The machine field. Default: that of the generator or the options. */
  readonly machineId?: number | undefined;
  /** The sequence field. Default 0. */
  readonly sequence?: number | undefined;
}

/** The fields that are used, and those that `decode` returns beside them. */
const NAMES: readonly string[] = [
  "timestampMs",
  "datacenterId",
  "machineId",
  "sequence",
  "id",
  "generatedAt",
];

export function encodeWith(
  { layout, epochMs, tickMs, maxTick }: Format,
  fields: IdFields,
  node: Pick<GeneratorOptions, "datacenterId" | "machineId">,
): bigint {
  // A misspelt field must not mean the default.
  for (const name of Object.keys(assertObject("fields", fields))) assertOneOf("field", name, NAMES);
  const at = readField(fields, "timestampMs");
  const endMs = Math.min(epochMs + maxTick * tickMs + tickMs - 1, DATE_END);
  const ms = assertWhole("timestampMs", at instanceof Date ? +at : at, epochMs, endMs);
  let id = BigInt(Math.floor((ms - epochMs) / tickMs));
  const append = (field: "datacenterId" | "machineId" | "sequence", bits: number, otherwise = 0) => {
    const value = readField(fields, field);
    const whatFits = assertWhole(
      field,
      value === undefined ? otherwise : value,
      0,
      2 ** bits - 1,
      ` (${bits} bits)`,
    );
    id = (id << BigInt(bits)) | BigInt(whatFits);
  };
  append("datacenterId", layout.datacenterBits, node.datacenterId);
  append("machineId", layout.machineBits, node.machineId);
  append("sequence", layout.sequenceBits);
  return id;
}

/**
 * Puts an ID together from its fields: the inverse of {@link decode}. It does not make an ID that is new: nothing is
 * recorded, and the same fields give the same ID. For rows that exist already, and for limits of queries.
 *
 * @param fields the time, and what else is not as the options have it
 * @param preset the name of a preset, a `PRESET_…` constant, or the options a generator is built with
 * @throws {@link ArgumentError} if a field is missing, wrong or unknown, or does not fit the layout; if an option is
 *   wrong
 * @throws {@link LayoutError} if the widths do not make a layout
 *
 * @example
 * ```ts
 * import { decode, encode } from "bitflake";
 *
 * const id = encode({ timestampMs: 1462015105796, datacenterId: 1, sequence: 7 }, "discord");
 * id; // => 175928847299117063n
 * encode(decode(id, "discord"), "discord") === id; // => true
 * ```
 */
export function encode(fields: IdFields, preset: PresetName | GeneratorOptions): bigint {
  const options = mergeOptions(preset);
  return encodeWith(resolveFormat(options), fields, options);
}

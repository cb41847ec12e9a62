// Takes an ID apart.

import { InvalidIdError } from "../errors.ts";
import { compileFormat, type Format } from "./layout.ts";
import { type GeneratorOptions, mergeOptions } from "./options.ts";
import { parseId } from "./parse.ts";
import type { PresetName } from "./presets.ts";

/** The fields of an ID. */
export interface DecodedId {
  /** The ID itself, as a bigint. */
  readonly id: bigint;
  /** When its tick began, in milliseconds since 1970. */
  readonly timestampMs: number;
  /** The same as ISO 8601 text in UTC. */
  readonly generatedAt: string;
  /** The datacenter field. */
  readonly datacenterId: number;
  /** The machine field. */
  readonly machineId: number;
  /** The sequence field. */
  readonly sequence: number;
}

export function decodeWith(format: Format, value: bigint | string | number): DecodedId {
  const { datacenterBits, machineBits, sequenceBits } = format.layout;
  const id = parseId(value);
  const field = (shift: number, bits: number) => Number(BigInt.asUintN(bits, id >> BigInt(shift)));
  const tick = field(datacenterBits + machineBits + sequenceBits, 63);
  if (tick > format.maxTick) throw new InvalidIdError("id", "of this layout", value);
  const timestampMs = format.epochMs + tick * format.tickMs;
  return {
    id,
    timestampMs,
    generatedAt: new Date(timestampMs).toISOString(),
    datacenterId: field(machineBits + sequenceBits, datacenterBits),
    machineId: field(sequenceBits, machineBits),
    sequence: field(0, sequenceBits),
  };
}

/**
 * Takes an ID apart. An ID does not say which layout made it: pass the preset or options it was made with.
 *
 * @param id a bigint, a canonical decimal string or a safe integer
 * @param preset the name of a preset, a `PRESET_…` constant, or the options the generator was built with
 * @returns its fields
 * @throws {@link InvalidIdError} if it is not an ID, or not one of this layout
 * @throws {@link LayoutError} if the widths do not make a layout
 * @throws {@link ArgumentError} if another option is wrong
 *
 * @example
 * ```ts
 * import { decode, PRESET_TWITTER } from "bitflake";
 *
 * // Discord's layout is Twitter's, with an epoch of its own.
 * const { generatedAt } = decode("175928847299117063", { ...PRESET_TWITTER, epochMs: 1420070400000 });
 * generatedAt; // => '2016-04-30T11:18:25.796Z'
 * ```
 */
export function decode(id: bigint | string | number, preset: PresetName | GeneratorOptions): DecodedId {
  return decodeWith(compileFormat(mergeOptions(preset)), id);
}

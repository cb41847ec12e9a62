// decode: takes an ID apart.

import { InvalidIdError } from "../errors.ts";
import { type Format, resolveFormat } from "./format.ts";
import { type Halves, splitHalves } from "./halves.ts";
import { isoText } from "./isoText.ts";
import { type GeneratorOptions, mergeOptions } from "./options.ts";
import { parseId } from "./parse.ts";
import { PRESETS, type Preset, type PresetName } from "./presets.ts";
import { withTextIds } from "./result.ts";

/** The fields of an ID. `JSON.stringify` writes them with the ID as text. */
export interface DecodedId {
  /** The ID itself, as a bigint. */
  readonly id: bigint;
  /** When its tick began, in milliseconds since 1970. */
  readonly timestampMs: number;
  /** The same as an ISO 8601 string in UTC. */
  readonly generatedAt: string;
  /** The datacenter field. */
  readonly datacenterId: number;
  /** The machine field. */
  readonly machineId: number;
  /** The sequence field. */
  readonly sequence: number;
}

/**
 * Where a field lies in the halves of an ID: each half is shifted and masked by itself, and the high part multiplied by
 * `highScale`.
 */
export interface FieldPlace {
  readonly lowShift: number;
  readonly lowMask: number;
  readonly highShift: number;
  readonly highMask: number;
  readonly highScale: number;
}

/** What it takes to decode the IDs of a format, computed once. */
export interface Decoder {
  readonly format: Format;
  readonly tick: FieldPlace;
  readonly datacenterId: FieldPlace;
  readonly machineId: FieldPlace;
  readonly sequence: FieldPlace;
}

/** Returns the mask of so many bits; that of 31 or more has all 31 bits that the upper half can have. */
function maskOf(bits: number): number {
  return bits < 31 ? (1 << bits) - 1 : 0x7fff_ffff;
}

export function placeOf(shift: number, bits: number): FieldPlace {
  if (shift >= 32) {
    return { lowShift: 0, lowMask: 0, highShift: shift - 32, highMask: maskOf(bits), highScale: 1 };
  }
  const lowBits = Math.min(bits, 32 - shift);
  return {
    lowShift: shift,
    lowMask: lowBits === 32 ? -1 : 2 ** lowBits - 1,
    highShift: 0,
    highMask: maskOf(bits - lowBits),
    highScale: 2 ** lowBits,
  };
}

function fieldAt(
  { high, low }: Halves,
  { lowShift, lowMask, highShift, highMask, highScale }: FieldPlace,
): number {
  return (((low >>> lowShift) & lowMask) >>> 0) + ((high >>> highShift) & highMask) * highScale;
}

type FieldsClass = new (
  id: bigint,
  timestampMs: number,
  datacenterId: number,
  machineId: number,
  sequence: number,
) => DecodedId;

/** Creates the class of results: see result.ts. Its instances are made by a constructor because that is the fastest way. */
function createFieldsClass(): FieldsClass {
  class Fields implements DecodedId {
    readonly id: bigint;
    readonly timestampMs: number;
    readonly generatedAt: string;
    readonly datacenterId: number;
    readonly machineId: number;
    readonly sequence: number;

    constructor(id: bigint, timestampMs: number, datacenterId: number, machineId: number, sequence: number) {
      this.id = id;
      this.timestampMs = timestampMs;
      this.generatedAt = isoText(timestampMs);
      this.datacenterId = datacenterId;
      this.machineId = machineId;
      this.sequence = sequence;
    }

    toJSON(): Record<string, unknown> {
      return withTextIds(this);
    }
  }
  Reflect.deleteProperty(Fields.prototype, "constructor");
  return Fields;
}

const Fields: FieldsClass = /* @__PURE__ */ createFieldsClass();

export function createDecoder(format: Format): Decoder {
  const { datacenterBits, machineBits, sequenceBits } = format.layout;
  return {
    format,
    // Every bit above the node, and not only `timestampBits`: a value with a bit above a layout of 53 bits gets a tick above
    // `maxTick`, and is refused.
    tick: placeOf(datacenterBits + machineBits + sequenceBits, 63),
    datacenterId: placeOf(machineBits + sequenceBits, datacenterBits),
    machineId: placeOf(sequenceBits, machineBits),
    sequence: placeOf(0, sequenceBits),
  };
}

export function decodeWith(decoder: Decoder, value: bigint | string | number): DecodedId {
  const { format } = decoder;
  const id = parseId(value);
  const halves = splitHalves(id) as Halves;
  const tick = fieldAt(halves, decoder.tick);
  if (tick > format.maxTick) throw new InvalidIdError("id", "of this layout", value);
  return new Fields(
    id,
    format.epochMs + tick * format.tickMs,
    fieldAt(halves, decoder.datacenterId),
    fieldAt(halves, decoder.machineId),
    fieldAt(halves, decoder.sequence),
  );
}

/** The decoders of presets, by name and by constant. */
const decoders = /* @__PURE__ */ new Map<unknown, Decoder>();

/** Returns the decoder of a preset or of options. That of a preset is kept, because a preset cannot change. */
function decoderOf(preset: PresetName | GeneratorOptions): Decoder {
  const known = decoders.get(preset);
  if (known) return known;
  const decoder = createDecoder(resolveFormat(mergeOptions(preset)));
  const isPreset = typeof preset === "string" || Object.values(PRESETS).includes(preset as Preset);
  if (isPreset) decoders.set(preset, decoder);
  return decoder;
}

/**
 * Takes an ID apart. An ID does not say which layout made it: pass the preset or options it was made with.
 *
 * @param id a bigint, a canonical decimal string or a safe integer
 * @param preset the name of a preset, a `PRESET_…` constant, or the options the generator was built with. `"twitter"` counts
 *   from 2020: for an ID of Twitter itself pass `"x"`
 * @returns its fields
 * @throws {@link InvalidIdError} if it is not an ID, or its tick is after the last one of the layout (`maxTick`): any other
 *   ID could be one of the layout
 * @throws {@link LayoutError} if the widths do not make a layout
 * @throws {@link ArgumentError} if `epochMs` or `tickMs` is wrong, or an option is unknown; other options are not checked
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
  return decodeWith(decoderOf(preset), id);
}

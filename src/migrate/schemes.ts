// Schemes: how generators of other libraries and platforms, and the presets, lay out an ID.

import {
  assertObject,
  assertOneOf,
  assertWhole,
  DATE_END,
  LayoutError,
  PRESETS,
  type PresetName,
  readFields,
} from "../internal.ts";
import { readMoment } from "./moment.ts";

/**
 * The layout of an ID whose highest field is the time. The fields sum to at most 63 bits: a scheme that also uses the sign bit
 * is described up to the time that fits without it, because a later ID is a negative BIGINT.
 */
export interface Scheme {
  /** Bits for the time since the epoch, in ticks: 1 to 53. */
  readonly timestampBits: number;
  /** Bits for the higher part of the node. Default 0. */
  readonly datacenterBits?: number | undefined;
  /** Bits for the lower part of the node. Default 0. */
  readonly machineBits?: number | undefined;
  /** Bits that distinguish the IDs of one tick on one node. Default 0. */
  readonly sequenceBits?: number | undefined;
  /** Whether the sequence stands above the node and not below it. Default `false`. */
  readonly isSequenceFirst?: boolean | undefined;
  /** The moment of tick 0, in milliseconds since 1970 or as a Date. Required here, or beside the scheme. */
  readonly epochMs?: number | Date | undefined;
  /** How many milliseconds a tick lasts. Default 1. */
  readonly tickMs?: number | undefined;
}

/**
 * The names of the schemes: the presets of `bitflake`, and
 * - `"sapphire"`: @sapphire/snowflake, 41 · 5 worker · 5 process · 12. Its epoch is an argument there, so pass it;
 * - `"nodejs-snowflake"`: 41 · 12 instance · 10. Pass its `custom_epoch`;
 * - `"sonyflake"` and `"sonyflake-v2"`: 39 · 8 sequence · 16 machine, ticks of 10 ms since 2014-09-01, and in version 2 since
 *   2025-01-01. Pass another start time rounded down to 10 ms;
 * - `"instagram"`: 40 · 13 shard · 10, since 2011-08-24T21:07:01.721Z, the epoch in the published function;
 * - `"mastodon"`: 47 · 16 sequence, since 1970.
 */
export type SchemeName =
  | PresetName
  | "sapphire"
  | "nodejs-snowflake"
  | "sonyflake"
  | "sonyflake-v2"
  | "instagram"
  | "mastodon";

const SONYFLAKE = { timestampBits: 39, machineBits: 16, sequenceBits: 8, isSequenceFirst: true, tickMs: 10 };

/** The schemes of other libraries and platforms, each with its source. The sign bit of those that use it is left out. */
const FOREIGN: Readonly<Record<Exclude<SchemeName, PresetName>, Scheme>> = {
  // https://www.npmjs.com/package/@sapphire/snowflake: 42 bits of time.
  sapphire: { timestampBits: 41, datacenterBits: 5, machineBits: 5, sequenceBits: 12 },
  // https://www.npmjs.com/package/nodejs-snowflake, version 2.
  "nodejs-snowflake": { timestampBits: 41, machineBits: 12, sequenceBits: 10 },
  // https://github.com/sony/sonyflake, sonyflake.go: toID() and the default of StartTime.
  sonyflake: { ...SONYFLAKE, epochMs: 1_409_529_600_000 },
  // The same, v2/sonyflake.go.
  "sonyflake-v2": { ...SONYFLAKE, epochMs: 1_735_689_600_000 },
  // "Sharding & IDs at Instagram", 2011: 41 bits of time.
  instagram: { timestampBits: 40, machineBits: 13, sequenceBits: 10, epochMs: 1_314_220_021_721 },
  // https://github.com/mastodon/mastodon, lib/mastodon/snowflake.rb: 48 bits of time.
  mastodon: { timestampBits: 47, sequenceBits: 16, epochMs: 0 },
};

/** Returns all names of schemes. */
function schemeNames(): SchemeName[] {
  return [...Object.keys(PRESETS), ...Object.keys(FOREIGN)] as SchemeName[];
}

/** Returns the scheme of a name. A preset without an epoch has the default of generators, 2020. */
function schemeOf(name: SchemeName): Scheme {
  const schemes: Readonly<Record<string, Scheme>> = FOREIGN;
  return schemes[name] ?? { epochMs: 1_577_836_800_000, ...PRESETS[name as PresetName] };
}

/** A scheme, validated, with the values that are derived from it. */
export interface SchemeSettings {
  readonly datacenterBits: number;
  readonly machineBits: number;
  readonly sequenceBits: number;
  readonly isSequenceFirst: boolean;
  readonly epochMs: number;
  readonly tickMs: number;
  /** The last tick that the timestamp field holds and that begins at a moment a Date can hold. */
  readonly maxTick: number;
  /** The bits below the timestamp. */
  readonly shift: bigint;
}

/**
 * Validates a scheme.
 *
 * @param given replaces the epoch and the tick of the scheme, where it is set
 */
export function resolveScheme(
  side: string,
  scheme: SchemeName | Scheme,
  given: Pick<Scheme, "epochMs" | "tickMs">,
): SchemeSettings {
  const names: readonly string[] = side === "from" ? [...schemeNames(), "serial", "uuid"] : schemeNames();
  if (typeof scheme === "string") assertOneOf(`${side}.scheme`, scheme as string, names);
  const layout = typeof scheme === "string" ? schemeOf(scheme) : scheme;
  const source = readFields(assertObject(`${side}.scheme`, layout, "the name of a scheme or a layout"), [
    ...["timestampBits", "datacenterBits", "machineBits", "sequenceBits"],
    ...["isSequenceFirst", "epochMs", "tickMs"],
  ]);
  const {
    timestampBits,
    datacenterBits = 0,
    machineBits = 0,
    sequenceBits = 0,
    isSequenceFirst = false,
  } = source;
  const { epochMs = source.epochMs, tickMs = source.tickMs === undefined ? 1 : source.tickMs } = given;
  const widths = { timestampBits, datacenterBits, machineBits, sequenceBits };
  for (const [name, bits] of Object.entries(widths)) {
    assertWhole(`${side}.${name}`, bits, name === "timestampBits" ? 1 : 0, 53, "", LayoutError);
  }
  const shift = datacenterBits + machineBits + sequenceBits;
  const bits = timestampBits + shift;
  if (bits > 63) throw new LayoutError(`${side}.scheme`, "63 bits or fewer", bits);
  assertOneOf(`${side}.isSequenceFirst`, isSequenceFirst, [true, false]);
  const epoch = readMoment(`${side}.epochMs`, epochMs);
  const tick = assertWhole(`${side}.tickMs`, tickMs, 1, DATE_END);
  return {
    ...{ datacenterBits, machineBits, sequenceBits, isSequenceFirst, epochMs: epoch, tickMs: tick },
    maxTick: Math.floor(Math.min((DATE_END - epoch) / tick, 2 ** timestampBits - 1)),
    shift: BigInt(shift),
  };
}

// Sides of a migration: the generators whose IDs are compared, and the set of IDs that each can have issued.

import { ArgumentError, assertObject, readField, readFields, serializable } from "../internal.ts";
import type { IdRange, IdSet } from "./idSet.ts";
import { FIRST_MOMENT, readMoment } from "./moment.ts";
import { type NodeEntry, resolveNodeSet } from "./nodes.ts";
import { resolveScheme, type Scheme, type SchemeName, type SchemeSettings } from "./schemes.ts";

/** Generators of one scheme. */
export interface SchemeSide {
  /** A name, or a layout of your own, such as a `PRESET_…` constant. */
  readonly scheme: SchemeName | Scheme;
  /** The moment of tick 0, in milliseconds since 1970 or as a Date. Default: that of the scheme. */
  readonly epochMs?: number | Date | undefined;
  /** How many milliseconds a tick lasts. Default: that of the scheme. */
  readonly tickMs?: number | undefined;
  /** The nodes that the generators use. Default: all of the layout. */
  readonly nodes?: readonly NodeEntry[] | undefined;
  /** The moment of the first ID. Default: for the old IDs the epoch, for the new ones the cut-over. */
  readonly since?: number | Date | undefined;
  /** The moment from which no ID is made. Default: for the old IDs the cut-over, for the new ones the end of the layout. */
  readonly until?: number | Date | undefined;
}

/** Numbers that a database has counted. */
export interface SerialSide {
  /** Numbers from `min` to `max`. */
  readonly scheme: "serial";
  /** The largest number that the column has, or will have at the cut-over, up to 2^63 - 1. */
  readonly max: bigint | number;
  /** The smallest one. Default 1. */
  readonly min?: bigint | number | undefined;
}

/** UUIDs of any version. */
export interface UuidSide {
  /** No numbers. */
  readonly scheme: "uuid";
}

/** An ID, and its fields if its scheme has fields. In JSON the ID is text. */
export interface IssuedId {
  /** The ID. */
  readonly id: bigint;
  /** When its tick began, in milliseconds since 1970. */
  readonly timestampMs?: number;
  /** The datacenter field; 0 if the scheme has none. */
  readonly datacenterId?: number;
  /** The machine field; 0 if the scheme has none. */
  readonly machineId?: number;
  /** The sequence field; 0 if the scheme has none. */
  readonly sequence?: number;
}

/** The IDs that a side can have issued. */
export interface Side extends IdSet {
  /** The largest ID. */
  readonly largest: bigint;
  /** The smallest ID. */
  readonly smallest: bigint;
  /** Returns an ID with the fields that it has in this scheme. */
  describe(id: bigint): IssuedId;
}

/** The side of a scheme. */
export interface TimedSide extends Side {
  readonly settings: SchemeSettings;
  /** The earliest moment at which a generator counts as running. */
  readonly startMs: number;
  readonly lastTick: number;
}

/** The moments of a side that its options leave out. */
interface Defaults {
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly maxSkewMs: number;
}

/** Returns the tick that contains a moment; before the epoch it is negative. */
function tickAt(ms: number, { epochMs, tickMs }: SchemeSettings): number {
  return Math.floor((ms - epochMs) / tickMs);
}

/** Returns the bits of an ID from one position on. */
function fieldAt(id: bigint, shift: number, bits: number): number {
  return Number(BigInt.asUintN(bits, id >> BigInt(shift)));
}

/** Returns an ID with its fields. */
function describeId(id: bigint, settings: SchemeSettings): IssuedId {
  const { datacenterBits, machineBits, sequenceBits, isSequenceFirst, epochMs, tickMs, shift } = settings;
  const machineShift = isSequenceFirst ? 0 : sequenceBits;
  return serializable({
    id,
    timestampMs: epochMs + Number(id >> shift) * tickMs,
    datacenterId: fieldAt(id, machineShift + machineBits, datacenterBits),
    machineId: fieldAt(id, machineShift, machineBits),
    sequence: fieldAt(id, isSequenceFirst ? datacenterBits + machineBits : 0, sequenceBits),
  });
}

const TIMED_FIELDS = ["scheme", "epochMs", "tickMs", "nodes", "since", "until"];

/** Returns the fields of the old side, which depend on its scheme; asserts that there are no others. */
export function readOldSide<T extends object>(side: T): T {
  const scheme = readField(assertObject("from", side), "scheme");
  const ofNumbers = scheme === "serial" ? ["scheme", "max", "min"] : TIMED_FIELDS;
  return readFields(side, scheme === "uuid" ? ["scheme"] : ofNumbers);
}

/** Returns the fields of the new side; asserts that there are no others. */
export function readNewSide<T extends object>(side: T): T {
  return readFields(assertObject("to", side), TIMED_FIELDS);
}

/** Validates the side of a scheme, and returns the set of its IDs. */
export function resolveTimedSide(side: string, options: SchemeSide, defaults: Defaults): TimedSide {
  const { scheme, epochMs, tickMs, nodes, since = defaults.since, until = defaults.until } = options;
  const settings = resolveScheme(side, scheme, { epochMs, tickMs });
  const { datacenterBits, machineBits, sequenceBits, isSequenceFirst, maxTick, shift } = settings;
  const { maxSkewMs } = defaults;
  const ranges = resolveNodeSet(`${side}.nodes`, nodes, settings);
  const { epochMs: originMs } = settings;
  const endMs = originMs + (maxTick + 1) * settings.tickMs;
  const sinceMs = readMoment(
    `${side}.since`,
    since === undefined ? originMs : since,
    FIRST_MOMENT,
    endMs - 1 + maxSkewMs,
  );
  const firstTick = Math.max(tickAt(sinceMs - maxSkewMs, settings), 0);
  const leastMs = Math.max(originMs - maxSkewMs, sinceMs) + 1;
  const lastTick =
    until === undefined
      ? maxTick
      : tickAt(readMoment(`${side}.until`, until, leastMs, endMs - maxSkewMs) + maxSkewMs - 1, settings);
  const sequence = BigInt(sequenceBits);
  const low = BigInt(firstTick) << shift;
  const high = (BigInt(lastTick + 1) << shift) - 1n;
  // A sequence below the node belongs to the node's range. One above it may have any value, so it does not count.
  const bits = isSequenceFirst ? BigInt(datacenterBits + machineBits) : shift;
  const idRanges = isSequenceFirst
    ? ranges
    : ranges.map(([first, last]): IdRange => [first << sequence, ((last + 1n) << sequence) - 1n]);
  const [[first]] = idRanges as readonly [IdRange];
  const [, last] = idRanges.at(-1) as IdRange;
  return {
    ...{ low, high, bits, ranges: idRanges },
    // The last bits of `high` are all ones.
    ...{ smallest: low + first, largest: high - (1n << bits) + 1n + last },
    ...{ settings, startMs: sinceMs - maxSkewMs, lastTick, describe: (id) => describeId(id, settings) },
  };
}

/** Validates the numbers of a database, and returns their set. */
export function resolveSerialSide({ max, min = 1n }: SerialSide): Side {
  const read = (field: string, value: unknown, least: bigint) => {
    const number = Number.isSafeInteger(value) ? BigInt(value as number) : value;
    if (typeof number === "bigint" && number >= least && number < 1n << 63n) return number;
    throw new ArgumentError(field, `a bigint or a safe integer from ${least} to 2^63-1`, value);
  };
  const low = read("from.min", min, 0n);
  const high = read("from.max", max, low);
  const describe = (id: bigint) => serializable({ id });
  return { low, high, bits: 0n, ranges: [[0n, 0n]], smallest: low, largest: high, describe };
}

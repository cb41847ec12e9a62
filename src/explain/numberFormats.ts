// The formats of IDs that are 63-bit numbers: where their fields are, when they began, and which values their fields have.

import { PRESETS } from "../internal.ts";
import {
  BITFLAKE_EPOCH_MS,
  DISCORD_EPOCH_MS,
  INSTAGRAM_EPOCH_MS,
  SONYFLAKE_EPOCH_MS,
  SONYFLAKE_V2_EPOCH_MS,
  X_EPOCH_MS,
} from "./epochs.ts";
import { type Guess, type IdFormatName, type Moments, weighTime } from "./guess.ts";

/** A field below or above the time. */
interface FieldModel {
  readonly name: string;
  readonly shift: number;
  readonly bits: number;
  /**
   * For a field whose low values are frequent: each value is this much as frequent as the one before it. Without it every
   * value is equally frequent.
   */
  readonly ratio?: number;
  /** Why low values are frequent. */
  readonly why?: string;
}

/** A format of numbers. */
export interface NumberFormat {
  readonly format: IdFormatName;
  readonly name: string;
  readonly epochMs: number;
  readonly tickMs: number;
  readonly timeShift: number;
  /** How many bits an ID has. */
  readonly idBits: number;
  /** When the first ID was made. */
  readonly sinceMs: number;
  /** How common its IDs are, as a guess: only the order of magnitude matters. */
  readonly weight: number;
  readonly fields: readonly FieldModel[];
}

/** The share of values that do not follow the ratio of their field. */
const UNRULY = 0.05;

const RESTARTS = "the sequence restarts in each tick";
const FROM_ZERO = "they are numbered from 0";

const SONYFLAKE_FIELDS: readonly FieldModel[] = [
  { name: "sequence", shift: 16, bits: 8, ratio: 0.5, why: RESTARTS },
  { name: "machine", shift: 0, bits: 16 },
];

const PLATFORMS: readonly NumberFormat[] = [
  {
    // Twitter's Snowflake of 2010 sets its sequence to 0 in each new millisecond.
    format: "x",
    name: "X (Twitter)",
    epochMs: X_EPOCH_MS,
    tickMs: 1,
    timeShift: 22,
    idBits: 63,
    sinceMs: X_EPOCH_MS,
    weight: 1,
    fields: [
      { name: "datacenter", shift: 17, bits: 5 },
      { name: "worker", shift: 12, bits: 5 },
      { name: "sequence", shift: 0, bits: 12, ratio: 0.5, why: RESTARTS },
    ],
  },
  {
    // Its API reference says that the increment counts the IDs of a process, not when it restarts. Of the message IDs of a
    // published export (nanoguy0/waterhorn-stats on GitHub) half have an increment of at most 40, and nine of ten at most 90.
    format: "discord",
    name: "Discord",
    epochMs: DISCORD_EPOCH_MS,
    tickMs: 1,
    timeShift: 22,
    idBits: 63,
    sinceMs: DISCORD_EPOCH_MS,
    weight: 1,
    fields: [
      { name: "worker", shift: 17, bits: 5, ratio: 0.5, why: FROM_ZERO },
      { name: "process", shift: 12, bits: 5, ratio: 0.8, why: FROM_ZERO },
      { name: "increment", shift: 0, bits: 12, ratio: 0.97, why: "published IDs have low ones" },
    ],
  },
  {
    // The shard follows from the user, and the sequence is that of a table, modulo 1024.
    format: "instagram",
    name: "Instagram",
    epochMs: INSTAGRAM_EPOCH_MS,
    tickMs: 1,
    timeShift: 23,
    idBits: 63,
    sinceMs: INSTAGRAM_EPOCH_MS,
    weight: 1,
    fields: [
      { name: "shard", shift: 10, bits: 13 },
      { name: "sequence", shift: 0, bits: 10 },
    ],
  },
  {
    // The lower 16 bits are a hash and a sequence. The time is that of the post, so it may be before the scheme of 2017.
    format: "mastodon",
    name: "Mastodon",
    epochMs: 0,
    tickMs: 1,
    timeShift: 16,
    idBits: 63,
    sinceMs: Date.UTC(2016, 2, 16),
    weight: 0.3,
    fields: [{ name: "sequence", shift: 0, bits: 16 }],
  },
  {
    format: "sonyflake",
    name: "Sonyflake",
    epochMs: SONYFLAKE_EPOCH_MS,
    tickMs: 10,
    timeShift: 24,
    idBits: 63,
    sinceMs: SONYFLAKE_EPOCH_MS,
    weight: 0.05,
    fields: SONYFLAKE_FIELDS,
  },
  {
    // The layout of version 1. Its default epoch is another one.
    format: "sonyflake",
    name: "Sonyflake v2",
    epochMs: SONYFLAKE_V2_EPOCH_MS,
    tickMs: 10,
    timeShift: 24,
    idBits: 63,
    sinceMs: SONYFLAKE_V2_EPOCH_MS,
    weight: 0.05,
    fields: SONYFLAKE_FIELDS,
  },
  {
    // By default all of the lower bits are random.
    format: "tsid",
    name: "TSID",
    epochMs: BITFLAKE_EPOCH_MS,
    tickMs: 1,
    timeShift: 22,
    idBits: 63,
    sinceMs: BITFLAKE_EPOCH_MS,
    weight: 0.1,
    fields: [{ name: "random", shift: 0, bits: 22 }],
  },
];

/** How common IDs of all presets together are, beside those of the platforms. */
const PRESETS_WEIGHT = 0.03;

/** Returns the formats of the presets that have no platform's epoch. */
function presetFormats(): NumberFormat[] {
  const presets = Object.entries(PRESETS).filter(([, preset]) => !("epochMs" in preset));
  return presets.map(([name, preset]) => {
    const { timestampBits, datacenterBits, machineBits, sequenceBits } = preset;
    const nodeShift = machineBits + sequenceBits;
    const timeShift = nodeShift + datacenterBits;
    const fields: FieldModel[] = [
      { name: "datacenter", shift: nodeShift, bits: datacenterBits, ratio: 0.5, why: FROM_ZERO },
      { name: "machine", shift: sequenceBits, bits: machineBits, ratio: 0.5, why: FROM_ZERO },
      { name: "sequence", shift: 0, bits: sequenceBits, ratio: 0.5, why: RESTARTS },
    ];
    return {
      format: "bitflake",
      name: `bitflake, preset ${name}`,
      epochMs: BITFLAKE_EPOCH_MS,
      tickMs: 1,
      timeShift,
      idBits: timestampBits + timeShift,
      sinceMs: BITFLAKE_EPOCH_MS,
      weight: PRESETS_WEIGHT / presets.length,
      fields: fields.filter(({ bits }) => bits > 0),
    };
  });
}

/** Returns the formats of numbers; `isOwn` leaves those out whose text is always decimal. */
export function numberFormats(isOwn: boolean): NumberFormat[] {
  const platforms = isOwn ? PLATFORMS.filter(({ format }) => format === "tsid") : PLATFORMS;
  return [...platforms, ...presetFormats()];
}

/** Returns how many times as likely a value is as it would be if all were equally frequent. */
function likelihood({ bits, ratio }: FieldModel, value: number): number {
  if (ratio === undefined) return 1;
  return UNRULY + (1 - UNRULY) * (1 - ratio) * ratio ** value * 2 ** bits;
}

/** From which likelihood on a field is evidence, for or against. */
const EVIDENT = 4;

/** Guesses that a number has a format. Returns `undefined` if it is too large for it, or its time would have no date. */
export function guessNumber(id: bigint, model: NumberFormat, moments: Moments): Guess | undefined {
  const { format, name, epochMs, tickMs, timeShift, idBits, sinceMs } = model;
  if (id >> BigInt(idBits) !== 0n) return undefined;
  const timestampMs = epochMs + Number(id >> BigInt(timeShift)) * tickMs;
  if (timestampMs > 8.64e15) return undefined;
  const time = weighTime(timestampMs, tickMs, name, sinceMs, moments);
  const fields: Record<string, number> = {};
  const reasons = [...time.reasons];
  const against = [...time.against];
  let logWeight = Math.log(model.weight) + time.logDensity - timeShift * Math.LN2;
  for (const field of model.fields) {
    const value = Number(BigInt.asUintN(field.bits, id >> BigInt(field.shift)));
    fields[field.name] = value;
    const times = likelihood(field, value);
    logWeight += Math.log(times);
    const { why } = field;
    if (why && times > EVIDENT) reasons.push(`${field.name} ${value} is low, as most are: ${why}`);
    if (why && times < 1 / EVIDENT) against.push(`${field.name} ${value} is high, and most are low: ${why}`);
  }
  const { isPossible, isNear } = time;
  return { format, name, timestampMs, fields, logWeight, isPossible, isNear, reasons, against };
}

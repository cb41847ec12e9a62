// One format that an ID may have, with the evidence for and against it.

/** The formats that {@link explain} knows. `"bitflake"` is every preset of this library. */
export type IdFormatName =
  | "x"
  | "discord"
  | "instagram"
  | "mastodon"
  | "sonyflake"
  | "tsid"
  | "bitflake"
  | "numeric"
  | "uuid"
  | "ulid"
  | "ksuid"
  | "objectid";

/** A guess before it is compared with the others. */
export interface Guess {
  readonly format: IdFormatName;
  readonly name: string;
  readonly timestampMs: number | undefined;
  readonly fields: Readonly<Record<string, number | string>>;
  /** The natural logarithm of how likely the format would make just this ID, times how common the format is. */
  readonly logWeight: number;
  /** False if the time is before the format's first ID or in the future. */
  readonly isPossible: boolean;
  /** Whether the time is within a day of the one that the caller knows. */
  readonly isNear: boolean;
  readonly reasons: readonly string[];
  readonly against: readonly string[];
}

/** When the ID is looked at, and when it was made if the caller knows. */
export interface Moments {
  readonly nowMs: number;
  readonly aroundMs: number | undefined;
}

/** The evidence of a time. */
interface TimeEvidence {
  /** The natural logarithm of the share of the format's IDs that are in one tick. */
  readonly logDensity: number;
  readonly isPossible: boolean;
  readonly isNear: boolean;
  readonly reasons: readonly string[];
  readonly against: readonly string[];
}

/** How far ahead the clock of a generator may be, in milliseconds. */
const MAX_AHEAD_MS = 60_000;

/** How far a time that the caller knows may be from the ID's, in milliseconds: times are often known by their day. */
const AROUND_MS = 86_400_000;

/** The share of IDs that a caller dates wrongly. */
const WRONG_DATES = 0.01;

/** The share of IDs outside of the time in which the format exists. Not 0, so that two of them can still be compared. */
const OUTSIDE = 1e-9;

/** Returns a time as text, and as a number if it has no date. */
export function timeText(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms after 1970`;
}

/** Weighs a time. Without a date from the caller every tick from the first ID to now is equally likely. */
export function weighTime(
  timeMs: number,
  tickMs: number,
  name: string,
  sinceMs: number,
  { nowMs, aroundMs }: Moments,
): TimeEvidence {
  const reasons: string[] = [];
  const against: string[] = [];
  const isFuture = timeMs > nowMs + MAX_AHEAD_MS;
  const isPossible = timeMs >= sinceMs && !isFuture;
  if (isPossible) reasons.push(`that time is between the first ID of ${name} and now`);
  else if (isFuture) against.push("that time is in the future");
  else against.push(`that time is before the first ID of ${name}`);
  let density = tickMs / Math.max(nowMs - sinceMs, tickMs);
  if (!isPossible) density *= OUTSIDE;
  const isNear = aroundMs !== undefined && Math.abs(timeMs - aroundMs) <= AROUND_MS;
  if (aroundMs !== undefined) {
    if (isNear) reasons.push("that is within a day of the given date");
    else against.push("that is more than a day from the given date");
    density = isNear
      ? Math.max(density, ((1 - WRONG_DATES) * tickMs) / (2 * AROUND_MS))
      : density * WRONG_DATES;
  }
  return { logDensity: Math.log(density), isPossible, isNear, reasons, against };
}

// The epochs of the platforms and of this library.

/** A moment that IDs are counted from, and whose it is. */
export interface KnownEpoch {
  readonly name: string;
  readonly epochMs: number;
}

/** X: 2010-11-04T01:42:54.657Z, the constant `twepoch` of Twitter's Snowflake. */
export const X_EPOCH_MS = 1_288_834_974_657;
/** Discord: 2015-01-01, in its API reference under "Snowflakes". */
export const DISCORD_EPOCH_MS = 1_420_070_400_000;
/** Instagram: 2011-08-24T21:07:01.721Z, in "Sharding & IDs at Instagram". */
export const INSTAGRAM_EPOCH_MS = 1_314_220_021_721;
/** Sonyflake: 2014-09-01, the default `StartTime` in its README. */
export const SONYFLAKE_EPOCH_MS = 1_409_529_600_000;
/** Sonyflake v2: 2025-01-01, the default `StartTime` in its sonyflake.go. */
export const SONYFLAKE_V2_EPOCH_MS = 1_735_689_600_000;
/** This library, flakeid and TSID: 2020-01-01. */
export const BITFLAKE_EPOCH_MS = 1_577_836_800_000;

/** The epochs that a generator of Snowflake IDs may have by mistake, the earliest first. */
export const KNOWN_EPOCHS: readonly KnownEpoch[] = [
  { name: "1970-01-01 (Unix)", epochMs: 0 },
  { name: "2010-11-04 (X)", epochMs: X_EPOCH_MS },
  { name: "2011-08-24 (Instagram)", epochMs: INSTAGRAM_EPOCH_MS },
  { name: "2014-09-01 (Sonyflake)", epochMs: SONYFLAKE_EPOCH_MS },
  { name: "2015-01-01 (Discord)", epochMs: DISCORD_EPOCH_MS },
  { name: "2020-01-01 (bitflake, TSID)", epochMs: BITFLAKE_EPOCH_MS },
];

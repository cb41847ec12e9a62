// The named layouts: those of the Python library flakeid, one that fits a JavaScript number, and those of platforms, which also
// set the epoch.

/** The four bit widths of an ID, from its high end to its low end. They sum to 63 or to 53. */
export interface Widths {
  /** Bits for the time since the epoch, in ticks: 1 to 53. */
  readonly timestampBits: number;
  /** Bits for the datacenter: 0 to 53. */
  readonly datacenterBits: number;
  /** Bits for the machine within its datacenter: 0 to 53. */
  readonly machineBits: number;
  /** Bits that tell apart the IDs of one tick on one machine: 0 to 53. */
  readonly sequenceBits: number;
}

/** A named layout, or one of your own: four widths that sum to 63 or 53. */
export type Preset = Widths;

/** A layout of a platform, with the platform's epoch. */
interface PlatformPreset extends Preset {
  /** The moment of tick 0, in milliseconds since 1970. */
  readonly epochMs: number;
}

/**
 * The names of the presets: those of the `PRESET_…` constants, and the platforms `"x"` and `"discord"`, whose presets
 * have an epoch of their own.
 */
export type PresetName =
  | "twitter"
  | "minimal"
  | "single_dc"
  | "large_cluster"
  | "high_throughput"
  | "safe_integer"
  | "x"
  | "discord";

/** Returns the widths as an object that cannot change. */
function preset(
  timestampBits: number,
  datacenterBits: number,
  machineBits: number,
  sequenceBits: number,
): Preset {
  return Object.freeze({ timestampBits, datacenterBits, machineBits, sequenceBits });
}

/** Returns Twitter's widths, which other platforms use too, with an epoch. */
function platform(epochMs: number): PlatformPreset {
  return Object.freeze({ ...PRESET_TWITTER, epochMs });
}

/** 41 · 5 · 5 · 12, as Twitter had it: 69 years, 32 datacenters of 32 machines, 4,096 IDs per ms each. Only the widths: the epoch is 2020, and `"x"` has Twitter's. */
export const PRESET_TWITTER: Preset = /* @__PURE__ */ preset(41, 5, 5, 12);

/** 53 · 0 · 0 · 10: one generator and no node ID, 1,024 IDs per ms. What `nextId()` uses. */
export const PRESET_MINIMAL: Preset = /* @__PURE__ */ preset(53, 0, 0, 10);

/** 41 · 0 · 10 · 12: one datacenter of 1,024 machines, 4,096 IDs per ms each. */
export const PRESET_SINGLE_DC: Preset = /* @__PURE__ */ preset(41, 0, 10, 12);

/** 41 · 8 · 8 · 6: 256 datacenters of 256 machines, 64 IDs per ms each. */
export const PRESET_LARGE_CLUSTER: Preset = /* @__PURE__ */ preset(41, 8, 8, 6);

/** 41 · 3 · 3 · 16: 8 datacenters of 8 machines, 65,536 IDs per ms each. */
export const PRESET_HIGH_THROUGHPUT: Preset = /* @__PURE__ */ preset(41, 3, 3, 16);

/** 41 · 0 · 5 · 7, 53 bits: every ID is an exact JavaScript number. 32 machines, 128 IDs per ms each. */
export const PRESET_SAFE_INTEGER: Preset = /* @__PURE__ */ preset(41, 0, 5, 7);

/** The presets by name. A new one is added here and to {@link PresetName}. */
export const PRESETS: Readonly<Record<PresetName, Preset | PlatformPreset>> = {
  twitter: PRESET_TWITTER,
  minimal: PRESET_MINIMAL,
  single_dc: PRESET_SINGLE_DC,
  large_cluster: PRESET_LARGE_CLUSTER,
  high_throughput: PRESET_HIGH_THROUGHPUT,
  safe_integer: PRESET_SAFE_INTEGER,
  // The epochs as the platforms have them: 2010-11-04T01:42:54.657Z and 2015-01-01.
  x: /* @__PURE__ */ platform(1_288_834_974_657),
  discord: /* @__PURE__ */ platform(1_420_070_400_000),
};

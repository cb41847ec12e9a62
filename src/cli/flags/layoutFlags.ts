// Flags of a layout: a preset, widths, the epoch and the tick.

import { type GeneratorOptions, PRESETS, type PresetName } from "../../internal.ts";
import type { IntegerFlag, Values } from "../settings/flagTable.ts";

/** The names of the presets. */
export const PRESET_NAMES: readonly PresetName[] = Object.keys(PRESETS) as PresetName[];

/** A setting that takes the name of a preset. */
type PresetFlag = {
  readonly kind: "choice";
  readonly choices: readonly PresetName[];
  readonly description: string;
  readonly env: string;
  readonly defaultText: string;
  readonly short: string;
};

/** A setting of a width. */
type WidthFlag = Omit<IntegerFlag, "default">;

const width = (field: string, min: number): WidthFlag => ({
  kind: "integer",
  min,
  max: 53,
  description: `bits of the ${field}`,
});

type WidthFlags = {
  readonly preset: PresetFlag;
  readonly timestampBits: WidthFlag;
  readonly datacenterBits: WidthFlag;
  readonly machineBits: WidthFlag;
  readonly sequenceBits: WidthFlag;
};

type LayoutFlags = WidthFlags & {
  readonly epochMs: Omit<IntegerFlag, "default">;
  readonly tickMs: Omit<IntegerFlag, "default">;
};

/** The limits of an epoch: every moment that an epoch can be. */
export const EPOCH_LIMITS: Pick<IntegerFlag, "min" | "max"> = {
  min: -100_000_000_000_000,
  max: 8_640_000_000_000_000,
};

/** The settings of the bits of a layout. */
export const WIDTH_FLAGS: WidthFlags = {
  preset: {
    kind: "choice",
    choices: PRESET_NAMES,
    description: "the name of the layout",
    env: "BITFLAKE_PRESET",
    short: "p",
    defaultText: "twitter; with widths: minimal",
  },
  timestampBits: width("timestamp", 1),
  datacenterBits: width("datacenter", 0),
  machineBits: width("machine", 0),
  sequenceBits: width("sequence", 0),
};

/** The settings of a layout. */
export const LAYOUT_FLAGS: LayoutFlags = {
  ...WIDTH_FLAGS,
  epochMs: {
    kind: "integer",
    ...EPOCH_LIMITS,
    description: "the moment of tick 0, in milliseconds since 1970",
    env: "FLAKEID_EPOCH_MS",
    defaultText: "2020-01-01 UTC",
    otherForm: { name: "epoch", flag: { kind: "moment", description: "the same as a date" } },
  },
  tickMs: {
    kind: "integer",
    min: 1,
    max: 8.64e15,
    description: "the length of a tick, in milliseconds",
    defaultText: "1",
  },
};

/** Returns the layout of the settings as generator options. */
export function layoutOptions(values: Values<typeof LAYOUT_FLAGS>): GeneratorOptions {
  const { preset, epochMs, tickMs, ...widths } = values;
  const { timestampBits, datacenterBits, machineBits, sequenceBits } = widths;
  const own: GeneratorOptions = { timestampBits, datacenterBits, machineBits, sequenceBits };
  const given = Object.fromEntries(Object.entries(own).filter(([, bits]) => bits !== undefined));
  // As in the library, missing widths are those of minimal, unless a preset is named.
  const base = preset ?? (Object.keys(given).length > 0 ? "minimal" : "twitter");
  const layout = { ...PRESETS[base], ...given, tickMs };
  // Without --epoch-ms, a platform's preset keeps its own epoch.
  return epochMs === undefined ? layout : { ...layout, epochMs };
}

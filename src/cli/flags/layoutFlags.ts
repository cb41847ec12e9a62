// How a command is told which layout it works with: a preset, widths, epoch and tick.

import { type GeneratorOptions, PRESETS } from "../../internal.ts";
import type { IntegerFlag, Values } from "../settings/flagTable.ts";

/** The setting of a preset. */
const PRESET_FLAG = {
  kind: "choice",
  choices: [
    "twitter",
    "minimal",
    "single_dc",
    "large_cluster",
    "high_throughput",
    "safe_integer",
    "x",
    "discord",
  ],
  description: "the layout by its name",
  env: "BITFLAKE_PRESET",
} as const;

/** The setting of the epoch: whichever moment an epoch can be. */
const EPOCH_FLAG = {
  kind: "integer",
  min: -100_000_000_000_000,
  max: 8_640_000_000_000_000,
  description: "the moment of tick 0, in milliseconds since 1970",
  defaultText: "2020-01-01 UTC",
} as const;

/** The setting of a width. */
type Width = { readonly kind: "integer"; readonly min: 0; readonly max: 53; readonly description: string };

const width = (field: string): Width => ({
  kind: "integer",
  min: 0,
  max: 53,
  description: `bits for the ${field}`,
});

/** The settings of the bits of a layout. */
type WidthFlags = {
  readonly preset: typeof PRESET_FLAG & { readonly defaultText: string };
  readonly timestampBits: Width;
  readonly datacenterBits: Width;
  readonly machineBits: Width;
  readonly sequenceBits: Width;
};

/** The settings of a layout. */
type LayoutFlags = WidthFlags & {
  readonly epochMs: typeof EPOCH_FLAG & { readonly env: string };
  readonly tickMs: Omit<IntegerFlag, "default">;
};

/** The settings of the bits of a layout. */
export const WIDTH_FLAGS: WidthFlags = {
  preset: { ...PRESET_FLAG, defaultText: "twitter; with widths: minimal" },
  timestampBits: width("time"),
  datacenterBits: width("datacenter"),
  machineBits: width("machine"),
  sequenceBits: width("sequence"),
};

/** The settings of a layout. */
export const LAYOUT_FLAGS: LayoutFlags = {
  ...WIDTH_FLAGS,
  epochMs: { ...EPOCH_FLAG, env: "FLAKEID_EPOCH_MS" },
  tickMs: {
    kind: "integer",
    min: 1,
    max: 8.64e15,
    description: "how many milliseconds a tick lasts",
    defaultText: "1",
  },
};

/** The options of the layout that a command was told. */
export function layoutOptions(values: Values<typeof LAYOUT_FLAGS>): GeneratorOptions {
  const { preset, epochMs, tickMs, ...widths } = values;
  const own: GeneratorOptions = {
    timestampBits: widths.timestampBits,
    datacenterBits: widths.datacenterBits,
    machineBits: widths.machineBits,
    sequenceBits: widths.sequenceBits,
  };
  const given = Object.fromEntries(Object.entries(own).filter(([, bits]) => bits !== undefined));
  // As in the library, widths that are left out are those of minimal, unless a preset is named.
  const base = preset ?? (Object.keys(given).length > 0 ? "minimal" : "twitter");
  const layout = { ...PRESETS[base], ...given, tickMs };
  // Without an epoch of the user's, that of the preset stands, if it has one.
  return epochMs === undefined ? layout : { ...layout, epochMs };
}

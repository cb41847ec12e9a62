// How the bits of an ID are shared out: four widths in, a validated layout and its shift out.

import { LayoutError } from "../errors.ts";
import { whole } from "./check.ts";
import { PRESET_MINIMAL, type Widths } from "./presets.ts";

/** Widths that fit together. */
export interface Layout {
  readonly layout: Widths;
  /** How many bits stand behind the timestamp, which is `id >> timestampShift`. */
  readonly timestampShift: number;
}

/** Validates widths and sums them up. */
export function compileLayout(given: Widths): Layout {
  const layout = { ...PRESET_MINIMAL };
  let totalBits = 0;
  for (const name of Object.keys(layout) as (keyof Widths)[]) {
    // The timestamp comes first, and is the one field that an ID cannot do without.
    totalBits += layout[name] = whole(name, given[name], totalBits ? 0 : 1, 53, LayoutError);
  }
  if (totalBits !== 63 && totalBits !== 53) throw new LayoutError("layout", "63 or 53 bits", totalBits);
  return { layout, timestampShift: totalBits - layout.timestampBits };
}

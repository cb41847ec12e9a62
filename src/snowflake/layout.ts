// How the bits of an ID are shared out: four widths in, a validated layout with its shifts out.

import { LayoutError } from "../errors.ts";
import { whole } from "./check.ts";
import { PRESET_MINIMAL, type Widths } from "./presets.ts";

/** Widths that fit together, and what they sum to. */
export interface Layout extends Widths {
  /** 63 (a positive signed 64-bit integer) or 53 (an exact JavaScript number). */
  readonly totalBits: 53 | 63;
  /** How many bits stand behind the timestamp, which is `id >> timestampShift`. */
  readonly timestampShift: number;
}

/** Validates widths and sums them up. */
export function compileLayout(given: Widths): Layout {
  const widths = { ...PRESET_MINIMAL };
  let totalBits = 0;
  for (const name of Object.keys(widths) as (keyof Widths)[]) {
    // The timestamp comes first, and is the one field that an ID cannot do without.
    totalBits += widths[name] = whole(name, given[name], totalBits ? 0 : 1, 53, LayoutError);
  }
  if (totalBits !== 63 && totalBits !== 53) throw new LayoutError("totalBits", "63 or 53", totalBits);
  return { ...widths, totalBits, timestampShift: totalBits - widths.timestampBits };
}

// range: from a span of time to the smallest and largest ID made in it, for queries by time on a column of IDs.

import { ArgumentError } from "../errors.ts";
import { assertMoment } from "./format.ts";
import { serializable } from "./result.ts";
import type { Settings } from "./settings.ts";

/** The smallest and largest ID of a span of time. In an empty span `max` is `min - 1n`. In JSON they are text. */
export interface IdRange {
  /** No ID of the span is smaller. */
  readonly min: bigint;
  /** No ID of the span is larger. */
  readonly max: bigint;
}

export function rangeOf(settings: Settings, from: number | Date, to: number | Date): IdRange {
  const { timestampShift, epochMs, tickMs, maxTick } = settings;
  const fromMs = assertMoment("from", from);
  const toMs = assertMoment("to", to);
  if (fromMs > toMs) throw new ArgumentError("to", `at least ${fromMs}`, toMs);
  /** Returns the smallest ID of the first tick that begins at or after a moment. */
  const first = (ms: number) => {
    const tick = Math.ceil((ms - epochMs) / tickMs);
    return BigInt(Math.min(Math.max(tick, 0), maxTick + 1)) << BigInt(timestampShift);
  };
  const min = first(fromMs);
  // Past the last tick, the first ID would be one that no BIGINT holds. An empty span that ends there means the same.
  const past = BigInt(fromMs > epochMs + maxTick * tickMs);
  return serializable({ min: min - past, max: first(toMs) - 1n - past });
}

// Which nodes are leased, and what a store is told of the IDs they go into.

import { LayoutError, type Settings } from "../internal.ts";
import type { NodeSpace } from "./rule.ts";

/** The most bits that are leased: the numbers of nodes stay exact in every store, and no one has more nodes. */
const MAX_BITS = 32;

/** Which datacenter and machine a node is. */
export interface NodeFields {
  /** The datacenter field of its IDs. */
  readonly datacenterId: number;
  /** The machine field of its IDs. */
  readonly machineId: number;
}

export function nodeFields(node: number, machineBits: number): NodeFields {
  return { datacenterId: Math.floor(node / 2 ** machineBits), machineId: node % 2 ** machineBits };
}

/** What a namespace is for: the layout, epoch and tick of its IDs, and whether both node fields are leased or one. */
export function formatShape(
  { layout, epochMs, tickMs }: Pick<Settings, "layout" | "epochMs" | "tickMs">,
  isOne: boolean,
): string {
  const { timestampBits, datacenterBits, machineBits, sequenceBits } = layout;
  const widths = [timestampBits, datacenterBits, machineBits, sequenceBits].join(".");
  return `${widths} epoch ${epochMs} tick ${tickMs} ${isOne ? "machineId" : "both fields"} leased`;
}

/**
 * The space of a holder: the machines of one datacenter, or all nodes there are. The shape says which, for holders who
 * disagree on it would share nodes without knowing.
 */
export function makeNodeSpace(
  settings: Settings,
  isFixed: boolean,
  { ttlMs, maxSkewMs, isFenced }: { ttlMs: number; maxSkewMs: number; isFenced: boolean },
): NodeSpace {
  const { layout, epochMs, tickMs, datacenterId } = settings;
  const { datacenterBits, machineBits } = layout;
  const isOne = isFixed && datacenterBits > 0;
  const bits = isOne ? machineBits : datacenterBits + machineBits;
  if (bits < 1 || datacenterBits + machineBits > MAX_BITS) {
    throw new LayoutError("layout", `one with 1 to ${MAX_BITS} bits to lease`, bits);
  }
  // One more than it takes, for the tick that has begun already.
  const ttlTicks = Math.ceil(ttlMs / tickMs) + 1;
  return {
    shape: formatShape(settings, isOne),
    first: isOne ? datacenterId * 2 ** machineBits : 0,
    count: 2 ** bits,
    epochMs,
    tickMs,
    ttlTicks,
    maxSkewMs,
    // The holder's clock may be ahead of the store's, and so may the clock of the store that was before this one.
    reach: ttlTicks + Math.ceil((2 * maxSkewMs) / tickMs),
    isFenced,
  };
}

/** What a shape says, as far as it takes to read the book of a namespace. */
export function parseShape(
  shape: string,
): { epochMs: number; tickMs: number; machineBits: number } | undefined {
  const match = /^\d+\.\d+\.(\d+)\.\d+ epoch (-?\d+) tick (\d+) /.exec(shape);
  if (!match) return undefined;
  const [machineBits = 0, epochMs = 0, tickMs = 1] = match.slice(1).map(Number);
  return { machineBits, epochMs, tickMs };
}

// LeaseTerms: for how long and under which conditions a holder is granted a node.

import type { LeaseTerms, NodeSpace } from "./rule.ts";

/** The options that the terms are made of. */
export interface TermOptions {
  readonly ttlMs: number;
  readonly maxSkewMs: number;
  /** The option `fence`. */
  readonly usesFence: boolean;
}

/** Creates the terms of a holder: its nodes, and its durations in ticks. */
export function makeLeaseTerms(space: NodeSpace, { ttlMs, maxSkewMs, usesFence }: TermOptions): LeaseTerms {
  const { tickMs } = space;
  // One more, because the current tick has begun already.
  const ttlTicks = Math.ceil(ttlMs / tickMs) + 1;
  return {
    ...space,
    ttlTicks,
    maxSkewMs,
    maxSkewTicks: Math.ceil(maxSkewMs / tickMs),
    maxReachTicks: ttlTicks + Math.ceil((2 * maxSkewMs) / tickMs),
    usesFence,
  };
}

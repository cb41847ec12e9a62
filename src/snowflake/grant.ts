// Issuing under a grant: the right to stamp a node for a while. It sits where the tick changes, so that the calls in
// between pay nothing for it.

import { LeaseExpiredError, TimestampOverflowError } from "../errors.ts";
import type { Terms } from "./issuer.ts";
import type { Settings } from "./settings.ts";

/** The right to stamp a node's ticks from `from` on and before `until`. */
export interface Grant {
  readonly node: number;
  readonly from: number;
  readonly until: number;
}

/** What issues under grants. It stamps nothing before the first. */
export interface Grantable {
  /** Starts to stamp a grant's node, at its first tick or after the last tick stamped, whichever is later. */
  open(grant: Grant, nowMs: number): void;
  /** Moves the end of the open grant. */
  extend(until: number): void;
  /** Stamps no more; returns the first tick that was not stamped. */
  close(): number;
}

/** Terms that a grant moves: the node's bits, and the last tick that may be stamped. */
export interface MovingTerms extends Omit<Settings, "node" | "maxTick"> {
  node: bigint;
  maxTick: number;
}

/** The bits of a node, in their place in an ID. */
export function nodeBits(settings: Settings, node: number): bigint {
  return BigInt(node) << BigInt(settings.sequenceBits);
}

/** The last ID of a tick: who goes on from it stamps the next. */
export function lastOfTick(settings: Settings, node: number, tick: number): bigint {
  const { timestampShift, maxSequence } = settings;
  return (BigInt(tick) << BigInt(timestampShift)) | nodeBits(settings, node) | BigInt(maxSequence);
}

/**
 * Takes a step under a grant: where its end is before that of the layout, past it is no overflow.
 *
 * @param settings those of the layout, as terms are without a grant
 * @param until the first tick that the grant does not cover, or did not while there was one
 */
export function stepWithinGrant<T>(
  terms: Terms,
  settings: Settings,
  until: number,
  nowMs: number,
  take: () => T,
): T {
  try {
    return take();
  } catch (error) {
    if (!(error instanceof TimestampOverflowError) || terms.maxTick === settings.maxTick) throw error;
    const { epochMs, tickMs, sequenceBits } = settings;
    throw new LeaseExpiredError(Number(terms.node >> BigInt(sequenceBits)), epochMs + until * tickMs, nowMs);
  }
}

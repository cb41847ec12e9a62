// Grants: the right to stamp a node for a while, and the limit that it sets to ticks. The limit is checked where the tick
// changes, so that the calls in between pay nothing for it.

import { LeaseExpiredError } from "../errors.ts";
import type { TickLimit } from "./clock.ts";
import type { IdSource } from "./idSource.ts";
import type { Settings } from "./settings.ts";

/** The right to stamp a node's ticks from `from` on and before `until`. */
export interface Grant {
  readonly node: number;
  readonly from: number;
  readonly until: number;
}

/** A source that issues IDs under a grant. It has one grant at a time, and issues no ID before the first one. */
export interface GrantedSource extends IdSource {
  /**
   * Starts to stamp a grant's node, at its first tick or after the last tick stamped, whichever is later.
   *
   * @param nowMs the reading with which the grant was requested, from which on `maxBackwardMs` counts
   */
  open(grant: Grant, nowMs: number): void;
  /**
   * Sets the end of the last grant, to a later or an earlier tick. It does not open a grant that is closed: there it
   * changes only the end that errors report.
   */
  setEnd(until: number): void;
  /**
   * Closes the grant: no ID is issued until another one is opened.
   *
   * @returns the tick after the last one stamped; if the grant has stamped none, the first one that it could stamp
   */
  close(): number;
}

/** Returns a node, shifted to its position in an ID. */
export function shiftNode(settings: Settings, node: number): bigint {
  return BigInt(node) << BigInt(settings.sequenceBits);
}

/** Returns the last ID of a tick: a source that goes on from it stamps the next tick. */
export function lastOfTick(settings: Settings, node: number, tick: number): bigint {
  const { timestampShift, maxSequence } = settings;
  return (BigInt(tick) << BigInt(timestampShift)) | shiftNode(settings, node) | BigInt(maxSequence);
}

/** Creates the error for a reading that no grant covers. */
export function leaseExpired(
  { epochMs, tickMs }: Settings,
  node: number,
  until: number,
  nowMs: number,
): LeaseExpiredError {
  return new LeaseExpiredError(node, epochMs + until * tickMs, nowMs);
}

/** Returns the limit of a grant that covers the ticks before `until`. */
export function grantLimit(settings: Settings, node: number, until: number): TickLimit {
  return { node, until, error: (nowMs) => leaseExpired(settings, node, until, nowMs) };
}

// HolderBehavior: the holder's part of a lease.

import type { Grant } from "../../../src/snowflake/grant.ts";

export interface HolderBehavior {
  /** Whether the holder stamps a tick. */
  covers(grant: Grant, tick: number): boolean;
  /** Whether the answer to a renewal is about the grant that it was sent for. */
  isSameGrant(grant: Grant, answer: Grant): boolean;
  /** Returns the `nextTick` of a release; `last` is the last tick stamped, -1 if none was. */
  nextTickOf(grant: Grant, last: number): number;
  /** Whether the holder stamps the rest of its grant after a release. */
  readonly stampsAfterRelease: boolean;
  /** Whether the holder acquires its next grant under the same owner. */
  readonly reusesOwner: boolean;
}

/** The behavior that keeps IDs unique. */
export const correctHolder: HolderBehavior = {
  covers: ({ from, until }, tick) => tick >= from && tick < until,
  // A request that was sent before this grant may arrive after its end and get the node again for the same owner.
  // Between the two grants another holder may have had the node.
  isSameGrant: ({ node, from }, answer) => answer.node === node && answer.from === from,
  nextTickOf: ({ from }, last) => Math.max(from, last + 1),
  stampsAfterRelease: false,
  reusesOwner: false,
};

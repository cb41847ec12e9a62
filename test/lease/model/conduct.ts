// The holder's part in the protocol: what the lease code does with its grant.

import type { Grant } from "../../../src/snowflake/grant.ts";

export interface Conduct {
  /** Whether a tick may be stamped. */
  covers(grant: Grant, tick: number): boolean;
  /** Whether the answer to a renewal is about the grant that it was asked for. */
  isOf(grant: Grant, answer: Grant): boolean;
  /** The tick that the node is given back from; `last` is the last that was stamped, -1 if none was. */
  unusedOf(grant: Grant, last: number): number;
  /** Whether a holder that has given back goes on to stamp what is left. */
  readonly goesOn: boolean;
  /** Whether it asks for its next grant under the same name. */
  readonly staysItself: boolean;
}

/** What keeps IDs unique. */
export const honest: Conduct = {
  covers: ({ from, until }, tick) => tick >= from && tick < until,
  // What was sent before this grant may arrive after it has passed, and get the node once more, under the same name.
  // Between the two grants it was another's.
  isOf: ({ node, from }, answer) => answer.node === node && answer.from === from,
  unusedOf: ({ from }, last) => Math.max(from, last + 1),
  goesOn: false,
  staysItself: false,
};

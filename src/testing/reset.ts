// reset: forgets the IDs that were made so far, for tests whose clock goes back.

import { createEntry, freshV7State, type LedgerEntry, sharedLedger, sharedV7State } from "../internal.ts";

/** Returns whether each generator on an entry throws, because another one has taken over its identity. */
function isClosed(entry: LedgerEntry): boolean {
  return Object.getOwnPropertyDescriptor(entry, "highestReadingMs")?.get !== undefined;
}

/** Returns an entry to its state before the first ID. Generators keep it, so it is changed and not replaced. */
function clearEntry(entry: LedgerEntry): void {
  const { word, highestReadingMs, firstTick } = createEntry();
  entry.word[0] = word[0] as bigint;
  entry.highestReadingMs = highestReadingMs;
  entry.firstTick = firstTick;
}

/**
 * Forgets all IDs that were made on the system's clock: by `nextId()` and `nextIds()`, by every generator without a `clock` of its
 * own, also one of a module that was loaded before, and by `uuidv7()`. Call it before each test that fakes the time, so that the
 * clock may go back. It concerns all copies of the package in the realm.
 *
 * **It makes repeats possible**: after it, the same IDs can be made once more. No other function of bitflake can do that, and only
 * tests import `bitflake/testing`. Do not call it in a program.
 *
 * It does not concern generators with a `clock` of their own, generators of a lease, and generators that threads share. For the last
 * it forgets the identity, so a new `SharedGenerator` starts again.
 *
 * @throws {@link UnsupportedError} if `globalThis` and `WeakMap` are frozen
 *
 * @example
 * ```ts
 * import { beforeEach } from "node:test";
 * import { reset } from "bitflake/testing";
 *
 * beforeEach(reset);
 * ```
 */
export function reset(): void {
  const ledger = sharedLedger();
  // The entries of the system's clock are under the ledger itself.
  for (const entriesOfNode of ledger.get(ledger)?.values() ?? []) {
    for (const [ticks, entry] of entriesOfNode) {
      if (isClosed(entry)) entriesOfNode.delete(ticks);
      else clearEntry(entry);
    }
  }
  Object.assign(sharedV7State(), freshV7State());
}

// Who has issued what: the last ID of each identity, once per realm, however many generators share it.

import { realmWide } from "../realm.ts";
import { systemClock } from "./clock.ts";

/**
 * The last ID of one identity and the clock it was issued at. Every copy of the package in a realm works on
 * these same objects.
 */
export interface Entry {
  /** The highest reading at which an ID was issued; NaN before the first, which equals no reading. */
  readingMs: number;
  /** The last ID; negative before the first. Reading it gives birth to a BigInt in one 64-bit load. */
  readonly word: BigInt64Array<ArrayBuffer>;
  /** The low half of `word`, in place. */
  readonly low: Uint32Array;
}

/** A new entry, before its first ID. */
export function createEntry(): Entry {
  const word = BigInt64Array.of(-2n);
  const lowAt = new Uint32Array(word.buffer).indexOf(0xffff_fffe); // 0 on a little-endian machine, 1 on a big-endian one
  return { readingMs: Number.NaN, word, low: new Uint32Array(word.buffer, lowAt * 4, 1) };
}

export function copyEntry(from: Entry, to: Entry): void {
  to.readingMs = from.readingMs;
  to.word[0] = from.word[0] as bigint;
}

/** Identities by clock: those on a clock of the user's own go when its function does; the system's key is the ledger. */
type Ledger = WeakMap<object, Map<string, Entry>>;

/**
 * The entry of an identity. Two generators that could make the same ID on the same clock always meet here, also when
 * the package is loaded twice (ESM and CJS, two bundles); but each worker thread has a ledger of its own.
 *
 * @param identity all that decides which IDs come out and when they end, apart from the clock
 */
export function entryOf(clock: () => number, identity: string): Entry {
  const ledger = realmWide<Ledger>("bitflake.ledger.v1", () => new WeakMap());
  // Date.now passed as a clock is the system's as well, and stays known as such should another function replace it.
  const key = clock === systemClock || clock === Date.now ? ledger : clock;
  const entries = ledger.get(key) ?? new Map();
  ledger.set(key, entries).set(clock, entries);
  const entry = entries.get(identity) ?? createEntry();
  entries.set(identity, entry);
  return entry;
}

// The ledger: the last ID of each identity, once per realm, however many generators share the identity.

import { globalState } from "../globalState.ts";
import { isSystemClock } from "./clock.ts";
import type { Settings } from "./settings.ts";

/**
 * The last ID of one identity and the reading it was issued at. Every copy of the package in a realm works on these same
 * objects, so a renamed property needs a new version of the ledger.
 */
export interface LedgerEntry {
  /** The highest reading at which an ID was issued; NaN before the first, which equals no reading. */
  readingMs: number;
  /** The last ID; negative before the first. Reading it creates a BigInt with one 64-bit load. */
  readonly word: BigInt64Array<ArrayBuffer>;
  /** The low half of `word`: the same memory. */
  readonly low: Uint32Array;
  /** The tick of the first ID; infinite before the first. */
  firstTick: number;
  /**
   * All entries of the same clock and node, this one included, by how they count ticks. Over time one can reach the ticks
   * that another has used.
   */
  rivals: ReadonlyMap<string, LedgerEntry> | undefined;
}

/** Creates an entry, before its first ID. */
export function createEntry(): LedgerEntry {
  // -2n and not -1n: its halves must differ, to find the low one.
  const word = BigInt64Array.of(-2n);
  const lowAt = new Uint32Array(word.buffer).indexOf(0xffff_fffe); // 0 on a little-endian machine, 1 on a big-endian one
  const low = new Uint32Array(word.buffer, lowAt * 4, 1);
  return { readingMs: Number.NaN, word, low, firstTick: Infinity, rivals: undefined };
}

export function copyEntry(from: LedgerEntry, to: LedgerEntry): void {
  to.readingMs = from.readingMs;
  to.word[0] = from.word[0] as bigint;
  to.firstTick = from.firstTick;
  to.rivals = from.rivals;
}

/** The entries of one clock, by node and then by how ticks are counted. */
type ClockEntries = Map<string, Map<string, LedgerEntry>>;

/**
 * The entries by clock. Those on a clock of the user's own are collected with its function. The key of the system's clock
 * is the ledger itself.
 */
type Ledger = WeakMap<object, ClockEntries>;

/** Returns the value of a key, or creates it. */
function getOrCreate<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  create: () => V,
): V {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}

/**
 * Returns the entry of an identity. Two generators that could make the same ID on the same clock at the same time always
 * get the same entry, also when the package is loaded twice (ESM and CJS, two bundles). Each worker thread has a ledger of
 * its own.
 */
export function ledgerEntry(settings: Settings): LedgerEntry {
  const { clock, maxTick, timestampShift, sequenceBits, nodeBits, epochMs, tickMs } = settings;
  const ledger = globalState<Ledger>("bitflake.ledger.v2", () => new WeakMap());
  const key = isSystemClock(clock) ? ledger : clock;
  const nodes: ClockEntries = getOrCreate(ledger, key, () => new Map());
  // A function that is Date.now today stays known as the system's clock when another function replaces it.
  ledger.set(clock, nodes);
  const entriesOfNode = getOrCreate(nodes, `${timestampShift},${sequenceBits},${nodeBits}`, () => new Map());
  const entry = getOrCreate(entriesOfNode, `${maxTick},${epochMs},${tickMs}`, createEntry);
  entry.rivals = entriesOfNode;
  return entry;
}

/** Returns whether `tick` is between the first and last tick of another entry of the same clock and node. */
export function isTaken(
  { rivals: entriesOfNode }: LedgerEntry,
  tick: number,
  timestampShift: number,
): boolean {
  // The entry itself is no match, because its own ticks all lie before this one.
  if (entriesOfNode === undefined || entriesOfNode.size === 1) return false;
  return [...entriesOfNode.values()].some(
    ({ firstTick, word }) =>
      tick >= firstTick && BigInt(tick) <= (word[0] as bigint) >> BigInt(timestampShift),
  );
}

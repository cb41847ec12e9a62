// Who has issued what: the last ID of each identity, once per realm, however many generators share it.

import { globalState } from "../globalState.ts";
import { isSystemClock } from "./clock.ts";
import type { Settings } from "./settings.ts";

/**
 * The last ID of one identity and the clock it was issued at. Every copy of the package in a realm works on
 * these same objects.
 */
export interface LedgerEntry {
  /** The highest reading at which an ID was issued; NaN before the first, which equals no reading. */
  readingMs: number;
  /** The last ID; negative before the first. Reading it gives birth to a BigInt in one 64-bit load. */
  readonly word: BigInt64Array<ArrayBuffer>;
  /** The low half of `word`, in place. */
  readonly low: Uint32Array;
  /** The tick of the first ID; infinite before it. */
  firstTick: number;
  /**
   * The entries of the same clock and node (this one is among them), whose ticks are counted in other ways: in the course
   * of time one can come to the ticks that another has used.
   */
  rivals: ReadonlyMap<string, LedgerEntry> | undefined;
}

/** A new entry, before its first ID. */
export function createEntry(): LedgerEntry {
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

/**
 * Identities by clock and node. Those on a clock of the user's own go when its function does; the system's key is the
 * ledger itself.
 */
type Ledger = WeakMap<object, Map<string, Map<string, LedgerEntry>>>;

/**
 * The entry of an identity. Two generators that could make the same ID on the same clock at the same time always meet
 * here, also when the package is loaded twice (ESM and CJS, two bundles); but each worker thread has a ledger of its own.
 */
export function ledgerEntry(settings: Settings): LedgerEntry {
  const { clock, maxTick, timestampShift, sequenceBits, node, epochMs, tickMs } = settings;
  const ledger = globalState<Ledger>("bitflake.ledger.v2", () => new WeakMap());
  // What was Date.now once stays known as such, should another function replace it.
  const key = isSystemClock(clock) ? ledger : clock;
  const nodes = ledger.get(key) ?? new Map<string, Map<string, LedgerEntry>>();
  ledger.set(key, nodes).set(clock, nodes);
  const place = `${timestampShift},${sequenceBits},${node}`;
  const rivals = nodes.get(place) ?? new Map<string, LedgerEntry>();
  nodes.set(place, rivals);
  const ticks = `${maxTick},${epochMs},${tickMs}`;
  const entry = rivals.get(ticks) ?? createEntry();
  rivals.set(ticks, entry);
  entry.rivals = rivals;
  return entry;
}

/** Whether another entry of the same clock and node has used a tick, or may have: it lies between its first and last. */
export function isTaken({ rivals }: LedgerEntry, tick: number, timestampShift: number): boolean {
  // Its own ticks all lie behind it, so it is never the one that it meets.
  if (rivals === undefined || rivals.size === 1) return false;
  return [...rivals.values()].some(
    ({ firstTick, word }) =>
      tick >= firstTick && BigInt(tick) <= (word[0] as bigint) >> BigInt(timestampShift),
  );
}

// The ledger: the last ID of each identity. There is one ledger in a realm, so that each generator of an identity continues
// after the last ID of all of them.

import { ArgumentError } from "../errors.ts";
import { globalState } from "../globalState.ts";
import { isSystemClock } from "./clock.ts";
import type { Settings } from "./settings.ts";

/**
 * The state after the last ID of an identity, or of a lease: the first tick, the last ID, the highest reading, and all entries
 * of the same node. The ledger has one for each identity; a lease has one of its own; a batch works on a copy of one, the
 * draft. Every copy of the package in a realm works on these same objects, so a renamed property needs a new version of the
 * ledger.
 */
export interface LedgerEntry {
  /**
   * The highest reading at which an ID was issued; NaN before the first ID. NaN equals no reading, so that the first call
   * takes a step. The entry of a source with grants is not on the ledger: when a grant opens, its source sets this to the
   * reading with which the grant was requested, and when the grant closes, to NaN.
   */
  highestReadingMs: number;
  /**
   * The last ID, as one 64-bit word; negative before the first ID. When a grant opens, it is set to the largest ID of the
   * tick before the first tick that may be stamped, so that the next call takes a step into a new tick. One 64-bit load of it
   * creates the BigInt.
   */
  readonly word: BigInt64Array<ArrayBuffer>;
  /** The low 32 bits of the last ID: the same memory as `word`. */
  readonly low: Uint32Array;
  /**
   * The tick of the first ID; infinite before the first ID. Not kept for a source with grants: its entry is not on the ledger,
   * and is compared with no other.
   */
  firstTick: number;
  /**
   * All entries of the same clock and node, with as many node bits and as many sequence bits; this entry is one of them. The
   * key is the way of counting ticks: `maxTick`, epoch and tick length. Where it differs, two entries may reach the same tick
   * at different times, and {@link isTaken} keeps them apart.
   */
  entriesOfNode: ReadonlyMap<string, LedgerEntry> | undefined;
  /** The memory of the threads that share the identity, if a SharedGenerator of this thread makes its IDs. */
  shared: SharedLast | undefined;
}

/** The last ID and the highest reading of an identity that threads share. */
export interface SharedLast {
  /** Raises them, so that the next ID comes after `last`. */
  raise(last: bigint, readingMs: number): void;
  /** Shuts the memory: from now on each call throws, in every thread. Returns what was reached. */
  end(): { readonly last: bigint; readonly highestReadingMs: number };
}

/** Creates an entry, before its first ID. */
export function createEntry(): LedgerEntry {
  // -2n and not -1n: its halves must differ, to find the low one.
  const word = BigInt64Array.of(-2n);
  const lowAt = new Uint32Array(word.buffer).indexOf(0xffff_fffe); // 0 on a little-endian machine, 1 on a big-endian one
  const low = new Uint32Array(word.buffer, lowAt * 4, 1);
  return {
    highestReadingMs: Number.NaN,
    word,
    low,
    firstTick: Infinity,
    entriesOfNode: undefined,
    shared: undefined,
  };
}

/** Raises an entry's last ID and highest reading, and lowers its first tick. */
export function raiseEntry(entry: LedgerEntry, last: bigint, readingMs: number, firstTick: number): void {
  if (last > (entry.word[0] as bigint)) entry.word[0] = last;
  entry.firstTick = Math.min(entry.firstTick, firstTick);
  if (entry.shared) entry.shared.raise(last, readingMs);
  // Not `<`, because NaN is replaced too.
  else if (!(entry.highestReadingMs >= readingMs)) entry.highestReadingMs = readingMs;
}

/**
 * Makes every generator on an entry throw at its next ID. They read `highestReadingMs` before each ID, so they need no check.
 */
export function closeEntry(entry: LedgerEntry, createError: () => ArgumentError): void {
  const refuse = () => {
    throw createError();
  };
  // Without a prototype: what is on a polluted Object.prototype would be part of the descriptor.
  const descriptor = { __proto__: null, configurable: true, get: refuse, set: refuse } as PropertyDescriptor;
  Object.defineProperty(entry, "highestReadingMs", descriptor);
}

/** The entries of one clock: by position and value of the node, and then by the way of counting ticks. */
export type ClockEntries = Map<string, Map<string, LedgerEntry>>;

/**
 * The entries by clock function. The entries of a custom clock are garbage-collected with its function. Those of the system's
 * clock have the ledger itself as their key, and also each function that was known as the system's clock.
 */
export type Ledger = WeakMap<object, ClockEntries>;

/** Returns the ledger of the realm. */
export function sharedLedger(): Ledger {
  return globalState<Ledger>("bitflake.ledger.v3", () => new WeakMap());
}

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

/** Creates the error of a generator whose entry was closed by {@link joinSystemClock}. */
export function clockReplacedDateNow(clock: unknown): ArgumentError {
  const rule =
    "a function that did not replace Date.now after the generator was built (build a new generator)";
  return new ArgumentError("clock", rule, clock);
}

/** Continues an entry from another of the same identity, and closes the other. */
function absorb(entry: LedgerEntry, other: LedgerEntry, clock: unknown): void {
  const { last, highestReadingMs } = other.shared?.end() ?? {
    last: other.word[0] as bigint,
    highestReadingMs: other.highestReadingMs,
  };
  closeEntry(other, () => clockReplacedDateNow(clock));
  if (last >= 0n) raiseEntry(entry, last, highestReadingMs, other.firstTick);
}

/**
 * Records that a function is the system's clock, so that it still counts as that after another function has replaced it as
 * Date.now. If there are entries under the function, because it was a custom clock before, they join those of the system's
 * clock.
 */
function joinSystemClock(ledger: Ledger, systemEntries: ClockEntries, clock: () => number): void {
  const customEntries = ledger.get(clock);
  if (customEntries === systemEntries) return;
  ledger.set(clock, systemEntries);
  for (const [node, others] of customEntries ?? []) {
    const entriesOfNode = getOrCreate(systemEntries, node, () => new Map<string, LedgerEntry>());
    for (const [ticks, other] of others) {
      other.entriesOfNode = entriesOfNode;
      const entry = getOrCreate(entriesOfNode, ticks, () => other);
      if (entry !== other) absorb(entry, other, clock);
    }
  }
}

/**
 * Returns the entry of an identity, also when the package is loaded twice (ESM and CJS, two bundles). Generators with the same
 * clock, node, fields and way of counting ticks get the same entry. Where only the way of counting ticks differs, each has an
 * entry of its own, and {@link isTaken} keeps them from making the same ID. Each worker thread has a ledger of its own.
 */
export function ledgerEntry(settings: Settings): LedgerEntry {
  const { clock, maxTick, timestampShift, sequenceBits, shiftedNode, epochMs, tickMs } = settings;
  const ledger = sharedLedger();
  const isSystem = isSystemClock(clock);
  const nodes: ClockEntries = getOrCreate(ledger, isSystem ? ledger : clock, () => new Map());
  if (isSystem) for (const known of [clock, Date.now]) joinSystemClock(ledger, nodes, known);
  const entriesOfNode = getOrCreate(
    nodes,
    `${timestampShift},${sequenceBits},${shiftedNode}`,
    () => new Map(),
  );
  const entry = getOrCreate(entriesOfNode, `${maxTick},${epochMs},${tickMs}`, createEntry);
  entry.entriesOfNode = entriesOfNode;
  return entry;
}

/**
 * Returns whether another entry of the node spans a tick. All ticks from its first to its last one count, also those in
 * which it made no ID.
 *
 * @param tick a tick later than the entry's own, so that the entry itself does not match
 */
export function isTaken({ entriesOfNode }: LedgerEntry, tick: number, timestampShift: number): boolean {
  if (entriesOfNode === undefined || entriesOfNode.size === 1) return false;
  return [...entriesOfNode.values()].some(
    ({ firstTick, word }) =>
      tick >= firstTick && BigInt(tick) <= (word[0] as bigint) >> BigInt(timestampShift),
  );
}

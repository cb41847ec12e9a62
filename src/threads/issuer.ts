// Issues IDs out of memory that other threads issue from as well: one compare-and-set an ID, and no lock.

import {
  ArgumentError,
  checkRoom,
  checkTime,
  createEntry,
  type Grant,
  type Grantable,
  type IdRun,
  Issuer,
  type LedgerEntry,
  lastOfTick,
  type MovingTerms,
  nodeBits,
  type Settings,
  stepWithinGrant,
  WaitBudget,
} from "../internal.ts";
import { createMemory, type Memory, openMemory } from "./memory.ts";

/** The ledger's entry of an identity: in each thread that shares the identity, it knows where. */
type Local = LedgerEntry & { memory?: SharedArrayBuffer };

/** Goes on from what generators of the identity have made in this thread, and stops them from making more. */
function takeOver(local: Local, memory: Memory, machineId: number): void {
  const { readingMs } = local;
  const issued = local.word[0] as bigint;
  for (let { last } = memory; last < issued; { last } = memory) memory.replace(last, issued);
  if (issued >= 0n) memory.raise(readingMs);
  local.memory = memory.buffer;
  // They read it before each ID, and so need not ask each time whether they still may.
  const refuse = () => {
    throw new ArgumentError("machineId", "one that no SharedGenerator of this thread has", machineId);
  };
  // Without a prototype: what is on a polluted Object.prototype would be part of the descriptor.
  const descriptor = { __proto__: null, get: refuse, set: refuse } as PropertyDescriptor;
  Object.defineProperty(local, "readingMs", descriptor);
}

/** Issues the IDs of one identity together with other threads. */
export class SharedIssuer extends Issuer implements Grantable {
  declare readonly memory: Memory;
  readonly #settings: Settings;
  /** The ledger's entry, for generators of this thread that count the node's ticks in another way. */
  readonly #local: Local;
  /** What it goes by: with a lease, as far as the memory says. */
  readonly #terms: MovingTerms;
  /** The first tick that was not stamped under the last grant. */
  #unused = 0;
  /** The halves of the draft. */
  readonly #halves: Uint32Array;
  readonly #lowAt: number;
  readonly #mask: number;

  /**
   * @param given the memory that came with a handle; without, that of the identity in this thread, or a new one
   * @param isLeased whether a new one is for grants. Those keep leases apart, so it has no part in the ledger: its node
   *   may become another, and another lease may have had it before
   */
  constructor(settings: Settings, given?: Memory, isLeased = false) {
    const terms: MovingTerms = { ...settings };
    super(terms);
    this.#settings = settings;
    this.#terms = terms;
    const local: Local = isLeased || given?.isLeased ? createEntry() : this.entry;
    const known = local.memory && openMemory(local.memory, settings);
    if (known && given && known.tag !== given.tag) {
      throw new ArgumentError("handle", "that of the generator which this thread already has", given.buffer);
    }
    this.memory = known ?? given ?? createMemory(settings, isLeased);
    if (!known && !this.memory.isLeased) takeOver(local, this.memory, settings.machineId);
    // From here on the entry is a draft of the next ID, and of no more than one: so that what works on drafts, as the
    // core's own fill, never counts up without asking.
    this.entry = createEntry();
    this.entry.rivals = local.rivals;
    this.#local = local;
    this.#mask = this.lowMask;
    this.lowMask = 0;
    this.#halves = new Uint32Array(this.entry.word.buffer);
    this.#lowAt = this.entry.low.byteOffset >> 2;
  }

  open({ node, from, until }: Grant, nowMs: number): void {
    // Tick 0 is left out: what lies before it looks like no grant.
    const before = lastOfTick(this.#settings, node, Math.max(from, this.#unused, 1) - 1);
    this.memory.open(node, before, nowMs, until);
  }

  extend(until: number): void {
    this.memory.extend(until);
  }

  close(): number {
    const last = this.memory.close();
    const unused = Number(last >> BigInt(this.#settings.timestampShift)) + 1;
    this.#unused = Math.max(this.#unused, unused);
    return this.#unused;
  }

  override next(): bigint {
    const now = this.clock();
    if (this.#more(now, 1) === 0) this.spin(this.entry, now);
    return this.entry.word[0] as bigint;
  }

  /** Claims runs of IDs. Each is claimed at once; what other threads make lies between the runs. */
  runs(length: number): IdRun[] {
    const { entry, memory, terms } = this;
    const budget = new WaitBudget(length);
    const runs: IdRun[] = [];
    for (;;) {
      const now = this.clock();
      if (runs.length === 0) {
        // What is claimed is lost if a later run fails, so it is better not to begin.
        entry.word[0] = memory.last;
        entry.readingMs = memory.readingMs;
        checkRoom(terms, entry, now, budget);
      }
      const run = this.#runAt(now, budget);
      runs.push(run);
      budget.left -= run.count;
      if (budget.left === 0) return runs;
      checkTime(terms, entry, budget);
    }
  }

  #runAt(now: number, budget: WaitBudget): IdRun {
    const { entry } = this;
    const count = this.#more(now, budget.left);
    if (count > 0) return { first: (entry.word[0] as bigint) - BigInt(count - 1), count };
    this.spin(entry, now, budget);
    return this.rest(entry, budget.left);
  }

  /**
   * Claims IDs that count up, at most so many, unless the reading is new or the run is at its end: up to there the step
   * could only say one more. Returns how many, with the last of them in the draft.
   */
  #more(now: number, most: number): number {
    const { entry, memory } = this;
    const { halves } = memory;
    const { word } = entry;
    const draft = this.#halves;
    const lowAt = this.#lowAt;
    while (memory.isHighest(now)) {
      // Two loads may see two IDs. Such a mixture is not the last ID, and so cannot be replaced.
      const low = Atomics.load(halves, lowAt);
      draft[1 - lowAt] = Atomics.load(halves, 1 - lowAt);
      const count = Math.min((~low & this.#mask) >>> 0, most);
      if (count === 0) break;
      draft[lowAt] = low;
      const last = word[0] as bigint;
      draft[lowAt] = low + count;
      if (memory.replace(last, word[0] as bigint)) return count;
    }
    return 0;
  }

  /** Claims the rest of the run of the ID just made, as the core does: there are clocks that never show a reading twice. */
  override rest(entry: LedgerEntry, most: number): IdRun {
    const first = entry.word[0] as bigint;
    const low = entry.low[0] as number;
    const more = Math.min((~low & this.#mask) >>> 0, most - 1);
    const isMore = more > 0 && this.memory.replace(first, first + BigInt(more));
    return { first, count: isMore ? more + 1 : 1 };
  }

  /** The same on the shared memory: the entry is only where the next ID is drafted, also by a step that has to wait. */
  override take(entry: LedgerEntry, nowMs: number, count: number): number {
    const { memory } = this;
    for (let now = nowMs; ; ) {
      const { last, readingMs } = memory;
      // This thread may have been off the processor since it read the clock: only a reading that was made after
      // another thread's can tell that the clock stepped back.
      if (typeof now === "number" && now < readingMs) now = this.clock();
      entry.word[0] = last;
      entry.readingMs = readingMs;
      const terms = this.#terms;
      const until = memory.isLeased ? memory.until : 0;
      if (memory.isLeased) {
        terms.node = nodeBits(this.#settings, memory.node);
        // Where there is no ID there is no grant, whatever its end says.
        terms.maxTick = last < 0n ? -1 : Math.min(until - 1, this.#settings.maxTick);
      }
      const take = () => super.take(entry, now, count);
      const waitMs = stepWithinGrant(terms, this.#settings, until, now, take);
      if (waitMs > 0) return waitMs;
      if (memory.replace(last, entry.word[0])) {
        if (entry.readingMs !== readingMs) memory.raise(entry.readingMs);
        this.#record(entry.word[0]);
        return 0;
      }
    }
  }

  /** Shows in this thread's ledger how far the node's ticks are used. */
  #record(id: bigint): void {
    const local = this.#local;
    if (local.firstTick === Infinity) local.firstTick = Number(id >> BigInt(this.#settings.timestampShift));
    local.word[0] = id;
  }
}

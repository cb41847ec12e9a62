// SharedSource: issues IDs from memory that other threads issue from as well. One compare-and-set an ID, and no lock.

import {
  ArgumentError,
  type Attempt,
  clockReplacedDateNow,
  closeEntry,
  createEntry,
  type Grant,
  type GrantedSource,
  grantLimit,
  type IdRun,
  type IdSource,
  type LedgerEntry,
  lastOfTick,
  ledgerEntry,
  type NodeFields,
  type Settings,
  shiftNode,
  stepEntry,
  stepUntilId,
  WaitBudget,
} from "../internal.ts";
import { createMemory, type Memory, openMemory } from "./memory.ts";

/** The ledger's entry of an identity, with the memory that it shares with other threads. */
type Local = LedgerEntry & { memory?: SharedArrayBuffer };

/** Continues from the last ID that generators of the identity have made in this thread, and stops those generators. */
function takeOver(local: Local, memory: Memory, machineId: number): void {
  const issued = local.word[0] as bigint;
  if (issued >= 0n) memory.raise(issued, local.highestReadingMs);
  local.memory = memory.buffer;
  local.shared = memory;
  const rule = "one that no SharedGenerator of this thread has";
  closeEntry(local, () => new ArgumentError("machineId", rule, machineId));
}

/** Issues the IDs of one identity together with other threads. If a batch throws midway, its claimed IDs are lost. */
export class SharedSource implements IdSource, GrantedSource {
  declare readonly memory: Memory;
  readonly #settings: Settings;
  readonly #clock: () => number;
  /** The ledger's entry, for generators of this thread that count the node's ticks in another way. */
  readonly #local: Local;
  /** Where the next ID is put together. It holds the last ID seen when a step has to wait. */
  readonly #draft: LedgerEntry;
  /** The halves of the draft. */
  readonly #halves: Uint32Array;
  readonly #lowAt: number;
  /** The sequence bits that lie in an ID's low half. */
  readonly #lowMask: number;
  /** The tick after the last one stamped under any grant. */
  #nextTick = 0;

  /**
   * @param given the memory that came with a handle; without, that of the identity in this thread, or a new one
   * @param isLeased whether a new memory is for grants. Grants keep leases apart, so it has no part in the ledger: its
   *   node may become another, and another lease may have had that node before
   */
  constructor(settings: Settings, given?: Memory, isLeased = false) {
    const local: Local = isLeased || given?.isLeased ? createEntry() : ledgerEntry(settings);
    const known = local.memory && openMemory(local.memory, settings);
    if (known && given && known.tag !== given.tag) {
      throw new ArgumentError("handle", "that of the generator which this thread already has", given.buffer);
    }
    if (given?.isEnded) throw clockReplacedDateNow(settings.clock);
    this.memory = known ?? given ?? createMemory(settings, isLeased);
    if (!known && !this.memory.isLeased) takeOver(local, this.memory, settings.machineId);
    const draft = createEntry();
    this.#settings = settings;
    this.#clock = settings.clock;
    this.#local = local;
    this.#draft = draft;
    this.#halves = new Uint32Array(draft.word.buffer);
    this.#lowAt = draft.low.byteOffset >> 2;
    this.#lowMask = settings.maxSequence | 0;
  }

  get node(): NodeFields {
    if (!this.memory.isLeased) return this.#settings;
    const machines = 2 ** this.#settings.layout.machineBits;
    const { node } = this.memory;
    return { datacenterId: Math.floor(node / machines), machineId: node % machines };
  }

  open({ node, from, until }: Grant, nowMs: number): void {
    // Tick 0 is left out: the ID before it looks like no grant.
    const before = lastOfTick(this.#settings, node, Math.max(from, this.#nextTick, 1) - 1);
    this.memory.open(node, before, nowMs, until);
  }

  setEnd(until: number): void {
    this.memory.setEnd(until);
  }

  close(): number {
    const last = this.memory.close();
    // The last ID is -1 if the grant was closed before: then the tick is kept.
    this.#nextTick = Math.max(this.#nextTick, Number(last >> BigInt(this.#settings.timestampShift)) + 1);
    return this.#nextTick;
  }

  /** The hot path: one clock reading, three plain loads, one compare-and-set. */
  nextId(): bigint {
    const nowMs = this.#clock();
    const { memory } = this;
    if (memory.isHighest(nowMs)) {
      const { halves } = memory;
      const low = halves[this.#lowAt] as number;
      if ((low & this.#lowMask) !== this.#lowMask) {
        const last = this.join(low, halves[1 - this.#lowAt] as number);
        // V8 adds 64-bit integers in place, without BigInt arithmetic.
        const next = BigInt.asIntN(64, last + 1n);
        if (memory.replace(last, next)) return next;
      }
    }
    return this.claimRun(nowMs, 1).first;
  }

  /** Claims each run at once. What other threads make lies between the runs. */
  claimRuns(length: number): IdRun[] {
    const budget = new WaitBudget(length);
    const runs: IdRun[] = [];
    for (;;) {
      const nowMs = this.#clock();
      if (runs.length === 0) this.assertRoom(nowMs, budget);
      const run = this.claimRun(nowMs, budget.idsLeft, budget);
      runs.push(run);
      budget.idsLeft -= run.count;
      if (budget.idsLeft === 0) return runs;
      budget.assertTime(this.#settings, this.#draft);
    }
  }

  tryClaim(most: number): Attempt {
    const nowMs = this.#clock();
    const waitMs = this.tryStep(nowMs, most);
    return { run: waitMs > 0 ? undefined : this.restOfRun(most), waitMs, nowMs };
  }

  /** Asserts that there is time for all IDs before the first is claimed: what is claimed is lost if a later run fails. */
  private assertRoom(nowMs: number, budget: WaitBudget): void {
    this.#draft.word[0] = this.memory.last;
    this.#draft.highestReadingMs = this.memory.highestReadingMs;
    budget.assertRoom(this.#settings, this.#draft, nowMs);
  }

  /** Claims at most `most` IDs of one run. */
  private claimRun(firstReadingMs: number, most: number, budget?: WaitBudget): IdRun {
    const run = this.countUp(firstReadingMs, most);
    if (run) return run;
    const tryStep = (nowMs: number, count: number) => this.tryStep(nowMs, count);
    stepUntilId(this.#settings, this.#draft, firstReadingMs, tryStep, budget);
    return this.restOfRun(most);
  }

  /**
   * Claims up to `most` IDs after the last one, without a step. Returns undefined if the reading is new or the run is at
   * its end; before that, `step` would return the last ID plus one.
   */
  private countUp(nowMs: number, most: number): IdRun | undefined {
    const { memory } = this;
    const { halves } = memory;
    while (memory.isHighest(nowMs)) {
      const low = Atomics.load(halves, this.#lowAt);
      const last = this.join(low, Atomics.load(halves, 1 - this.#lowAt));
      const count = Math.min((~low & this.#lowMask) >>> 0, most);
      if (count === 0) return undefined;
      if (memory.replace(last, last + BigInt(count))) return { first: last + 1n, count };
    }
    return undefined;
  }

  /** Joins halves of the memory. Two loads may see two IDs: such a mixture is not the last ID, and cannot be replaced. */
  private join(low: number, high: number): bigint {
    const halves = this.#halves;
    halves[this.#lowAt] = low;
    halves[1 - this.#lowAt] = high;
    return this.#draft.word[0] as bigint;
  }

  /** Claims up to `most` IDs, starting with the one just made, to the end of the run: some clocks never repeat a reading. */
  private restOfRun(most: number): IdRun {
    const first = this.#draft.word[0] as bigint;
    const low = this.#draft.low[0] as number;
    const more = Math.min((~low & this.#lowMask) >>> 0, most - 1);
    const isMore = more > 0 && this.memory.replace(first, first + BigInt(more));
    return { first, count: isMore ? more + 1 : 1 };
  }

  /** Tries one step on the shared memory. Returns 0, and the draft has the next ID; or returns the milliseconds to wait. */
  private tryStep(firstReadingMs: number, count: number): number {
    const { memory } = this;
    const settings = this.#settings;
    const draft = this.#draft;
    for (let nowMs = firstReadingMs; ; ) {
      const { last, highestReadingMs } = memory;
      if (memory.isEnded) throw clockReplacedDateNow(this.#clock);
      // This thread may have been off the processor since it read the clock: only a reading that was made after
      // another thread's can tell that the clock stepped back.
      if (typeof nowMs === "number" && nowMs < highestReadingMs) nowMs = this.#clock();
      draft.word[0] = last;
      draft.highestReadingMs = highestReadingMs;
      draft.entriesOfNode = this.#local.entriesOfNode;
      const waitMs = memory.isLeased
        ? this.stepUnderGrant(last, nowMs, count)
        : stepEntry(settings, draft, settings.shiftedNode, nowMs, count);
      if (waitMs > 0) return waitMs;
      const next = draft.word[0];
      if (memory.replace(last, next)) {
        if (draft.highestReadingMs !== highestReadingMs) memory.raiseReading(draft.highestReadingMs);
        this.record(next);
        return 0;
      }
    }
  }

  /** Steps the draft under the grant that the memory shows. It must have been read after the last ID. */
  private stepUnderGrant(last: bigint, nowMs: number, count: number): number {
    const settings = this.#settings;
    const { node, until } = this.memory;
    const limit = grantLimit(settings, node, until);
    // Where there is no ID there is no grant, whatever its end says.
    const open = last < 0n ? { ...limit, until: 0 } : limit;
    return stepEntry(settings, this.#draft, shiftNode(settings, node), nowMs, count, open);
  }

  /** Shows in this thread's ledger how far the node's ticks are used. */
  private record(id: bigint): void {
    const local = this.#local;
    if (local.firstTick === Infinity) local.firstTick = Number(id >> BigInt(this.#settings.timestampShift));
    local.word[0] = id;
  }
}

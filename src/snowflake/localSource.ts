// LocalSource: issues IDs from an entry in this thread. Its only state is the entry.

import { ArgumentError } from "../errors.ts";
import { stepEntry } from "./entryStep.ts";
import type { Attempt, IdRun, IdSource, NodeFields } from "./idSource.ts";
import { createEntry, type LedgerEntry, ledgerEntry, raiseEntry } from "./ledger.ts";
import type { Settings } from "./settings.ts";
import { stepUntilId, WaitBudget } from "./waitBudget.ts";

/** Issues IDs from one entry. Its private members are TypeScript-private, because each further `#name` check costs 3 % of
 * `nextId()`; the one of the generator stays. */
export class LocalSource implements IdSource {
  // `declare` keeps the fields out of the JavaScript, where each would be set to undefined first, and then by the constructor.
  declare protected readonly settings: Settings;
  /**
   * The last ID and the highest reading. By default this is the ledger's entry, which all LocalSources of the identity share,
   * except those on a lease, which have an entry of their own.
   */
  declare protected readonly entry: LedgerEntry;
  declare private readonly clock: () => number;
  /**
   * Has ones where an ID's low half has sequence bits. While these bits of the last ID are not all ones, the next ID at the
   * entry's reading is the last one plus one. When they are, a run ends.
   */
  declare private readonly lowMask: number;

  constructor(settings: Settings, entry: LedgerEntry = ledgerEntry(settings)) {
    this.settings = settings;
    this.entry = entry;
    this.clock = settings.clock;
    this.lowMask = settings.maxSequence | 0; // Keeps the low 32 bits.
  }

  get node(): NodeFields {
    const { datacenterId, machineId } = this.settings;
    return { datacenterId, machineId };
  }

  /**
   * The hot path: one clock reading, the comparison with the entry's reading and with the mask, one store into the low half,
   * and the load that creates the BigInt.
   */
  nextId(): bigint {
    const { clock, entry } = this;
    this.advance(entry, clock());
    return entry.word[0] as bigint;
  }

  /** Claims the runs on a draft of the entry, so that a clock which fails midway changes nothing. */
  claimRuns(count: number): IdRun[] {
    const { entry, settings, clock } = this;
    const { highestReadingMs, firstTick, entriesOfNode } = entry;
    const last = entry.word[0] as bigint;
    const draft = createEntry();
    draft.entriesOfNode = entriesOfNode;
    raiseEntry(draft, last, highestReadingMs, firstTick);
    const runs: IdRun[] = [];
    const budget = new WaitBudget(count);
    let nowMs = clock();
    const hasRoom = nowMs === highestReadingMs && this.leftInRun(draft) >= count;
    if (!hasRoom) budget.assertRoom(settings, draft, nowMs);
    for (;;) {
      this.advance(draft, nowMs, budget);
      const run = this.extendRun(draft, budget.idsLeft);
      runs.push(run);
      budget.idsLeft -= run.count;
      if (budget.idsLeft === 0) break;
      budget.assertTime(settings, draft);
      nowMs = clock();
    }
    // The clock function made IDs (the last ID changed) or ended the lease (the reading is NaN).
    if (entry.word[0] !== last || !Object.is(entry.highestReadingMs, highestReadingMs)) {
      throw new ArgumentError("clock", "a function that makes no IDs", clock);
    }
    raiseEntry(entry, draft.word[0] as bigint, draft.highestReadingMs, draft.firstTick);
    return runs;
  }

  tryClaim(most: number): Attempt {
    const { entry } = this;
    const nowMs = this.clock();
    const waitMs = this.tryStep(entry, nowMs, most);
    return { run: waitMs > 0 ? undefined : this.extendRun(entry, most), waitMs, nowMs };
  }

  /** Tries one step on the entry or a draft of it. Returns 0 if that now has the next ID, else the milliseconds to wait. */
  protected tryStep(entry: LedgerEntry, nowMs: number, count: number): number {
    return stepEntry(this.settings, entry, this.settings.shiftedNode, nowMs, count);
  }

  /** Moves the entry or a draft of it to the next ID. */
  private advance(entry: LedgerEntry, nowMs: number, budget?: WaitBudget): void {
    const { lowMask } = this;
    const low = entry.low[0] as number;
    // At the same reading, and before the end of the run, a step would lead to the last ID plus one.
    if (nowMs === entry.highestReadingMs && (low & lowMask) !== lowMask) entry.low[0] = low + 1;
    else this.stepOrWait(entry, nowMs, budget);
  }

  /** The slow path of {@link LocalSource.advance}: takes a step, and waits while the tick is full. */
  private stepOrWait(entry: LedgerEntry, firstReadingMs: number, budget?: WaitBudget): void {
    stepUntilId(
      this.settings,
      entry,
      firstReadingMs,
      (nowMs, count) => this.tryStep(entry, nowMs, count),
      budget,
    );
  }

  /** Returns how many IDs the run has after an entry's last ID. */
  private leftInRun({ low }: LedgerEntry): number {
    return (~(low[0] as number) & this.lowMask) >>> 0;
  }

  /** Claims up to `most` IDs, starting with the one just made, to the end of the run. */
  private extendRun(entry: LedgerEntry, most: number): IdRun {
    const first = entry.word[0] as bigint;
    const count = Math.min(this.leftInRun(entry) + 1, most);
    entry.low[0] = (entry.low[0] as number) + count - 1;
    return { first, count };
  }
}

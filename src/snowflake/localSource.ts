// LocalSource: issues IDs from an entry in this thread. The last ID and the reading it was issued at are all its state.

import { ArgumentError } from "../errors.ts";
import { stepEntry } from "./entryStep.ts";
import type { Attempt, IdRun, IdSource, NodeFields } from "./idSource.ts";
import { copyEntry, createEntry, type LedgerEntry, ledgerEntry } from "./ledger.ts";
import type { Settings } from "./settings.ts";
import { spin, WaitBudget } from "./waitBudget.ts";

/** Its private methods are so in types only: the check that a `#name` makes would be 3 % of an ID. */
export class LocalSource implements IdSource {
  declare protected readonly settings: Settings;
  /** The last ID. By default the ledger's entry, which every other source of the identity shares. */
  declare protected readonly entry: LedgerEntry;
  declare private readonly clock: () => number;
  /** The sequence bits that lie in an ID's low half: while they are not all ones, the next ID is one more. */
  declare private readonly lowMask: number;

  constructor(settings: Settings, entry: LedgerEntry = ledgerEntry(settings)) {
    this.settings = settings;
    this.entry = entry;
    this.clock = settings.clock;
    this.lowMask = settings.maxSequence | 0;
  }

  get node(): NodeFields {
    return this.settings;
  }

  /** The hot path: one clock reading, one comparison, one store, one load. */
  nextId(): bigint {
    const { clock, entry } = this;
    this.advance(entry, clock());
    return entry.word[0] as bigint;
  }

  /** Claims the runs on a draft of the entry, so that a clock which fails midway changes nothing. */
  claimRuns(count: number): IdRun[] {
    const { entry, settings, clock } = this;
    const draft = createEntry();
    copyEntry(entry, draft);
    const { readingMs } = entry;
    const last = entry.word[0];
    const runs: IdRun[] = [];
    const budget = new WaitBudget(count);
    let now = clock();
    const isRoom = now === readingMs && (~(draft.low[0] as number) & this.lowMask) >>> 0 >= count;
    if (!isRoom) budget.assertRoom(settings, draft, now);
    for (;;) {
      this.advance(draft, now, budget);
      const run = this.extendRun(draft, budget.left);
      runs.push(run);
      budget.left -= run.count;
      if (budget.left === 0) break;
      budget.assertTime(settings, draft);
      now = clock();
    }
    // A lease that ends meanwhile takes the reading away.
    if (entry.word[0] !== last || !Object.is(entry.readingMs, readingMs)) {
      throw new ArgumentError("clock", "a function that makes no IDs", clock);
    }
    copyEntry(draft, entry);
    return runs;
  }

  tryClaim(most: number): Attempt {
    const { entry } = this;
    const nowMs = this.clock();
    const waitMs = this.take(entry, nowMs, most);
    return { run: waitMs > 0 ? undefined : this.extendRun(entry, most), waitMs, nowMs };
  }

  /** Takes one step on the entry or a draft of it: returns 0 with the next ID, or how many milliseconds to wait. */
  protected take(entry: LedgerEntry, nowMs: number, count: number): number {
    return stepEntry(this.settings, entry, this.settings.node, nowMs, count);
  }

  /** Moves the entry or a draft of it to the next ID. */
  private advance(entry: LedgerEntry, now: number, budget?: WaitBudget): void {
    const { lowMask } = this;
    const low = entry.low[0] as number;
    // Unless the reading is new or the run is at its end, the step could only say: one more.
    if (now === entry.readingMs && (low & lowMask) !== lowMask) entry.low[0] = low + 1;
    else this.spin(entry, now, budget);
  }

  private spin(entry: LedgerEntry, firstMs: number, budget?: WaitBudget): void {
    spin(this.settings, entry, firstMs, (nowMs, count) => this.take(entry, nowMs, count), budget);
  }

  /** Extends an entry's last ID to the rest of its run, or as far as it is wanted. */
  private extendRun(entry: LedgerEntry, most: number): IdRun {
    const first = entry.word[0] as bigint;
    const low = entry.low[0] as number;
    const count = Math.min(((~low & this.lowMask) >>> 0) + 1, most);
    entry.low[0] = low + count - 1;
    return { first, count };
  }
}

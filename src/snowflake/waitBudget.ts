// How long a synchronous call may wait: the stall rule, the time budget, and the loop that reads the clock under both.

import { ClockStalledError, SequenceExhaustedError } from "../errors.ts";
import { spanMs, tickOf, waitForRoomMs } from "./clock.ts";
import { stateOf } from "./entryStep.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { Settings } from "./settings.ts";

/**
 * How often a call reads the clock without seeing a new millisecond before it counts as stalled.
 * The coarsest clock that runs, Firefox's with resistFingerprinting, steps by 17 ms: at 20 ns a read, faster than
 * any measured, that is 850,000 reads. This limit is more than twice that, and 0.15 s at the usual 70 ns for the clock
 * plus `performance.now()`. A larger limit would slow tests whose clock is a mock that records its calls, at 1 µs each.
 */
const STALL_READS = 2_097_152;

/**
 * How often a call reads the clock in all: a limit for a clock that hardly moves, where there is no `performance.now()`.
 * At 15 ns a read, faster than any measured, it is reached after the 2 s below.
 */
const MAX_READS = 134_217_728;

/** The longest a synchronous call waits, in milliseconds. A tick of an hour must not block the event loop for an hour. */
const MAX_WAIT_MS = 2000;

/**
 * Returns a function that gets each reading. It throws if the clock has shown no new millisecond for too long, or if its
 * second argument, `isLate`, says that the call has used up its time.
 *
 * @param limit how many readings in a row may show no new millisecond
 * @param most how many readings there may be in all
 */
export function stallWatch(limit: number, most: number): (nowMs: number, isLate?: boolean) => void {
  let highest = -Infinity;
  let quiet = 0;
  let reads = 0;
  return (nowMs, isLate = false) => {
    // Whole milliseconds, and only new highs: a clock that wavers or creeps by fractions stands still too.
    const ms = Math.floor(nowMs);
    quiet++;
    if (ms > highest) {
      quiet = 0;
      highest = ms;
    }
    if (++reads > most || quiet >= limit || isLate) throw new ClockStalledError(nowMs, reads);
  };
}

/** Returns milliseconds by the runtime's monotonic clock, which nobody sets; NaN where there is none. */
function monotonicMs(): number {
  const { performance } = globalThis as { performance?: { now?(): number } };
  return performance?.now?.() ?? Number.NaN;
}

/** How long a synchronous call may wait, for one ID or for a batch. */
export class WaitBudget {
  /** How many IDs the call has not made yet. */
  idsLeft: number;
  #watch: ReturnType<typeof stallWatch> | undefined;
  /** The generator's clock at the first wait. */
  #firstWaitMs: number | undefined;
  /** The monotonic clock at the first {@link checkLate}. */
  #monotonicStartMs: number | undefined;

  constructor(count: number) {
    this.idsLeft = count;
  }

  /** Returns whether the call has taken over 2 s by the monotonic clock. The first check starts the 2 s. */
  private checkLate(): boolean {
    const now = monotonicMs();
    this.#monotonicStartMs ??= now;
    return now - this.#monotonicStartMs > MAX_WAIT_MS;
  }

  /**
   * Asserts that a wait is within the budget.
   *
   * @param tick the tick that is full
   * @param waitMs how long until there is room for all IDs that are left
   */
  assertWait(tick: number, waitMs: number, nowMs: number): void {
    this.#firstWaitMs ??= nowMs;
    const spentMs = Math.max(nowMs - this.#firstWaitMs, 0);
    if (waitMs + spentMs > MAX_WAIT_MS) throw new SequenceExhaustedError(tick, waitMs, this.idsLeft);
  }

  /**
   * Asserts, before a batch claims its first ID, that it can have all of them in time, judged by one reading. If the
   * reading itself is wrong, the claim throws.
   */
  assertRoom(settings: Settings, entry: LedgerEntry, nowMs: number): void {
    const state = stateOf(settings, entry);
    if (!Number.isFinite(nowMs) || nowMs < settings.epochMs) return;
    if (state.readingMs - nowMs > settings.maxBackwardMs) return;
    const waitMs = waitForRoomMs(settings, state, nowMs, this.idsLeft);
    if (waitMs === 0) return;
    const tick = Math.max(state.tick, tickOf(settings, nowMs));
    if (settings.onExhausted === "throw") throw new SequenceExhaustedError(tick, waitMs, this.idsLeft);
    this.assertWait(tick, waitMs, nowMs);
  }

  /**
   * Asserts that a batch has time left after a run that did not complete it: a clock that is slow to read can use up the
   * time without a wait.
   */
  assertTime(settings: Settings, entry: LedgerEntry): void {
    if (!this.checkLate()) return;
    const waitMs = settings.tickMs + spanMs(settings, this.idsLeft);
    throw new SequenceExhaustedError(stateOf(settings, entry).tick, waitMs, this.idsLeft);
  }

  /** Throws if the clock has stalled, or hardly moved, while the tick is full. */
  assertMoving(nowMs: number): void {
    this.#watch ??= stallWatch(STALL_READS, MAX_READS);
    this.#watch(nowMs, this.checkLate());
  }
}

/**
 * Takes steps until one leads to an ID. While the tick is full, it reads the clock until the reading changes.
 *
 * @param entry after each `take`, holds the last ID
 * @param firstMs the first reading
 * @param take takes one step at a reading; returns 0, or how many milliseconds to wait
 * @param batchBudget the budget of a batch; a call for one ID gets its own at its first wait
 */
export function stepUntilId(
  settings: Settings,
  entry: LedgerEntry,
  firstMs: number,
  take: (nowMs: number, count: number) => number,
  batchBudget?: WaitBudget,
): void {
  const { clock } = settings;
  let budget = batchBudget;
  for (let now = firstMs; ; ) {
    const count = budget?.idsLeft ?? 1;
    const waitMs = take(now, count);
    if (waitMs === 0) return;
    budget ??= new WaitBudget(1);
    budget.assertWait(stateOf(settings, entry).tick, waitMs + spanMs(settings, count), now);
    const lastReading = now;
    do {
      budget.assertMoving(now);
      now = clock();
    } while (now === lastReading);
  }
}

// How long a synchronous call may wait: the stall check, the time budget, and the loop that reads the clock under both.

import { ClockStalledError, SequenceExhaustedError } from "../errors.ts";
import { spanMs, tickOf } from "./clock.ts";
import { stateOf } from "./entryStep.ts";
import type { LedgerEntry } from "./ledger.ts";
import { observedWaitForRoomMs } from "./observedRule.ts";
import type { Settings } from "./settings.ts";

/**
 * How many readings in a row may show no new millisecond before the clock counts as stalled. The coarsest clock that runs,
 * Firefox's with resistFingerprinting, steps by 17 ms. The fastest reading that we measured takes 35 ns. Even at 20 ns, 17 ms
 * are 850,000 readings, and this limit is more than twice that. It takes 0.1 to 0.2 s, at the usual 50 to 100 ns for the clock
 * plus `performance.now()`. A larger limit would slow tests whose clock is a mock that records its calls, at 1 µs each.
 */
const STALL_READS = 2_097_152;

/**
 * How many times a call may read the clock in all. Where there is no `performance.now()`, it ends a wait on a clock that hardly
 * moves. Even at 20 ns a reading it takes 2.7 s, more than the 2 s below.
 */
const MAX_READS = 134_217_728;

/** The longest a synchronous call waits, in milliseconds. A tick of an hour must not block the event loop for an hour. */
const MAX_WAIT_MS = 2000;

/**
 * Creates the check of all waits of one call: a function that the caller passes every reading to. It throws if the clock
 * has not moved for too many readings, if there were too many of them, or if its second argument, `isLate`, says that the
 * call had used up its time before this reading.
 *
 * @param maxUnmoved how many readings in a row may show no new millisecond
 * @param maxReads how many readings there may be in all
 */
export function createStallCheck(
  maxUnmoved: number,
  maxReads: number,
): (nowMs: number, isLate?: boolean) => void {
  let highestMs = -Infinity;
  let unmoved = 0;
  let reads = 0;
  return (nowMs, isLate = false) => {
    // Only a new highest whole millisecond counts as movement. Neither a clock that alternates between two readings nor one
    // that advances by tiny fractions would end a wait in time.
    const wholeMs = Math.floor(nowMs);
    unmoved++;
    if (wholeMs > highestMs) {
      unmoved = 0;
      highestMs = wholeMs;
    }
    if (++reads > maxReads || unmoved >= maxUnmoved || isLate) throw new ClockStalledError(nowMs, reads);
  };
}

/** Returns the milliseconds of the runtime's monotonic clock, which corrections of the clock do not change; NaN where there is none. */
function monotonicMs(): number {
  const { performance } = globalThis as { performance?: { now?(): number } };
  return performance?.now?.() ?? Number.NaN;
}

/** How long a synchronous call may wait, for one ID or for a batch. */
export class WaitBudget {
  /** How many IDs the call has not made yet. */
  idsLeft: number;
  #checkStall: ReturnType<typeof createStallCheck> | undefined;
  /** The reading of the generator's clock at which the first wait started. */
  #waitStartMs: number | undefined;
  /** The reading of the monotonic clock at the first {@link checkLate}. */
  #monotonicStartMs: number | undefined;

  constructor(count: number) {
    this.idsLeft = count;
  }

  /** Returns whether the call has taken over 2 s by the monotonic clock. The first check starts the 2 s. */
  checkLate(): boolean {
    const nowMs = monotonicMs();
    this.#monotonicStartMs ??= nowMs;
    return nowMs - this.#monotonicStartMs > MAX_WAIT_MS;
  }

  /**
   * Asserts that a wait is within the budget.
   *
   * @param tick the tick that is full
   * @param waitMs how long until there is room for all IDs that are left
   */
  assertWait(tick: number, waitMs: number, nowMs: number): void {
    this.#waitStartMs ??= nowMs;
    const spentMs = Math.max(nowMs - this.#waitStartMs, 0);
    if (waitMs + spentMs > MAX_WAIT_MS) throw new SequenceExhaustedError(tick, waitMs, this.idsLeft);
  }

  /**
   * Asserts, before a batch claims its first ID, that it can have all of them in time, judged by one reading. If the
   * reading itself is wrong, the claim throws.
   */
  assertRoom(settings: Settings, entry: LedgerEntry, nowMs: number): void {
    const state = stateOf(settings, entry);
    if (!Number.isFinite(nowMs) || nowMs < settings.epochMs) return;
    if (state.highestReadingMs - nowMs > settings.maxBackwardMs) return;
    const waitMs = observedWaitForRoomMs(settings, state, nowMs, this.idsLeft);
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

  /**
   * Throws if the clock has stalled, or hardly moved, while the tick is full.
   *
   * @param wasLate whether the call was late before it read the clock
   */
  assertMoving(nowMs: number, wasLate: boolean): void {
    this.#checkStall ??= createStallCheck(STALL_READS, MAX_READS);
    this.#checkStall(nowMs, wasLate);
  }
}

/**
 * Tries steps until one leads to an ID. While the tick is full, it reads the clock until the reading changes.
 *
 * @param entry holds the last ID after each `tryStep`
 * @param firstReadingMs the reading of the first step
 * @param tryStep tries one step at a reading; returns 0, or the milliseconds to wait
 * @param batchBudget the budget of a batch; a call for one ID gets its own at its first wait
 */
export function stepUntilId(
  settings: Settings,
  entry: LedgerEntry,
  firstReadingMs: number,
  tryStep: (nowMs: number, count: number) => number,
  batchBudget?: WaitBudget,
): void {
  const { clock } = settings;
  let budget = batchBudget;
  // Whether the call had used up its 2 s before the latest reading. That alone is no error: a process that was suspended for
  // longer has used them up too, but its next reading is in a later tick, and gives an ID. Only if that reading has not moved,
  // or its tick is still full, do assertMoving and assertWait throw an error.
  let wasLate = false;
  for (let nowMs = firstReadingMs; ; ) {
    const count = budget?.idsLeft ?? 1;
    const waitMs = tryStep(nowMs, count);
    if (waitMs === 0) return;
    budget ??= new WaitBudget(1);
    budget.assertWait(stateOf(settings, entry).tick, waitMs + spanMs(settings, count), nowMs);
    const lastReadingMs = nowMs;
    do {
      budget.assertMoving(nowMs, wasLate);
      wasLate = budget.checkLate();
      nowMs = clock();
    } while (nowMs === lastReadingMs);
  }
}

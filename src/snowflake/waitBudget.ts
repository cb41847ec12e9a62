// How long a synchronous call may wait: the stall rule, the time budget, and the spin that keeps to both.

import { ClockStalledError, SequenceExhaustedError } from "../errors.ts";
import { spanMs, tickOf, waitForRoomMs } from "./clock.ts";
import { stateOf } from "./entryStep.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { Settings } from "./settings.ts";

/**
 * How often a spin reads the clock without seeing a new millisecond before it calls the clock stalled.
 * The coarsest clock that runs, Firefox's with resistFingerprinting, steps by 17 ms: at 20 ns a read, quicker than
 * any measured, that is 850,000 reads. This bound is more than twice that, and 0.15 s at the usual 70 ns for the clock
 * and the time that is counted beside it. A larger bound would make a test wait whose clock is a mock that records its
 * calls, at 1 µs each.
 */
const STALL_READS = 2_097_152;

/**
 * How often a spin reads the clock in all, so that a clock which hardly moves also ends where no other clock counts the
 * time. At 15 ns a reading, quicker than any measured, this is the 2 s below.
 */
const MAX_READS = 134_217_728;

/** The longest a synchronous call waits, in milliseconds. A tick of an hour must not block the event loop for an hour. */
const MAX_WAIT_MS = 2000;

/**
 * Returns a function that gets each reading, and throws when the clock has shown no new millisecond for too long.
 *
 * @param limit how many readings without a new millisecond there may be
 * @param most how many readings in all
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

/** The time that a synchronous call may take to wait, however many IDs it is for. */
export class WaitBudget {
  /** How many IDs the call has not made yet. */
  left: number;
  #watch: ReturnType<typeof stallWatch> | undefined;
  /** The generator's clock at the first wait. */
  #sinceMs: number | undefined;
  /** The monotonic clock when it was first read. */
  #startMs: number | undefined;

  constructor(count: number) {
    this.left = count;
  }

  /** Whether the call has taken too long, whatever the generator's clock says. */
  get isLate(): boolean {
    const now = monotonicMs();
    this.#startMs ??= now;
    return now - this.#startMs > MAX_WAIT_MS;
  }

  /**
   * Asserts that a wait is within the budget.
   *
   * @param tick the tick that is full
   * @param waitMs how long until there is room for all that is left
   */
  assertWait(tick: number, waitMs: number, nowMs: number): void {
    this.#sinceMs ??= nowMs;
    const spentMs = Math.max(nowMs - this.#sinceMs, 0);
    if (waitMs + spentMs > MAX_WAIT_MS) throw new SequenceExhaustedError(tick, waitMs, this.left);
  }

  /**
   * Asserts that a call for many can have all its IDs in time, before it claims the first, as far as one reading tells.
   * If the reading itself is wrong, the claim throws.
   */
  assertRoom(settings: Settings, entry: LedgerEntry, nowMs: number): void {
    const state = stateOf(settings, entry);
    if (!Number.isFinite(nowMs) || nowMs < settings.epochMs) return;
    if (state.readingMs - nowMs > settings.maxBackwardMs) return;
    const waitMs = waitForRoomMs(settings, state, nowMs, this.left);
    if (waitMs === 0) return;
    const tick = Math.max(state.tick, tickOf(settings, nowMs));
    if (settings.onExhausted === "throw") throw new SequenceExhaustedError(tick, waitMs, this.left);
    this.assertWait(tick, waitMs, nowMs);
  }

  /**
   * Asserts that a call for many may go on after a run that does not cover it: a clock that is slow to read can use up
   * the time without a wait.
   */
  assertTime(settings: Settings, entry: LedgerEntry): void {
    if (!this.isLate) return;
    const waitMs = settings.tickMs + spanMs(settings, this.left);
    throw new SequenceExhaustedError(stateOf(settings, entry).tick, waitMs, this.left);
  }

  /** Asserts that a clock which has just shown no room has not stood still, or crept, for too long. */
  assertMoving(nowMs: number): void {
    this.#watch ??= stallWatch(STALL_READS, MAX_READS);
    this.#watch(nowMs, this.isLate);
  }
}

/**
 * Takes steps until one leads to an ID, and reads the clock in between.
 *
 * @param entry holds the last ID whenever `take` returns
 * @param take takes one step at a reading; returns 0, or how many milliseconds to wait
 * @param budget that of a call for many
 */
export function spin(
  settings: Settings,
  entry: LedgerEntry,
  firstMs: number,
  take: (nowMs: number, count: number) => number,
  budget?: WaitBudget,
): void {
  const { clock } = settings;
  let call = budget;
  for (let now = firstMs; ; ) {
    const count = call?.left ?? 1;
    const waitMs = take(now, count);
    if (waitMs === 0) return;
    call ??= new WaitBudget(1);
    call.assertWait(stateOf(settings, entry).tick, waitMs + spanMs(settings, count), now);
    const shown = now;
    do {
      call.assertMoving(now);
      now = clock();
    } while (now === shown);
  }
}

// A reading of the clock becomes the next tick and sequence: the rules for rollback, exhaustion and overflow.

import {
  ArgumentError,
  ClockBackwardsError,
  EpochError,
  SequenceExhaustedError,
  TimestampOverflowError,
} from "../errors.ts";

/**
 * The default clock. It looks `Date.now` up at each call, so that fake timers which replace it are followed,
 * and all generators on it share one ledger entry whichever function stands there.
 */
export const systemClock = (): number => Date.now();

/** What there is to know about the IDs issued so far. */
export interface ClockState {
  /** The highest reading at which an ID was issued; NaN before the first, which equals no reading. */
  readonly readingMs: number;
  /** The tick of the last ID, -1 before the first. `"borrow"` lets it run ahead of the clock. */
  readonly tick: number;
  /** The sequence number of the last ID. */
  readonly sequence: number;
}

/** What a reading leads to: the state of the next ID, or how many milliseconds until there can be one. */
export type Step = ClockState | { readonly waitMs: number };

/** What the step goes by: the part of a generator's settings that has to do with time. */
export interface ClockRules {
  readonly epochMs: number;
  readonly tickMs: number;
  readonly maxTick: number;
  readonly maxSequence: number;
  readonly maxBackwardMs: number;
  readonly onExhausted: "wait" | "throw" | "borrow";
  readonly maxBorrowMs: number;
}

/**
 * The clock rule, in one pure step. It throws where the contract has an error; the state is the caller's to
 * replace or to keep, so a step that throws or waits has changed nothing.
 *
 * @param firstSequence where the sequence of a new tick starts
 */
export function step(rules: ClockRules, state: ClockState, nowMs: number, firstSequence: () => number): Step {
  const { epochMs, tickMs, maxTick, maxBackwardMs, onExhausted, maxBorrowMs } = rules;
  if (!Number.isFinite(nowMs)) throw new ArgumentError("clock()", "a finite number", nowMs);
  if (nowMs < epochMs) throw new EpochError(nowMs, epochMs);
  const backwardMs = state.readingMs - nowMs;
  if (backwardMs > maxBackwardMs) throw new ClockBackwardsError(state.readingMs, nowMs, maxBackwardMs);
  const readingMs = backwardMs > 0 ? state.readingMs : nowMs;
  const start = (tick: number): ClockState => {
    if (tick > maxTick) throw new TimestampOverflowError(nowMs, tick, maxTick);
    return { readingMs, tick, sequence: firstSequence() };
  };

  // Rounded down before the subtraction: with an epoch before 1970 the difference may be too large for a fraction.
  const tick = Math.floor((Math.floor(nowMs) - epochMs) / tickMs);
  if (tick > state.tick) return start(tick);
  if (state.sequence < rules.maxSequence) {
    return { readingMs, tick: state.tick, sequence: state.sequence + 1 };
  }
  const next = state.tick + 1;
  const aheadMs = epochMs + next * tickMs - nowMs;
  if (onExhausted === "throw") throw new SequenceExhaustedError(state.tick, aheadMs);
  const waitMs = onExhausted === "borrow" ? aheadMs - maxBorrowMs : aheadMs;
  return waitMs > 0 ? { waitMs } : start(next);
}

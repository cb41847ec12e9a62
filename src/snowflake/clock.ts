// The clock rule: from a reading to the next tick and sequence, with rollback, exhaustion and overflow.

import {
  ArgumentError,
  type BitflakeError,
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

/**
 * Returns whether a clock is the system's: the default, `Date.now` as it is now, or the built-in `Date.now` after a
 * mock or an instrumentation has taken its place. `performance.now`, another built-in `now`, throws when called unbound.
 */
export function isSystemClock(clock: () => number): boolean {
  return (
    clock === systemClock ||
    clock === Date.now ||
    /^function now\(\) *\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(clock))
  );
}

/** Generator state after the last issued ID. */
export interface LastIssued {
  /** The highest reading at which an ID was issued; NaN before the first, which equals no reading. */
  readonly readingMs: number;
  /** The tick of the last ID, negative before the first. `"borrow"` lets it run ahead of the clock. */
  readonly tick: number;
  /** The sequence number of the last ID. */
  readonly sequence: number;
}

/** The outcome of a reading: the state of the next ID, or how many milliseconds until there can be one. */
export type Step = LastIssued | { readonly waitMs: number };

/** An earlier end than `maxTick`, set by a lease. */
export interface TickLimit {
  /** The first tick that may not be stamped. */
  readonly until: number;
  /** Creates the error for a reading that needs such a tick. */
  error(nowMs: number): BitflakeError;
}

/** The part of a generator's settings that has to do with time. */
export interface ClockRules {
  readonly epochMs: number;
  readonly tickMs: number;
  readonly maxTick: number;
  readonly maxSequence: number;
  readonly maxBackwardMs: number;
  readonly onExhausted: "wait" | "throw" | "borrow";
  readonly maxBorrowMs: number;
}

/** Returns the tick of a reading. */
export function tickOf({ epochMs, tickMs }: ClockRules, nowMs: number): number {
  // Rounded down before the subtraction, because with an epoch before 1970 the difference may be too large to keep the
  // fraction exactly.
  return Math.floor((Math.floor(nowMs) - epochMs) / tickMs);
}

/** Returns the milliseconds from the first ID's tick to the last one's, for `count` IDs that start a fresh tick. */
export function spanMs({ tickMs, maxSequence }: ClockRules, count: number): number {
  return (Math.ceil(count / (maxSequence + 1)) - 1) * tickMs;
}

/** Returns the least time until the last of `count` IDs can be made: 0 if there is room for all now. */
export function waitForRoomMs(rules: ClockRules, state: LastIssued, nowMs: number, count: number): number {
  const { epochMs, tickMs, maxSequence, onExhausted, maxBorrowMs } = rules;
  const tick = tickOf(rules, nowMs);
  const isNew = tick > state.tick;
  const left = count - (isNew ? maxSequence + 1 : maxSequence - state.sequence);
  if (left <= 0) return 0;
  const aheadMs = epochMs + (Math.max(tick, state.tick) + 1) * tickMs - nowMs + spanMs(rules, left);
  return Math.max(onExhausted === "borrow" ? aheadMs - maxBorrowMs : aheadMs, 0);
}

/**
 * Takes one step of the clock rule. It is pure: the caller replaces the state or keeps it, so a step that throws or waits
 * has changed nothing. It throws the errors of `nextId`.
 *
 * @param firstSequence where the sequence of a new tick starts
 * @param count how many IDs are wanted, for the error that says how long that would take
 * @param limit where the ticks end, if they end before the layout's last tick
 */
export function step(
  rules: ClockRules,
  state: LastIssued,
  nowMs: number,
  firstSequence: () => number,
  count = 1,
  limit?: TickLimit,
): Step {
  const { epochMs, tickMs, maxTick, maxBackwardMs, onExhausted, maxBorrowMs } = rules;
  if (!Number.isFinite(nowMs)) throw new ArgumentError("clock()", "a finite number", nowMs);
  if (nowMs < epochMs) throw new EpochError(nowMs, epochMs);
  const backwardMs = state.readingMs - nowMs;
  if (backwardMs > maxBackwardMs) throw new ClockBackwardsError(state.readingMs, nowMs, maxBackwardMs);
  const readingMs = backwardMs > 0 ? state.readingMs : nowMs;
  const startTick = (tick: number): LastIssued => {
    // Past the layout's end, the overflow is the error, not the limit.
    if (limit && limit.until <= maxTick && tick >= limit.until) throw limit.error(nowMs);
    if (tick > maxTick) throw new TimestampOverflowError(nowMs, tick, maxTick);
    return { readingMs, tick, sequence: firstSequence() };
  };

  const tick = tickOf(rules, nowMs);
  if (tick > state.tick) return startTick(tick);
  if (state.sequence < rules.maxSequence) {
    return { readingMs, tick: state.tick, sequence: state.sequence + 1 };
  }
  const next = state.tick + 1;
  const aheadMs = epochMs + next * tickMs - nowMs;
  if (onExhausted === "throw") {
    throw new SequenceExhaustedError(state.tick, aheadMs + spanMs(rules, count), count);
  }
  const waitMs = onExhausted === "borrow" ? aheadMs - maxBorrowMs : aheadMs;
  return waitMs > 0 ? { waitMs } : startTick(next);
}

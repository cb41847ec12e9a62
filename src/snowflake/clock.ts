// The clock rule: `step`, from the last ID and a reading of the clock to the next tick and sequence number, and
// `waitForRoomMs`, how long a batch will wait. `step` decides what happens on rollback, on exhaustion and on overflow.

import {
  ArgumentError,
  type BitflakeError,
  ClockBackwardsError,
  EpochError,
  SequenceExhaustedError,
  TimestampOverflowError,
} from "../errors.ts";

/**
 * The default clock. It looks `Date.now` up at each call, so that it follows fake timers, which replace `Date.now`. The
 * ledger keeps the entries of all generators on it in one map, also after `Date.now` was replaced.
 */
export const systemClock = (): number => Date.now();

/**
 * Returns whether a clock is the system's: the default, the current `Date.now`, or the built-in `Date.now`, also after a mock
 * or a monitoring tool has replaced it. The pattern of the built-in one also matches `performance.now`. That does no harm:
 * most runtimes throw when it is called unbound, and where it works (Bun), two clocks on one entry repeat no ID.
 */
export function isSystemClock(clock: () => number): boolean {
  return (
    clock === systemClock ||
    clock === Date.now ||
    /^function now\(\) *\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(clock))
  );
}

/** The state that a step of the clock rule starts from and leads to: the last ID, and the highest reading. */
export interface ClockState {
  /** The highest reading at which an ID was issued, or with which a grant was requested; NaN before the first ID. */
  readonly highestReadingMs: number;
  /** The tick of the last ID, or the last one before a grant; negative before the first. It is ahead of the clock after `"borrow"` or a step back. */
  readonly tick: number;
  /** The sequence number of the last ID. */
  readonly sequence: number;
}

/** The outcome of a step: the state with the next ID, or the milliseconds to wait before the next step. */
export type Step = ClockState | { readonly waitMs: number };

/** The end of a grant. It may lie after the format's last tick, `maxTick`; then it has no effect. */
export interface TickLimit {
  /** The node of the grant: its datacenter and machine fields as one number. */
  readonly node: number;
  /** The first tick that the grant does not cover. */
  readonly until: number;
  /** Creates the error for a reading that needs such a tick. */
  error(nowMs: number): BitflakeError;
}

/** The settings that the clock rule depends on. */
export interface ClockSettings {
  readonly epochMs: number;
  readonly tickMs: number;
  readonly maxTick: number;
  readonly maxSequence: number;
  readonly maxBackwardMs: number;
  readonly onExhausted: "wait" | "throw" | "borrow";
  readonly maxBorrowMs: number;
}

/** Returns the tick of a reading. */
export function tickOf({ epochMs, tickMs }: ClockSettings, nowMs: number): number {
  // Rounded down before the subtraction, because with an epoch before 1970 the difference may be too large to keep the
  // fraction exactly.
  return Math.floor((Math.floor(nowMs) - epochMs) / tickMs);
}

/** Returns the milliseconds from the first ID's tick to the last one's, for `count` IDs that start a fresh tick. */
export function spanMs({ tickMs, maxSequence }: ClockSettings, count: number): number {
  return (Math.ceil(count / (maxSequence + 1)) - 1) * tickMs;
}

/** Returns the least time until the last of `count` IDs can be made: 0 if there is room for all now. */
export function waitForRoomMs(
  settings: ClockSettings,
  state: ClockState,
  nowMs: number,
  count: number,
): number {
  const { epochMs, tickMs, maxSequence, onExhausted, maxBorrowMs } = settings;
  const tick = tickOf(settings, nowMs);
  const isNew = tick > state.tick;
  const left = count - (isNew ? maxSequence + 1 : maxSequence - state.sequence);
  if (left <= 0) return 0;
  const aheadMs = epochMs + (Math.max(tick, state.tick) + 1) * tickMs - nowMs + spanMs(settings, left);
  return Math.max(onExhausted === "borrow" ? aheadMs - maxBorrowMs : aheadMs, 0);
}

/**
 * Takes one step of the clock rule. It is pure except for `firstSequence`: it returns a new state and changes none.
 *
 * @param firstSequence returns the first sequence number of a new tick
 * @param count how many IDs the caller wants, for the `waitMs` of a SequenceExhaustedError
 * @param limit the end of a grant, if IDs are made under one
 * @throws {@link ArgumentError}, {@link EpochError}, {@link ClockBackwardsError}, {@link SequenceExhaustedError},
 *   {@link TimestampOverflowError}, or the error of the limit. The callers of `step` add the other errors of `nextId`
 */
export function step(
  settings: ClockSettings,
  state: ClockState,
  nowMs: number,
  firstSequence: () => number,
  count = 1,
  limit?: TickLimit,
): Step {
  const { epochMs, tickMs, maxTick, maxBackwardMs, onExhausted, maxBorrowMs } = settings;
  if (!Number.isFinite(nowMs)) throw new ArgumentError("clock()", "a finite number", nowMs);
  if (nowMs < epochMs) throw new EpochError(nowMs, epochMs);
  const backwardMs = state.highestReadingMs - nowMs;
  if (backwardMs > maxBackwardMs) {
    throw new ClockBackwardsError(state.highestReadingMs, nowMs, maxBackwardMs);
  }
  const highestReadingMs = backwardMs > 0 ? state.highestReadingMs : nowMs;
  const startTick = (tick: number): ClockState => {
    // If the grant ends at `maxTick` or before, its error comes first, also for a tick past `maxTick`.
    if (limit && limit.until <= maxTick && tick >= limit.until) throw limit.error(nowMs);
    if (tick > maxTick) throw new TimestampOverflowError(nowMs, tick, maxTick);
    return { highestReadingMs, tick, sequence: firstSequence() };
  };

  const tick = tickOf(settings, nowMs);
  if (tick > state.tick) return startTick(tick);
  if (state.sequence < settings.maxSequence) {
    return { highestReadingMs, tick: state.tick, sequence: state.sequence + 1 };
  }
  const next = state.tick + 1;
  const aheadMs = epochMs + next * tickMs - nowMs;
  if (onExhausted === "throw") {
    throw new SequenceExhaustedError(state.tick, aheadMs + spanMs(settings, count), count);
  }
  const waitMs = onExhausted === "borrow" ? aheadMs - maxBorrowMs : aheadMs;
  return waitMs > 0 ? { waitMs } : startTick(next);
}

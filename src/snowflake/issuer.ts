// From settings to IDs: reads the clock, takes the step, writes its outcome into the ledger as the next ID.

import { ArgumentError, ClockStalledError, SequenceExhaustedError } from "../errors.ts";
import { type ClockRules, type ClockState, spanMs, step } from "./clock.ts";
import { isTaken, type LedgerEntry, ledgerEntry } from "./ledger.ts";

/**
 * How often a spin reads the clock without seeing a new millisecond before it calls the clock stalled.
 * The coarsest clock that runs, Firefox's with resistFingerprinting, steps by 17 ms: at 20 ns a read, quicker than
 * any measured, that is 850,000 reads. This bound is more than twice that, and 0.15 s at the usual 70 ns for the clock
 * and the time that is counted beside it. A larger one would keep a test waiting whose clock is a mock that records its
 * calls, at 1 µs each.
 */
const STALL_READS = 2_097_152;

/**
 * How often a spin reads the clock in all, so that one which hardly moves ends as well where there is no other clock to
 * count time by. At 15 ns a reading, quicker than any measured, this is the 2 s below.
 */
const MAX_READS = 134_217_728;

/** The longest a synchronous call waits, in milliseconds. A tick of an hour must not block the event loop for an hour. */
const MAX_WAIT_MS = 2000;

/**
 * Counts how long the clock has shown no new millisecond, and throws when that is too long.
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

/** Milliseconds by the runtime's monotonic clock, which nobody sets; NaN where there is none. */
function monotonicMs(): number {
  const { performance } = globalThis as { performance?: { now?(): number } };
  return performance?.now?.() ?? Number.NaN;
}

/** The time that a synchronous call may take to wait, however many IDs it is for. */
export class WaitBudget {
  /** How many IDs the call has not made yet. */
  left: number;
  #watch: ReturnType<typeof stallWatch> | undefined;
  /** When it was first asked, by the generator's clock. */
  #sinceMs: number | undefined;
  /** The same by the monotonic clock. */
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
  allow(tick: number, waitMs: number, nowMs: number): void {
    this.#sinceMs ??= nowMs;
    const spentMs = Math.max(nowMs - this.#sinceMs, 0);
    if (waitMs + spentMs > MAX_WAIT_MS) throw new SequenceExhaustedError(tick, waitMs, this.left);
  }

  /** Asserts that a clock which has just shown no room has not stood still, or crept, for too long. */
  watch(nowMs: number): void {
    this.#watch ??= stallWatch(STALL_READS, MAX_READS);
    this.#watch(nowMs, this.isLate);
  }
}

/** IDs that count up from a first one. */
export interface IdRun {
  readonly first: bigint;
  readonly count: number;
}

/** What an issuer goes by, once validated. */
export interface Terms extends ClockRules {
  readonly timestampShift: number;
  readonly sequenceBits: number;
  /** The datacenter and machine fields, in their place in an ID. */
  readonly node: bigint;
  readonly sequenceStart: 0 | "random";
  readonly clock: () => number;
}

/** An entry's last ID as a state of the clock rule. */
export function stateOf(
  { sequenceBits, timestampShift }: Terms,
  { readingMs, word }: LedgerEntry,
): ClockState {
  const last = word[0] as bigint;
  const sequence = Number(BigInt.asUintN(sequenceBits, last));
  return { readingMs, tick: Number(last >> BigInt(timestampShift)), sequence };
}

/** Issues the IDs of one identity. */
export class Issuer {
  /** The last ID of the identity, shared with every other issuer of it. */
  declare entry: LedgerEntry;
  declare readonly clock: () => number;
  /** The sequence bits that lie in an ID's low half: while they are not all ones, the next ID is one more. */
  declare lowMask: number;
  declare readonly terms: Terms;

  constructor(terms: Terms) {
    this.entry = ledgerEntry(terms.clock, terms);
    this.clock = terms.clock;
    this.lowMask = terms.maxSequence | 0;
    this.terms = terms;
  }

  /** Issues an ID. This is the hot path: one clock reading, one comparison, one store, one load. */
  next(): bigint {
    const { clock, entry } = this;
    this.advance(entry, clock());
    return entry.word[0] as bigint;
  }

  /**
   * Moves an entry to its next ID: this issuer's own, or a draft of it.
   *
   * @param budget that of a call for many
   */
  advance(entry: LedgerEntry, now: number, budget?: WaitBudget): void {
    const { lowMask } = this;
    const low = entry.low[0] as number;
    // Unless the reading is new or the run is at its end, the step could only say: one more.
    if (now === entry.readingMs && (low & lowMask) !== lowMask) entry.low[0] = low + 1;
    else this.spin(entry, now, budget);
  }

  /** Takes steps until one leads to an ID, reading the clock in between. */
  spin(entry: LedgerEntry, firstMs: number, budget?: WaitBudget): void {
    const { clock } = this;
    let call = budget;
    for (let now = firstMs; ; ) {
      const count = call?.left ?? 1;
      const waitMs = this.take(entry, now, count);
      if (waitMs === 0) return;
      call ??= new WaitBudget(1);
      call.allow(stateOf(this.terms, entry).tick, waitMs + spanMs(this.terms, count), now);
      const shown = now;
      do {
        call.watch(now);
        now = clock();
      } while (now === shown);
    }
  }

  /** Extends an entry's last ID to the rest of its run, or as far as it is wanted. */
  rest(entry: LedgerEntry, most: number): IdRun {
    const first = entry.word[0] as bigint;
    const low = entry.low[0] as number;
    const count = Math.min(((~low & this.lowMask) >>> 0) + 1, most);
    entry.low[0] = low + count - 1;
    return { first, count };
  }

  /**
   * Takes one step. Returns 0 with the entry at its next ID, or the milliseconds to wait with the entry untouched.
   *
   * @param count how many IDs are wanted, for the error that says how long that would take
   */
  take(entry: LedgerEntry, nowMs: number, count: number): number {
    const { timestampShift, sequenceBits, node, maxSequence, sequenceStart } = this.terms;
    const before = stateOf(this.terms, entry);
    // Math.random will do for a start: it spreads load over shards and keeps no secret.
    const start = () => (sequenceStart && Math.floor((Math.random() * (maxSequence + 1)) / 2)) || 0;
    const next = step(this.terms, before, nowMs, start, count);
    // Not `in`, which also sees what somebody has put on Object.prototype.
    if (Object.hasOwn(next, "waitMs")) return (next as { waitMs: number }).waitMs;
    const state = next as ClockState;
    if (state.tick !== before.tick) {
      if (isTaken(entry, state.tick, timestampShift)) {
        const rule =
          "one that no generator of this node with another tickMs, epochMs or timestampBits has used";
        throw new ArgumentError("tick", rule, state.tick);
      }
      if (before.tick < 0) entry.firstTick = state.tick;
    }
    // Once a tick BigInt arithmetic does no harm; it is the calls in between that must not pay for it.
    entry.word[0] =
      (BigInt(state.tick) << BigInt(timestampShift)) |
      node |
      BigInt.asUintN(sequenceBits, BigInt(state.sequence));
    entry.readingMs = state.readingMs;
    return 0;
  }
}

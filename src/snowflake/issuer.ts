// From settings to IDs: reads the clock, takes the step, writes its outcome into the ledger as the next ID.

import { ClockStalledError, SequenceExhaustedError } from "../errors.ts";
import { type ClockRules, step } from "./clock.ts";
import { type Entry, entryOf } from "./ledger.ts";

/**
 * How often a spin reads the clock without seeing a new millisecond before it calls the clock stalled.
 * The coarsest clock that runs, Firefox's with resistFingerprinting, steps by 17 ms: at 20 ns a read, quicker than
 * any measured, that is 850,000 reads. This bound is more than twice that, and 0.08 s at the usual 35 to 40 ns. A
 * larger one would keep a test waiting whose clock is a mock that records its calls, at 1 µs each.
 */
const STALL_READS = 2_097_152;

/**
 * How often a spin reads the clock in all, so that one which hardly moves ends as well. At 15 ns a reading, quicker
 * than any measured, this is the 2 s below.
 */
const MAX_READS = 134_217_728;

/** The longest a synchronous call spins. A tick of an hour must not block the event loop for an hour. */
const MAX_SPIN_MS = 2000;

/**
 * Counts how long the clock has shown no new millisecond, and speaks up when that is too long.
 *
 * @param limit how many readings without a new millisecond there may be
 * @param most how many readings in all
 */
export function stallWatch(limit: number, most: number): (nowMs: number) => void {
  let highest = -Infinity;
  let quiet = 0;
  let reads = 0;
  return (nowMs) => {
    // Whole milliseconds, and only new highs: a clock that wavers or creeps by fractions stands still too.
    const ms = Math.floor(nowMs);
    quiet++;
    if (ms > highest) {
      quiet = 0;
      highest = ms;
    }
    if (++reads > most || quiet >= limit) throw new ClockStalledError(nowMs, reads);
  };
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

/** Issues the IDs of one identity. */
export class Issuer {
  /** The last ID of the identity, shared with every other issuer of it. */
  declare entry: Entry;
  declare readonly clock: () => number;
  /** The sequence bits that lie in an ID's low half: while they are not all ones, the next ID is one more. */
  declare lowMask: number;
  readonly #terms: Terms;

  constructor(terms: Terms) {
    const { timestampShift, sequenceBits, node, epochMs, tickMs, maxTick, maxSequence, clock } = terms;
    this.entry = entryOf(clock, [maxTick, timestampShift, sequenceBits, node, epochMs, tickMs].join());
    this.clock = clock;
    this.lowMask = maxSequence | 0;
    this.#terms = terms;
  }

  /** Issues an ID. This is the hot path: one clock reading, one comparison, one store, one load. */
  next(): bigint {
    const { entry } = this;
    this.advance(entry);
    return entry.word[0] as bigint;
  }

  /** Moves an entry to its next ID: this issuer's own, or a draft of it. */
  advance(entry: Entry): void {
    const { clock, lowMask } = this;
    const now = clock();
    const low = entry.low[0] as number;
    // Unless the reading is new or the run is at its end, the step could only say: one more.
    if (now === entry.readingMs && (low & lowMask) !== lowMask) entry.low[0] = low + 1;
    else this.spin(entry, now);
  }

  /** Takes steps until one leads to an ID, reading the clock in between. */
  spin(entry: Entry, firstMs: number): void {
    const { clock } = this;
    const watch = stallWatch(STALL_READS, MAX_READS);
    let now = firstMs;
    while (this.take(entry, now, MAX_SPIN_MS) > 0) {
      const shown = now;
      do {
        watch(now);
        now = clock();
      } while (now === shown);
    }
  }

  /**
   * Takes one step. Returns 0 with the entry at its next ID, or the milliseconds to wait with the entry untouched.
   *
   * @param mostMs the longest wait that the caller will take
   */
  take(entry: Entry, nowMs: number, mostMs: number): number {
    const { timestampShift, sequenceBits, node, maxSequence, sequenceStart } = this.#terms;
    const { readingMs, word } = entry;
    const last = word[0] as bigint;
    const tick = Number(last >> BigInt(timestampShift));
    const sequence = Number(BigInt.asUintN(sequenceBits, last));
    // Math.random will do for a start: it spreads load over shards and keeps no secret.
    const start = () => (sequenceStart && Math.floor((Math.random() * (maxSequence + 1)) / 2)) || 0;
    const next = step(this.#terms, { readingMs, tick, sequence }, nowMs, start);
    if ("waitMs" in next) {
      if (next.waitMs > mostMs) throw new SequenceExhaustedError(tick, next.waitMs);
      return next.waitMs;
    }
    // Once a tick BigInt arithmetic does no harm; it is the calls in between that must not pay for it.
    word[0] =
      (BigInt(next.tick) << BigInt(timestampShift)) |
      node |
      BigInt.asUintN(sequenceBits, BigInt(next.sequence));
    entry.readingMs = next.readingMs;
    return 0;
  }
}

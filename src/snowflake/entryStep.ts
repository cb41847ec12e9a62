// One step of the clock rule on a ledger entry: the entry's last ID in, its next ID out.

import { ArgumentError } from "../errors.ts";
import { type LastIssued, step, type TickLimit } from "./clock.ts";
import { isTaken, type LedgerEntry } from "./ledger.ts";
import type { Settings } from "./settings.ts";

/** Returns an entry's last ID as a state of the clock rule. */
export function stateOf(
  { sequenceBits, timestampShift }: Settings,
  { readingMs, word }: LedgerEntry,
): LastIssued {
  const last = word[0] as bigint;
  const sequence = Number(BigInt.asUintN(sequenceBits, last));
  return { readingMs, tick: Number(last >> BigInt(timestampShift)), sequence };
}

/**
 * Takes one step. Returns 0 with the entry at its next ID, or the milliseconds to wait with the entry untouched.
 *
 * @param nodeBits the node fields, shifted to their position in an ID
 * @param count how many IDs are wanted, for the error that says how long that would take
 * @param limit where a grant ends
 */
export function stepEntry(
  settings: Settings,
  entry: LedgerEntry,
  nodeBits: bigint,
  nowMs: number,
  count: number,
  limit?: TickLimit,
): number {
  const { timestampShift, sequenceBits, maxSequence, sequenceStart } = settings;
  const before = stateOf(settings, entry);
  // Math.random is enough for a start: it spreads load over shards and keeps no secret. A broken one may return NaN.
  const firstSequence = () =>
    sequenceStart === "random" ? Math.floor((Math.random() * (maxSequence + 1)) / 2) || 0 : 0;
  const next = step(settings, before, nowMs, firstSequence, count, limit);
  // Not `in`, which also sees what somebody has put on Object.prototype.
  if (Object.hasOwn(next, "waitMs")) return (next as { waitMs: number }).waitMs;
  const state = next as LastIssued;
  if (state.tick !== before.tick) {
    if (isTaken(entry, state.tick, timestampShift)) {
      const rule =
        "one that no generator of this node with another tickMs, epochMs or timestampBits has used";
      throw new ArgumentError("tick", rule, state.tick);
    }
    if (before.tick < 0) entry.firstTick = state.tick;
  }
  // BigInt arithmetic is affordable here, because the fast path of `nextId` avoids it. asUintN keeps the start of a broken
  // Math.random in its field.
  entry.word[0] =
    (BigInt(state.tick) << BigInt(timestampShift)) |
    nodeBits |
    BigInt.asUintN(sequenceBits, BigInt(state.sequence));
  entry.readingMs = state.readingMs;
  return 0;
}

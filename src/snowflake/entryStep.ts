// One step of the clock rule on a ledger entry: reads the last ID from the entry, and writes the next one into it.

import { ArgumentError } from "../errors.ts";
import type { ClockState, TickLimit } from "./clock.ts";
import { isTaken, type LedgerEntry } from "./ledger.ts";
import { observedStep } from "./observedRule.ts";
import type { Settings } from "./settings.ts";

/** Returns an entry as a state of the clock rule. */
export function stateOf(
  { sequenceBits, timestampShift }: Settings,
  { highestReadingMs, word }: LedgerEntry,
): ClockState {
  const last = word[0] as bigint;
  const sequence = Number(BigInt.asUintN(sequenceBits, last));
  return { highestReadingMs, tick: Number(last >> BigInt(timestampShift)), sequence };
}

/**
 * Takes one step. Returns 0, and the entry then has the next ID; or returns the milliseconds to wait, and the entry is
 * unchanged.
 *
 * @param shiftedNode the node, shifted to its position in an ID
 * @param count how many IDs the caller wants, for the `waitMs` of a SequenceExhaustedError
 * @param limit the end of a grant, if IDs are made under one
 * @throws {@link ArgumentError} if the tick is between the first and the last tick (both included) of another entry of
 *   the node; and the errors of `step`
 */
export function stepEntry(
  settings: Settings,
  entry: LedgerEntry,
  shiftedNode: bigint,
  nowMs: number,
  count: number,
  limit?: TickLimit,
): number {
  const { timestampShift, sequenceBits, maxSequence, sequenceStart } = settings;
  const before = stateOf(settings, entry);
  // The first sequence number need not be unpredictable, because it only spreads IDs over shards: Math.random is enough. A
  // mock of it may return NaN, Infinity or a number out of range: what is not finite counts as 0, because BigInt refuses it,
  // and asUintN below keeps the sequence within its field.
  const firstSequence = () => {
    const draw = sequenceStart === "random" ? Math.floor((Math.random() * (maxSequence + 1)) / 2) : 0;
    return Number.isFinite(draw) ? draw : 0;
  };
  const next = observedStep(settings, before, nowMs, firstSequence, count, limit);
  // Not `in`, because a polluted Object.prototype may have the name.
  if (Object.hasOwn(next, "waitMs")) return (next as { waitMs: number }).waitMs;
  const state = next as ClockState;
  if (state.tick !== before.tick) {
    if (isTaken(entry, state.tick, timestampShift)) {
      const others = "a generator of this node with another tickMs, epochMs or ID size of 53 or 63 bits";
      const rule = `before the first or after the last tick of ${others} (give each its own machineId)`;
      throw new ArgumentError("tick", rule, state.tick);
    }
  }
  // BigInt arithmetic is affordable here, because the fast path of `nextId` avoids it.
  entry.word[0] =
    (BigInt(state.tick) << BigInt(timestampShift)) |
    shiftedNode |
    BigInt.asUintN(sequenceBits, BigInt(state.sequence));
  if (before.tick < 0) entry.firstTick = state.tick;
  entry.highestReadingMs = state.highestReadingMs;
  return 0;
}

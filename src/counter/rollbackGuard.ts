// Detects a store that has lost data and would grant values again that this Counter has had.

import { NO_VALUE, type ReservationResult, type ValueRange } from "./rule.ts";

/** Lets no value through twice. Calls may overlap, and their answers may arrive in any order. */
export class RollbackGuard {
  #highest = NO_VALUE;
  /** The pending calls, oldest first, and so in the order of the `highest` that each was sent with. */
  readonly #calls = new Set<{ readonly highest: bigint }>();
  /** The ranges granted since the oldest pending call was sent, in order. The store itself refuses values below them. */
  readonly #recent: ValueRange[] = [];

  /** The highest value so far, {@link NO_VALUE} before the first. */
  get highest(): bigint {
    return this.#highest;
  }

  /** The number of ranges that are kept, for tests. */
  get rangesKept(): number {
    return this.#recent.length;
  }

  /** @param reserve calls the store, which refuses if its counter is below `highest` */
  async reserve(reserve: (highest: bigint) => Promise<ReservationResult>): Promise<ReservationResult> {
    const call = { highest: this.#highest };
    this.#calls.add(call);
    try {
      const result = await reserve(call.highest);
      if (typeof result === "string") return result;
      // Two calls that overlap are sent with the same `highest`. If the store loses data between them, as in a failover,
      // both get the same values, or overlapping ranges if their counts differ.
      if (!this.#addIfNew(result)) return "backwards";
      if (result.last > this.#highest) this.#highest = result.last;
      return result;
    } finally {
      this.#calls.delete(call);
      const [oldest = { highest: this.#highest }] = this.#calls;
      const kept = this.#recent.findIndex(({ last }) => last > oldest.highest);
      this.#recent.splice(0, kept < 0 ? this.#recent.length : kept);
    }
  }

  /** Adds a range, unless it overlaps one that was granted since the oldest pending call was sent. */
  #addIfNew(range: ValueRange): boolean {
    let index = this.#recent.length; // Nearly always the right place: the range is the highest.
    for (; index > 0; index--) {
      const before = this.#recent[index - 1] as ValueRange;
      if (before.last < range.first) break;
      if (before.first <= range.last) return false;
    }
    this.#recent.splice(index, 0, range);
    return true;
  }
}

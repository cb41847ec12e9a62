// What a Counter has had, held against a store that has lost data and would give it again.

import { NONE, type Outcome, type Range } from "./rule.ts";

/** Lets no value through twice. Calls may overlap, and their answers come in any order. */
export class RollbackGuard {
  #highest = NONE;
  /** The calls under way, oldest first, and so by the highest value that was known when they were sent. */
  readonly #calls = new Set<{ readonly highest: bigint }>();
  /** What came since the oldest of them was sent: below it, the store itself refuses. In order, and none overlaps another. */
  readonly #recent: Range[] = [];

  /** The highest value that was had, {@link NONE} before the first. */
  get highest(): bigint {
    return this.#highest;
  }

  /** How many ranges are remembered, for tests. */
  get remembered(): number {
    return this.#recent.length;
  }

  /** @param reserve asks the store, which is to refuse if it is below the highest value as it is now */
  async pass(reserve: (highest: bigint) => Promise<Outcome>): Promise<Outcome> {
    const call = { highest: this.#highest };
    this.#calls.add(call);
    try {
      const outcome = await reserve(call.highest);
      if (typeof outcome === "string") return outcome;
      // Of two calls that overlap neither knows of the other. If the store loses data between them, as in a failover,
      // both get the same, or, where they asked for different counts, ranges that share values.
      if (!this.#isNew(outcome)) return "backwards";
      if (outcome.last > this.#highest) this.#highest = outcome.last;
      return outcome;
    } finally {
      this.#calls.delete(call);
      const [oldest = { highest: this.#highest }] = this.#calls;
      const kept = this.#recent.findIndex(({ last }) => last > oldest.highest);
      this.#recent.splice(0, kept < 0 ? this.#recent.length : kept);
    }
  }

  /** Notes a range, unless it shares a value with one that came since the oldest call was sent. */
  #isNew(range: Range): boolean {
    let at = this.#recent.length; // Nearly always the highest of them.
    for (; at > 0; at--) {
      const before = this.#recent[at - 1] as Range;
      if (before.last < range.first) break;
      if (before.first <= range.last) return false;
    }
    this.#recent.splice(at, 0, range);
    return true;
  }
}

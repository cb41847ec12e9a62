// What a Counter has had, held against a store that has lost data and would give it again.

import { NONE, type Outcome } from "./reserve.ts";

/** Lets no value through twice. Calls may overlap, and their answers come in any order. */
export class Guard {
  #highest = NONE;
  /** The calls under way, oldest first, and so by the highest value that was known when they were sent. */
  readonly #calls = new Set<{ readonly highest: bigint }>();
  /** What came since the oldest of them was sent: below it, the store itself refuses. */
  readonly #recent = new Set<bigint>();

  /** The highest value that was had, {@link NONE} before the first. */
  get highest(): bigint {
    return this.#highest;
  }

  /** @param reserve asks the store, which is to refuse if it is below the highest value as it is now */
  async pass(reserve: (highest: bigint) => Promise<Outcome>): Promise<Outcome> {
    const call = { highest: this.#highest };
    this.#calls.add(call);
    try {
      const outcome = await reserve(call.highest);
      if (typeof outcome === "string") return outcome;
      // Of two calls that overlap neither knows of the other. If the store loses data between them, as in a failover,
      // both get the same. Ranges do not overlap, for they are fetched one at a time: the last value tells.
      if (this.#recent.has(outcome.last)) return "backwards";
      this.#recent.add(outcome.last);
      if (outcome.last > this.#highest) this.#highest = outcome.last;
      return outcome;
    } finally {
      this.#calls.delete(call);
      const [oldest = { highest: this.#highest }] = this.#calls;
      for (const value of this.#recent) {
        if (value > oldest.highest) break;
        this.#recent.delete(value);
      }
    }
  }
}

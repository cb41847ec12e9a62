// Store in the memory of this process.

import { ArgumentError, assertFunction, assertKnownOptions } from "../../internal.ts";
import type { MemoryPort } from "../ports.ts";

/**
 * Creates a store in the memory of this process, for tests and for programs with one process that keep nothing. Each call
 * creates a separate store.
 *
 * @param options.clock the store's clock, for tests. Default `Date.now`
 * @throws {@link ArgumentError} if the clock is not a function, or an option is unknown
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { Counter } from "bitflake/counter";
 *
 * const orders = new Counter({ backend: memory(), name: "orders" });
 * await orders.next(); // => 1n
 * ```
 */
export function memory(options: { readonly clock?: () => number } = {}): MemoryPort {
  assertKnownOptions(options, ["clock"]);
  const { clock = () => Date.now() } = options;
  assertFunction("clock", clock);
  const states = new Map<string, unknown>();
  return {
    change<State, Result>(
      name: string,
      change: (state: State | undefined, nowMs: number) => readonly [State, Result],
    ): Result {
      const nowMs = clock();
      if (!Number.isFinite(nowMs)) throw new ArgumentError("clock()", "a finite number", nowMs);
      const [state, result] = change(states.get(name) as State | undefined, nowMs);
      states.set(name, state);
      return result;
    },
  };
}

// The rate limit port: the one operation that a limit needs from a store.

import type { ConsumeResult } from "./rule.ts";

/** The keys of one limit in a store. */
export interface RateLimitPort {
  /**
   * Applies `consume` of the rule to a key in one atomic step, by the store's own clock.
   *
   * @param costUs the cost of the call times the limit's interval
   * @throws {@link BackendError} if the store fails, or if it gives an answer that the rule cannot give
   */
  consume(key: string, costUs: number): Promise<ConsumeResult>;
}

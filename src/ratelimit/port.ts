// The rate limit port: the operations that a limit needs from a store.

import type { ConsumeResult, Gcra } from "./rule.ts";

/**
 * The keys of one limit in a store. Each operation is one atomic step by the store's own clock, and rejects with a
 * {@link BackendError} if the store fails or gives an answer that the rule cannot give.
 */
export interface RateLimitPort {
  /**
   * Applies `consume` of the rule to a key.
   *
   * @param costUs the cost of the call times the limit's interval
   */
  consume(key: string, costUs: number): Promise<ConsumeResult>;
  /** Applies `peek` of the rule to a key. Writes nothing. */
  peek(key: string, costUs: number): Promise<ConsumeResult>;
  /**
   * Applies `refund` of the rule to a key.
   *
   * @param costUs how much to give back
   * @param callTat the TAT after the call that is refunded
   */
  refund(key: string, costUs: number, callTat: number): Promise<void>;
  /** Applies `block` of the rule to a key. */
  block(key: string, forUs: number): Promise<void>;
  /** Deletes the TAT and the block of a key. */
  reset(key: string): Promise<void>;
}

/** A call of a step that counts the calls of several keys, or none. */
export interface KeyCall {
  readonly name: string;
  readonly gcra: Gcra;
  readonly key: string;
  readonly costUs: number;
}

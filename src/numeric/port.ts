// PoolPort: the steps that a pool needs from a store. Each is atomic: it is done as a whole or not at all.

import type { TakenId } from "./recentlyIssued.ts";

/** An ID to be added, at a random position. In SQL an issue takes the next available ID at or after its own random position. */
export type RankedId = readonly [id: string, rank: number];

/** What can be issued. */
export interface Availability {
  /** How many IDs are available, counted up to a limit. */
  readonly available: number;
  /** Position of the exhaustive scan, as a string; empty if none has started. */
  readonly scan: string;
}

/**
 * Histories as a store reports them. `current` is an empty string if the store does not report its history; so is `recorded`,
 * unless the data came from a store that does.
 */
export interface StoreHistory {
  /** The history recorded for the type: the one that its pool began on, or the last one that was accepted. Empty if none. */
  readonly recorded: string;
  /** The history that the store is on now. */
  readonly current: string;
}

/** Returns whether a store is on a history, and has it recorded: the store may have got the data of another one. */
export function isOnHistory({ recorded, current }: StoreHistory, history: string): boolean {
  return recorded === history && current === history;
}

/** State of a pool, for its status. */
export interface PoolCounts extends Availability, StoreHistory {
  /** How many IDs were issued or imported. */
  readonly taken: number;
  /** Whether a process refills the pool now. */
  readonly isFilling: boolean;
}

/** Result of an issue: IDs, or why there are none. */
export type IssueOutcome = readonly string[] | Availability | StoreHistory;

/** The IDs of one type in a store. */
export interface PoolPort {
  /**
   * Returns the history, and records the current one for a type that has none. A process calls it before every other step
   * except `status` and `takenBetween`.
   */
  readOrRecordHistory(): Promise<StoreHistory>;
  /** Records a history for the type, if the store is on it now. Resolves to whether it is. */
  acceptHistory(history: string): Promise<boolean>;
  /**
   * Takes `count` IDs or none: in SQL those with the next ranks from `fromRank` on that no other call has locked, continued
   * from rank 0 after the last; in memory `fromRank` chooses among the available ones.
   *
   * @param history the history that the store must be on, and have recorded
   */
  issue(count: number, fromRank: number, history: string): Promise<IssueOutcome>;
  /**
   * Takes an ID for a request. If the store has an ID for the request already, returns that one and calls `onReplay`. The
   * call itself may have taken it, with a statement whose answer was lost. An ID that the request was given before is returned
   * on any history.
   */
  issueForRequest(
    requestKey: string,
    fromRank: number,
    history: string,
    onReplay: () => void,
  ): Promise<IssueOutcome>;
  /** Counts the available IDs, up to a limit. */
  count(max: number): Promise<Availability>;
  /**
   * Returns the state of the pool.
   *
   * @param max the limit up to which available IDs are counted
   * @param claimMs how long a claim lasts. One that ends later than this from now was made before a clock was set back
   */
  status(max: number, claimMs: number): Promise<PoolCounts>;
  /** Adds IDs, except those that are in the pool. Resolves to how many it added. */
  add(ids: readonly RankedId[]): Promise<number>;
  /** Marks given IDs as taken, and adds those that are not in the pool. Resolves to how many were not taken before. */
  markTaken(ids: readonly TakenId[]): Promise<number>;
  /** Returns the taken IDs from one to another, both included, in ascending order: the first `max` of them. */
  takenBetween(from: string, to: string, max: number): Promise<readonly string[]>;
  /** Merges the counts of taken IDs, if the store keeps one for each issue. */
  mergeCounts(): Promise<unknown>;
  /**
   * Claims the refill for `ms`, unless another refill has the claim. Resolves to the scan position, `null` if refused.
   *
   * @param refiller a random token of the refill
   */
  claimRefill(refiller: string, ms: number): Promise<string | null>;
  /** Ends the claim. */
  releaseRefill(refiller: string): Promise<unknown>;
  /** Moves the scan position from `from` to `to`, unless another process has moved it. Resolves to whether it did. */
  advanceScan(from: string, to: string): Promise<boolean>;
}

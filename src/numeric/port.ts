// PoolPort: the steps that a pool needs from a store. Each is atomic: it is done as a whole or not at all.

import type { TakenId } from "./recentlyIssued.ts";

/** An ID to be added, at a random position. An issue takes the next available ID at or after its own random position. */
export type RankedId = readonly [id: string, rank: number];

/** What can be issued. */
export interface Availability {
  /** How many IDs are available, counted up to a limit. */
  readonly available: number;
  /** Position of the exhaustive scan, as text; empty if none has started. */
  readonly scan: string;
}

/** The history that a store is on, and the one recorded for a type. Empty texts if the store does not report its history. */
export interface StoreHistory {
  readonly recorded: string;
  readonly current: string;
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
  /** Returns the history, and records the current one for a type that has none. Called before all other steps. */
  beginHistory(): Promise<StoreHistory>;
  /** Records a history for the type, if the store is on it now. Resolves to whether it is. */
  acceptHistory(history: string): Promise<boolean>;
  /**
   * Takes `count` IDs or none: those with the next ranks from `from` on, continued from rank 0 after the last.
   *
   * @param history the history that the store must be on
   */
  issue(count: number, from: number, history: string): Promise<IssueOutcome>;
  /**
   * Takes an ID for a request, or returns the one that the request was given before, and then calls `onReplay`: also when
   * the answer of this call's own first attempt was lost. An ID that was given before may be returned on another history.
   */
  issueForRequest(
    requestKey: string,
    from: number,
    history: string,
    onReplay: () => void,
  ): Promise<IssueOutcome>;
  /** Counts the available IDs, up to a limit. */
  count(max: number): Promise<Availability>;
  /**
   * Returns the state of the pool.
   *
   * @param max the limit up to which available IDs are counted
   * @param claimMs how long a claim lasts. One that ends later was made before a clock was set back
   */
  status(max: number, claimMs: number): Promise<PoolCounts>;
  /** Adds IDs, except those that are in the pool. Resolves to how many it added. */
  add(ids: readonly RankedId[]): Promise<number>;
  /** Marks given IDs as taken, and adds those that are not in the pool. Resolves to how many were not taken before. */
  markTaken(ids: readonly TakenId[]): Promise<number>;
  /** Merges the counts of taken IDs, if the store keeps several. */
  mergeCounts(): Promise<unknown>;
  /** Claims the refill for `ms`, unless another process has it. Resolves to the scan position, `null` if refused. */
  claimRefill(refiller: string, ms: number): Promise<string | null>;
  /** Ends the claim. */
  releaseRefill(refiller: string): Promise<unknown>;
  /** Moves the scan position from `from` to `to`, unless another process has moved it. Resolves to whether it did. */
  advanceScan(from: string, to: string): Promise<boolean>;
}

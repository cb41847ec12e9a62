// IdSource: where a generator gets its IDs from. There are three: the ledger of this thread, a lease, and memory that
// threads share.

/** IDs that count up from a first one, within one tick and with the same high 32 bits: `fill` counts up the low half alone. */
export interface IdRun {
  readonly first: bigint;
  readonly count: number;
}

/** The outcome of an attempt that does not wait: a run of IDs, or how long to wait for one. */
export interface Attempt {
  /** The IDs; undefined if the tick is full. */
  readonly run: IdRun | undefined;
  /** How many milliseconds at least until there can be an ID; 0 beside a run. */
  readonly waitMs: number;
  /** The reading of the clock. */
  readonly nowMs: number;
}

/** The two node fields of an ID. */
export interface NodeFields {
  /** The datacenter field. */
  readonly datacenterId: number;
  /** The machine field. */
  readonly machineId: number;
}

/** Issues the IDs of a generator. A call that throws claims no ID, unless the source says otherwise. */
export interface IdSource {
  /** The node that the next ID carries. On a lease it changes with the grant. */
  readonly node: NodeFields;

  /**
   * Issues the next ID. Spins while the tick is full, for 2 s at most. Where there is no `performance.now()`, a custom clock
   * that hardly moves can make it spin for 2^27 readings.
   */
  nextId(): bigint;

  /**
   * Issues `count` IDs as runs in ascending order. Spins like {@link IdSource.nextId}, for 2 s in all, with the same
   * exception.
   */
  claimRuns(count: number): IdRun[];

  /** Issues at most `most` IDs of one run at one reading of the clock, without waiting. */
  tryClaim(most: number): Attempt;
}

// The messages of the events, by the names of their channels.

import type { LeaseExpiredError, Widths } from "../internal.ts";

/** The facts about a lease that its events have in common. */
export interface LeaseEvent {
  /** The namespace of the lease: the option `name`. */
  readonly name: string;
  /** The node, as a number over both fields: `datacenterId * 2 ** machineBits + machineId`. */
  readonly node: number;
  /** Its datacenter field. */
  readonly datacenterId: number;
  /** Its machine field. */
  readonly machineId: number;
  /** When the lease ends unless it is renewed, or when it ended, in milliseconds since 1970 by this process's clock. */
  readonly untilMs: number;
}

/** A node was leased: `bitflake:lease:acquired`. */
export interface LeaseAcquired extends LeaseEvent {
  /** How many leases this `leaseNode` has been granted: more than 1 after a loss, with `onExpired: "reacquire"`. */
  readonly grants: number;
  /** How far this process's clock is ahead of the store's, in milliseconds: see `LeaseStatus.skewMs`. */
  readonly skewMs: number;
}

/** A lease was renewed: `bitflake:lease:renewed`. */
export interface LeaseRenewed extends LeaseEvent {
  /** How far this process's clock is ahead of the store's, in milliseconds: see `LeaseStatus.skewMs`. */
  readonly skewMs: number;
}

/** A lease ended without a release: `bitflake:lease:lost`. */
export interface LeaseLost extends LeaseEvent {
  /** An error like those that the generator throws while it has no grant. Its `cause` is the reason of the loss. */
  readonly error: LeaseExpiredError;
}

/** The facts about a generator that its events have in common. */
export interface GeneratorEvent {
  /** The bit widths. */
  readonly layout: Widths;
  /** The datacenter field of the generator, or of its lease. */
  readonly datacenterId: number;
  /** The machine field of the generator, or of its lease. */
  readonly machineId: number;
  /** The reading of the generator's clock, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** A clock stepped back by more than `maxBackwardMs`, and a call for an ID was refused: `bitflake:clock:backwards`. */
export interface ClockBackwards extends GeneratorEvent {
  /** The highest reading at which an ID was issued, or with which a grant was requested, in milliseconds since 1970. */
  readonly lastMs: number;
  /** How far back the reading is. */
  readonly backwardMs: number;
}

/** A tick has too few sequence numbers left for a call: `bitflake:sequence:exhausted`. */
export interface SequenceExhausted extends GeneratorEvent {
  /** The tick, counted from the epoch. */
  readonly tick: number;
  /** The generator's option `onExhausted`: whether the call waits, fails or gets an ID of the next tick. */
  readonly onExhausted: "wait" | "throw" | "borrow";
}

/** A pool of numeric IDs has at most `lowMark` IDs available: `bitflake:pool:low`. */
export interface PoolLow {
  /** The name of the type of the IDs. */
  readonly type: string;
  /** How many IDs are available. */
  readonly available: number;
  /** The number at which a refill starts. */
  readonly lowMark: number;
  /** The number at which a refill ends. */
  readonly highMark: number;
}

/** A call with an idempotency key gets a stored result, or does the work: `bitflake:idempotency:hit` and `:miss`. */
export interface IdempotencyOutcome {
  /** The name of the set of keys: the option `name`. The key is left out, because it may identify a person. */
  readonly name: string;
}

/** A call with an idempotency key gets an error instead of a result: `bitflake:idempotency:conflict`. */
export interface IdempotencyConflict extends IdempotencyOutcome {
  /** As in `KeyConflict` of `bitflake/idempotency`. */
  readonly reason: "in-flight" | "fingerprint" | "not-kept";
}

/** A limit denied a call, or would have denied it without the option `shadow`: `bitflake:ratelimit:denied`. */
export interface RateLimitDenied {
  /** The name of the limit. The key is left out, because it may identify a person. */
  readonly name: string;
  /** How much of the quota the call would have taken. */
  readonly cost: number;
  /** In how many milliseconds the call would pass; `Infinity` if never. */
  readonly retryAfterMs: number;
  /** Whether the key is blocked. */
  readonly isBlocked: boolean;
  /** Whether the call passed in spite of it, because of the option `shadow`. */
  readonly isShadow: boolean;
  /** Whether the limit's `insurance` decided, because the store failed. */
  readonly isInsured: boolean;
}

/** The message of each event, by the name of its channel. */
export interface BitflakeEvents {
  /** A node was leased. */
  readonly "bitflake:lease:acquired": LeaseAcquired;
  /** A lease was renewed. */
  readonly "bitflake:lease:renewed": LeaseRenewed;
  /** A lease ended without a release. */
  readonly "bitflake:lease:lost": LeaseLost;
  /** A clock stepped back too far; only after `publishGeneratorEvents()`. */
  readonly "bitflake:clock:backwards": ClockBackwards;
  /** A tick has too few sequence numbers left; only after `publishGeneratorEvents()`. */
  readonly "bitflake:sequence:exhausted": SequenceExhausted;
  /** A pool has at most `lowMark` IDs available. */
  readonly "bitflake:pool:low": PoolLow;
  /** A call with a key gets the stored result. */
  readonly "bitflake:idempotency:hit": IdempotencyOutcome;
  /** A call with a key begins its work. */
  readonly "bitflake:idempotency:miss": IdempotencyOutcome;
  /** A call with a key gets an error. */
  readonly "bitflake:idempotency:conflict": IdempotencyConflict;
  /** A limit denied a call. */
  readonly "bitflake:ratelimit:denied": RateLimitDenied;
}

/** The name of a channel. */
export type BitflakeEventName = keyof BitflakeEvents;

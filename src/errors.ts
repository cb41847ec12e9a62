// Every error that bitflake throws: one base, one stable `code` each, the facts as fields.

/**
 * The stable name of a failure, for a `switch` or a log query. It survives minification, and unlike
 * `instanceof` it also holds between two copies of the package loaded in one process.
 */
export type ErrorCode =
  | "ERR_ARGUMENT"
  | "ERR_LAYOUT"
  | "ERR_INVALID_ID"
  | "ERR_CLOCK_BACKWARDS"
  | "ERR_CLOCK_STALLED"
  | "ERR_SEQUENCE_EXHAUSTED"
  | "ERR_TIMESTAMP_OVERFLOW"
  | "ERR_EPOCH"
  | "ERR_UNSUPPORTED"
  | "ERR_BACKEND"
  | "ERR_CLOCK_SKEW"
  | "ERR_COUNTER_BACKWARDS"
  | "ERR_COUNTER_EXHAUSTED"
  | "ERR_FINGERPRINT"
  | "ERR_ID_POOL_EMPTY"
  | "ERR_ID_POOL_EXHAUSTED"
  | "ERR_ID_POOL_HISTORY"
  | "ERR_IN_FLIGHT"
  | "ERR_LEASE_EXPIRED"
  | "ERR_LEASE_FENCE"
  | "ERR_LOCK_LOST"
  | "ERR_NAMESPACE"
  | "ERR_NOT_KEPT"
  | "ERR_NO_NODE_AVAILABLE"
  | "ERR_NO_VALID_ID"
  | "ERR_STORE_CUT_OFF";

/** Names a value in a message: its type shows, it is never long, and none of its own code runs. */
function show(value: unknown): string {
  // Cut before it is written out, for a text or bigint of a million digits takes seconds. What is cut lacks its quote.
  if (typeof value === "string") return JSON.stringify(value.slice(0, 64)).slice(0, 64);
  if (typeof value === "bigint") return BigInt.asIntN(128, value) === value ? value + "n" : "[bigint]";
  return Object(value) === value ? `[${typeof value}]` : String(value).slice(0, 64);
}

/**
 * The base of every error that bitflake throws. Whatever threw one has left its state as it was.
 *
 * @example
 * ```ts
 * import { BitflakeError, parseId } from "bitflake";
 *
 * let code = "";
 * try {
 *   parseId("0x10");
 * } catch (error) {
 *   if (error instanceof BitflakeError) code = error.code;
 * }
 * code; // => 'ERR_INVALID_ID'
 * ```
 */
export abstract class BitflakeError extends Error {
  /** What went wrong, as a name that does not change between versions. */
  declare readonly code: ErrorCode;

  /** @param facts what the error is about; each becomes a field */
  constructor(message: string, facts: object) {
    super(message);
    // ClockBackwardsError has ERR_CLOCK_BACKWARDS: two names that cannot drift apart. Its own, for loggers copy those.
    Object.assign(this, facts, {
      code: "ERR" + this.name.slice(0, -5).replace(/[A-Z]/g, "_$&").toUpperCase(),
    });
  }
}

/**
 * An argument or option has the wrong type, or a value outside its limits.
 * The message reads `<field> must be <rule>, got <value>`, and its three parts are fields.
 */
export class ArgumentError extends BitflakeError {
  /** Which argument, option or variable. */
  declare readonly field: string;
  /** What it must be. */
  declare readonly rule: string;
  /** What was received, as the message shows it: safe to log and to serialize. */
  declare readonly value: string;

  constructor(field: string, rule: string, given: unknown) {
    const value = show(given);
    super(`${field} must be ${rule}, got ${value}`, { field, rule, value });
  }

  override get name(): string {
    return "ArgumentError";
  }
}

/** The bit widths do not make a layout, or the layout cannot do what was asked of it. */
export class LayoutError extends ArgumentError {
  override get name(): string {
    return "LayoutError";
  }
}

/** A value is not an ID: not a bigint, a canonical decimal string or a safe integer in range. */
export class InvalidIdError extends ArgumentError {
  override get name(): string {
    return "InvalidIdError";
  }
}

/** The clock stepped back by more than `maxBackwardMs`. Generation resumes by itself once it has caught up. */
export class ClockBackwardsError extends BitflakeError {
  /** The highest reading so far, in milliseconds since 1970. */
  declare readonly lastMs: number;
  /** The reading now. */
  declare readonly nowMs: number;
  /** How far back that is. */
  declare readonly backwardMs: number;

  constructor(lastMs: number, nowMs: number, maxBackwardMs: number) {
    const backwardMs = lastMs - nowMs;
    super(
      `the clock stepped back ${backwardMs} ms, from ${lastMs} to ${nowMs}; maxBackwardMs is ${maxBackwardMs}`,
      { lastMs, nowMs, backwardMs },
    );
  }

  override get name(): string {
    return "ClockBackwardsError";
  }
}

/** The clock shows no new millisecond however often it is read, or hardly moves: waiting would never end. */
export class ClockStalledError extends BitflakeError {
  /** The last reading. */
  declare readonly nowMs: number;
  /** How many times the clock was read while the call waited. */
  declare readonly reads: number;

  constructor(nowMs: number, reads: number) {
    super(`the clock stands still at ${nowMs}, or hardly moves, after ${reads} reads`, { nowMs, reads });
  }

  override get name(): string {
    return "ClockStalledError";
  }
}

/** Every sequence number of the current tick is used up, and waiting is not allowed or would take too long. */
export class SequenceExhaustedError extends BitflakeError {
  /** The tick that is full, counted from the epoch. */
  declare readonly tick: number;
  /** How many milliseconds at least until there has been room for all the IDs that are wanted. */
  declare readonly waitMs: number;
  /** How many IDs are wanted: 1, or those that a call for many has not made yet. */
  declare readonly count: number;

  constructor(tick: number, waitMs: number, count = 1) {
    super(
      count === 1
        ? `tick ${tick} is full, and the next is ${waitMs} ms away`
        : `tick ${tick} has no room for ${count} more IDs: they take another ${waitMs} ms`,
      { tick, waitMs, count },
    );
  }

  override get name(): string {
    return "SequenceExhaustedError";
  }
}

/** The moment lies past the last tick that the timestamp field can hold. Nothing wraps. */
export class TimestampOverflowError extends BitflakeError {
  /** The reading now, in milliseconds since 1970. */
  declare readonly nowMs: number;
  /** The tick that was needed, counted from the epoch. */
  declare readonly tick: number;
  /** The last tick there is. */
  declare readonly maxTick: number;

  constructor(nowMs: number, tick: number, maxTick: number) {
    super(`at ${nowMs} the timestamp must be at most ${maxTick}, got ${tick}`, {
      nowMs,
      tick,
      maxTick,
    });
  }

  override get name(): string {
    return "TimestampOverflowError";
  }
}

/** The clock reads a time before the epoch, for which there is no ID; or it did when the generator was built. */
export class EpochError extends BitflakeError {
  /** The reading now, in milliseconds since 1970. */
  declare readonly nowMs: number;
  /** The epoch, in milliseconds since 1970. */
  declare readonly epochMs: number;

  constructor(nowMs: number, epochMs: number) {
    super(`the clock reads ${nowMs}, before the epoch ${epochMs}`, { nowMs, epochMs });
  }

  override get name(): string {
    return "EpochError";
  }
}

/** The runtime lacks something that the call cannot do without. */
export class UnsupportedError extends BitflakeError {
  /** What is missing. */
  declare readonly feature: string;

  constructor(feature: string, options?: { readonly cause: unknown }) {
    super(`this runtime has no ${feature}`, { feature, ...options });
  }

  override get name(): string {
    return "UnsupportedError";
  }
}

/** A backend is down, too slow, or gave an answer that makes no sense. What it did with the call is not known. */
export class BackendError extends BitflakeError {
  /** What was asked of it. */
  declare readonly operation: string;
  /** Its client or server refused or failed; there was no answer in time; or the answer was not one. */
  declare readonly reason: "failed" | "timeout" | "answer";

  constructor(
    operation: string,
    reason: BackendError["reason"],
    what: string,
    options?: { readonly cause: unknown },
  ) {
    super(`${operation}: ${what.slice(0, 200)}`, { operation, reason, ...options });
  }

  override get name(): string {
    return "BackendError";
  }
}

/** The clock of this process and that of the store are farther apart than `maxSkewMs`. */
export class ClockSkewError extends BitflakeError {
  /** The reading of this process, in milliseconds since 1970. */
  declare readonly nowMs: number;
  /** The store's. */
  declare readonly storeMs: number;
  /** How far this process is ahead; negative if it is behind. */
  declare readonly skewMs: number;
  /** How far it may be. */
  declare readonly maxSkewMs: number;

  constructor(nowMs: number, storeMs: number, maxSkewMs: number) {
    const skewMs = nowMs - storeMs;
    super(
      `the clock reads ${nowMs} and the store's ${storeMs}, ${skewMs} ms apart; maxSkewMs is ${maxSkewMs}`,
      {
        nowMs,
        storeMs,
        skewMs,
        maxSkewMs,
      },
    );
  }

  override get name(): string {
    return "ClockSkewError";
  }
}

/** The store's counter is behind a value that it has given out before: its data was lost or put back. */
export class CounterBackwardsError extends BitflakeError {
  /** The counter. */
  declare readonly counter: string;
  /** The highest value that this process has had from it, as text: safe to log and to serialize. */
  declare readonly highest: string;

  constructor(counter: string, highest: bigint) {
    super(`counter ${show(counter)} went back below ${highest}, which it has given out already`, {
      counter,
      highest: `${highest}`,
    });
  }

  override get name(): string {
    return "CounterBackwardsError";
  }
}

/** The counter has given out 2^63 - 1, the last value that there is. It does not wrap. */
export class CounterExhaustedError extends BitflakeError {
  /** The counter. */
  declare readonly counter: string;

  constructor(counter: string) {
    super(`counter ${show(counter)} has given out its last value, 2^63 - 1`, { counter });
  }

  override get name(): string {
    return "CounterExhaustedError";
  }
}

/** What the errors of running once have in common: each is about a key. */
export abstract class KeyError extends BitflakeError {
  /** The key. */
  declare readonly key: string;

  /** @param what is said of the key */
  constructor(key: string, what: string, facts: object = {}) {
    super(`key ${show(key)} ${what}`, { ...facts, key });
  }
}

/** The key was used before, for something else. Nothing has run. */
export class FingerprintError extends KeyError {
  constructor(key: string) {
    super(key, "was used before, with another fingerprint");
  }

  override get name(): string {
    return "FingerprintError";
  }
}

/** Another call with the same key is at work. Nothing has run: ask again in a moment, and have what comes of it. */
export class InFlightError extends KeyError {
  /** How long the other's lock holds yet; it extends it while it works. */
  declare readonly lockedMs: number;

  constructor(key: string, lockedMs: number) {
    super(key, `is in use, and locked for ${lockedMs} ms yet`, { lockedMs });
  }

  override get name(): string {
    return "InFlightError";
  }
}

/**
 * The lock of a key was not extended in time, and another call has taken it over. What comes of the key is that one's
 * result.
 */
export class LockLostError extends KeyError {
  constructor(key: string) {
    super(key, "was taken over or forgotten while its work went on");
  }

  override get name(): string {
    return "LockLostError";
  }
}

/** The key's work was done before, but its result was not kept: it was too large, or nothing that JSON can say. */
export class NotKeptError extends KeyError {
  constructor(key: string) {
    super(key, "has been done, and its result was not kept");
  }

  override get name(): string {
    return "NotKeptError";
  }
}

/** The pool has not enough IDs at hand. A refill brings more: try again in a moment. */
export class IdPoolEmptyError extends BitflakeError {
  /** The type of the IDs. */
  declare readonly type: string;
  /** How many were asked for. */
  declare readonly count: number;
  /** How many there are. */
  declare readonly available: number;

  constructor(type: string, count: number, available: number, options?: { readonly cause: unknown }) {
    super(`the pool of ${show(type)} has ${available} IDs at hand, and ${count} were asked for`, {
      type,
      count,
      available,
      ...options,
    });
  }

  override get name(): string {
    return "IdPoolEmptyError";
  }
}

/** Every ID of the type has been issued, or so many that not enough are left: there will be no more. */
export class IdPoolExhaustedError extends BitflakeError {
  /** The type of the IDs. */
  declare readonly type: string;
  /** How many were asked for. */
  declare readonly count: number;
  /** How many are left. */
  declare readonly available: number;

  constructor(type: string, count: number, available: number) {
    super(`of all IDs of ${show(type)} ${available} are left, and ${count} were asked for`, {
      type,
      count,
      available,
    });
  }

  override get name(): string {
    return "IdPoolExhaustedError";
  }
}

/**
 * The store is not on the history that the pool's IDs were issued on: after a failover, or put back from a backup. It
 * may have forgotten IDs that were issued, and would issue them again. `IdPool.acceptHistory` goes on from there.
 */
export class IdPoolHistoryError extends BitflakeError {
  /** The type of the IDs. */
  declare readonly type: string;
  /** The history that the pool's IDs were issued on, as the store has recorded it. */
  declare readonly recorded: string;
  /** The history that the store is on now; the empty text where it does not tell. */
  declare readonly current: string;

  constructor(type: string, recorded: string, current: string) {
    super(
      `the pool of ${show(type)} was issued on the history ${show(recorded)}, and the store is now on ${show(current)}: ` +
        "it may have lost IDs that were issued. Import those, then call acceptHistory()",
      { type, recorded, current },
    );
  }

  override get name(): string {
    return "IdPoolHistoryError";
  }
}

/** The lease of the generator's node has ended: it was not renewed in time, or was given back. */
export class LeaseExpiredError extends BitflakeError {
  /** The node, as a number over both fields. */
  declare readonly node: number;
  /** The end of the lease, in milliseconds since 1970: the generator stamps no time from there on. */
  declare readonly untilMs: number;
  /** The reading now. */
  declare readonly nowMs: number;

  constructor(node: number, untilMs: number, nowMs: number, options?: { readonly cause: unknown }) {
    super(`the lease of node ${node} ended at ${untilMs}, and the clock reads ${nowMs}`, {
      node,
      untilMs,
      nowMs,
      ...options,
    });
  }

  override get name(): string {
    return "LeaseExpiredError";
  }
}

/**
 * The store of the leases has restarted, has failed over or is new, so it may have forgotten grants that have not ended.
 * It grants no node until they have.
 */
export class LeaseFenceError extends BitflakeError {
  /** The namespace of the leases. */
  declare readonly namespace: string;
  /** When every grant that may have been forgotten has ended: milliseconds since 1970. */
  declare readonly untilMs: number;

  constructor(namespace: string, untilMs: number) {
    super(
      `the store of ${show(namespace)} restarted, failed over or is new, and may have forgotten leases: none is granted until ${untilMs}. Set waitMs to wait for that, or fence: false if it has forgotten nothing`,
      { namespace, untilMs },
    );
  }

  override get name(): string {
    return "LeaseFenceError";
  }
}

/**
 * What a store has under this name is of another kind: leases of another layout, epoch or tick, or numeric IDs with
 * other rules. Its IDs and these could be the same.
 */
export class NamespaceError extends ArgumentError {
  override get name(): string {
    return "NamespaceError";
  }
}

/** Every node of the space is taken. */
export class NoNodeAvailableError extends BitflakeError {
  /** The namespace of the leases. */
  declare readonly namespace: string;
  /** How many nodes there are. */
  declare readonly nodes: number;
  /** When the first of them is free, if it is not renewed until then: milliseconds since 1970. */
  declare readonly soonestMs: number;

  constructor(namespace: string, nodes: number, soonestMs: number) {
    super(`all ${nodes} nodes of ${show(namespace)} are taken, the first until ${soonestMs}`, {
      namespace,
      nodes,
      soonestMs,
    });
  }

  override get name(): string {
    return "NoNodeAvailableError";
  }
}

/** No ID keeps the rules of its type, or so few that millions of attempts found none. */
export class NoValidIdError extends BitflakeError {
  /** The type of the ID. */
  declare readonly type: string;
  /** How many digits it has. */
  declare readonly length: number;

  constructor(type: string, length: number) {
    super(`no ID of ${length} digits was found that keeps the rules of ${show(type)}`, { type, length });
  }

  override get name(): string {
    return "NoValidIdError";
  }
}

/**
 * A Redis that had replicas has not heard of one for too long. It may be cut off, and another one promoted in its place,
 * so it grants and renews no lease.
 */
export class StoreCutOffError extends BitflakeError {
  /** The namespace of the leases. */
  declare readonly namespace: string;
  /** When a replica was last known to be connected, by the store's clock: milliseconds since 1970. */
  declare readonly seenMs: number;
  /** The store's time now. */
  declare readonly storeMs: number;

  constructor(namespace: string, seenMs: number, storeMs: number) {
    super(
      `the Redis of ${show(namespace)} has had no replica since ${seenMs}, and its clock reads ${storeMs}: it may be cut off. If it has none any more, lease once with fence: false`,
      { namespace, seenMs, storeMs },
    );
  }

  override get name(): string {
    return "StoreCutOffError";
  }
}

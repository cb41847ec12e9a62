// Every error that bitflake throws: one base, one literal `code` each, the facts as declared fields. The names are
// getters, because a minifier renames classes, and a stack trace takes the name before fields are set.

/**
 * The stable name of a failure, for a `switch` or a log query. It survives minification, and unlike `instanceof` it also
 * works between two copies of the package in one process.
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
  | "ERR_CONFORMANCE"
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
  | "ERR_SERVICE"
  | "ERR_STORE_CUT_OFF"
  | "ERR_TICK_FULL";

/** Returns a value as a message shows it: its type is visible, it is never long, and none of its own code runs. */
export function showValue(value: unknown): string {
  // Cut before it is written out, because a million digits take seconds. A string that was cut has no end quote.
  if (typeof value === "string") return JSON.stringify(value.slice(0, 64)).slice(0, 64);
  if (typeof value === "bigint") return BigInt.asIntN(128, value) === value ? value + "n" : "[bigint]";
  return Object(value) === value ? `[${typeof value}]` : String(value).slice(0, 64);
}

/**
 * The base of every error that bitflake throws. A synchronous call that throws one leaves its generator as it was; only
 * `nextIds` and `fill` of a `SharedGenerator` may lose IDs that they had claimed.
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
  abstract readonly code: ErrorCode;
}

/**
 * An argument, an option or a reading of the clock has the wrong type or a value outside its limits; or the next ID of this
 * generator could repeat one of another generator of the thread, so none is made.
 * The message reads `<field> must be <rule>, got <value>`, and its three parts are fields.
 */
export class ArgumentError extends BitflakeError {
  readonly code: "ERR_ARGUMENT" | "ERR_LAYOUT" | "ERR_INVALID_ID" | "ERR_NAMESPACE" = "ERR_ARGUMENT";
  /** Which argument, option or variable; `"tick"` or `"clock()"` where it is a value that a call computed or read. */
  readonly field: string;
  /** What it must be. */
  readonly rule: string;
  /** What was received, as the message shows it: safe to log and to serialize. */
  readonly value: string;

  constructor(field: string, rule: string, given: unknown) {
    const value = showValue(given);
    super(`${field} must be ${rule}, got ${value}`);
    this.field = field;
    this.rule = rule;
    this.value = value;
  }

  override get name(): string {
    return "ArgumentError";
  }
}

/** The bit widths do not make a layout, or the layout does not support the call. */
export class LayoutError extends ArgumentError {
  override readonly code = "ERR_LAYOUT";

  override get name(): string {
    return "LayoutError";
  }
}

/**
 * A value is not an ID of the kind that the call takes: not a bigint, a canonical decimal string or a safe integer in range; an
 * ID whose tick is after the last one of the layout; or no valid text, masked ID or numeric ID. `rule` says which.
 */
export class InvalidIdError extends ArgumentError {
  override readonly code = "ERR_INVALID_ID";

  override get name(): string {
    return "InvalidIdError";
  }
}

/**
 * The store has something else under this name: leases of another layout, epoch, tick or leased fields, or
 * numeric IDs with other rules.
 * Its IDs and these could be the same.
 */
export class NamespaceError extends ArgumentError {
  override readonly code = "ERR_NAMESPACE";

  override get name(): string {
    return "NamespaceError";
  }
}

/** The end of the messages of clock errors, which are mostly seen in tests. */
const FAKE_TIMERS = "(fake timers: https://github.com/bitflake/bitflake/blob/main/docs/testing.md)";

/**
 * The clock stepped back by more than `maxBackwardMs`. Generation resumes by itself once it is back within that. In a test with
 * fake timers, call `reset()` of `bitflake/testing` before each test.
 */
export class ClockBackwardsError extends BitflakeError {
  readonly code = "ERR_CLOCK_BACKWARDS";
  /** The highest reading at which an ID was issued or the lease was acquired, in milliseconds since 1970. */
  readonly lastMs: number;
  /** The reading now. */
  readonly nowMs: number;
  /** How far back that is. */
  readonly backwardMs: number;

  constructor(lastMs: number, nowMs: number, maxBackwardMs: number) {
    const backwardMs = lastMs - nowMs;
    super(
      `the clock stepped back ${backwardMs} ms, from ${lastMs} to ${nowMs}; maxBackwardMs is ${maxBackwardMs} ${FAKE_TIMERS}`,
    );
    this.lastMs = lastMs;
    this.nowMs = nowMs;
    this.backwardMs = backwardMs;
  }

  override get name(): string {
    return "ClockBackwardsError";
  }
}

/**
 * The clock shows no new millisecond however often it is read, or hardly moves: waiting would never end. In a test with fake
 * timers, advance them, or pass `onExhausted: "borrow"`.
 */
export class ClockStalledError extends BitflakeError {
  readonly code = "ERR_CLOCK_STALLED";
  /** The last reading. */
  readonly nowMs: number;
  /** How many times the clock was read while the call waited. */
  readonly reads: number;

  constructor(nowMs: number, reads: number) {
    super(`the clock stands still at ${nowMs}, or hardly moves, after ${reads} reads ${FAKE_TIMERS}`);
    this.nowMs = nowMs;
    this.reads = reads;
  }

  override get name(): string {
    return "ClockStalledError";
  }
}

/** The current tick has no room for the IDs that are wanted, and waiting is not allowed or would take too long. */
export class SequenceExhaustedError extends BitflakeError {
  readonly code = "ERR_SEQUENCE_EXHAUSTED";
  /** The tick that has too little room, counted from the epoch. */
  readonly tick: number;
  /**
   * How long it takes at least until the last of the IDs can be made, in milliseconds. For a batch that ran out of its 2 s
   * it is an estimate, which counts one whole tick more.
   */
  readonly waitMs: number;
  /** How many IDs are wanted: 1, or those that a batch has not made yet. */
  readonly count: number;

  constructor(tick: number, waitMs: number, count = 1) {
    super(
      count === 1
        ? `tick ${tick} is full, and the next one can be used in ${waitMs} ms`
        : `tick ${tick} has no room for ${count} more IDs: they take another ${waitMs} ms`,
    );
    this.tick = tick;
    this.waitMs = waitMs;
    this.count = count;
  }

  override get name(): string {
    return "SequenceExhaustedError";
  }
}

/** The moment lies past the last tick that an ID can have, see {@link TimestampOverflowError.maxTick}. Nothing wraps. */
export class TimestampOverflowError extends BitflakeError {
  readonly code = "ERR_TIMESTAMP_OVERFLOW";
  /** The reading now, in milliseconds since 1970. */
  readonly nowMs: number;
  /** The tick that was needed, counted from the epoch. */
  readonly tick: number;
  /** The last tick that the timestamp field can hold, or the last that begins within the range of Date if that is earlier. */
  readonly maxTick: number;

  constructor(nowMs: number, tick: number, maxTick: number) {
    super(`at ${nowMs} the next ID needs tick ${tick}, but the last tick is ${maxTick}`);
    this.nowMs = nowMs;
    this.tick = tick;
    this.maxTick = maxTick;
  }

  override get name(): string {
    return "TimestampOverflowError";
  }
}

/** The clock reads a time before the epoch, which no ID can have; or it did when the generator was built. */
export class EpochError extends BitflakeError {
  readonly code = "ERR_EPOCH";
  /** The reading now, in milliseconds since 1970. */
  readonly nowMs: number;
  /** The epoch, in milliseconds since 1970. */
  readonly epochMs: number;

  constructor(nowMs: number, epochMs: number) {
    super(`the clock reads ${nowMs}, before the epoch ${epochMs}`);
    this.nowMs = nowMs;
    this.epochMs = epochMs;
  }

  override get name(): string {
    return "EpochError";
  }
}

/** The runtime lacks something that the call needs. */
export class UnsupportedError extends BitflakeError {
  readonly code = "ERR_UNSUPPORTED";
  /** What is missing. */
  readonly feature: string;

  constructor(feature: string, options?: { readonly cause: unknown }) {
    super(`this runtime has no ${feature}`, options);
    this.feature = feature;
  }

  override get name(): string {
    return "UnsupportedError";
  }
}

/**
 * A backend is down, too slow, or sent an unexpected response. Whether it has carried out the call is not known, except when
 * this is the `cause` of a {@link LeaseExpiredError} and the response is that the grant is lost.
 */
export class BackendError extends BitflakeError {
  readonly code = "ERR_BACKEND";
  /** The call to the backend. */
  readonly operation: string;
  /**
   * `"failed"`: the client or the server refused or failed; `"timeout"`: there was no answer in time; `"answer"`: there was
   * an answer, but not one that the operation can have, or the answer that a grant is lost; `"schema"`: the store needs a later
   * version of this package.
   */
  readonly reason: "failed" | "timeout" | "answer" | "schema";

  constructor(
    operation: string,
    reason: BackendError["reason"],
    what: string,
    options?: { readonly cause: unknown },
  ) {
    super(`${operation}: ${what.slice(0, 200)}`, options);
    this.operation = operation;
    this.reason = reason;
  }

  override get name(): string {
    return "BackendError";
  }
}

/** The clock of this process and that of the store are farther apart than `maxSkewMs`. */
export class ClockSkewError extends BitflakeError {
  readonly code = "ERR_CLOCK_SKEW";
  /** The reading of this process, in milliseconds since 1970. */
  readonly nowMs: number;
  /** The store's. */
  readonly storeMs: number;
  /** How far this process is ahead; negative if it is behind. */
  readonly skewMs: number;
  /** How far it may be. */
  readonly maxSkewMs: number;

  constructor(nowMs: number, storeMs: number, maxSkewMs: number) {
    const skewMs = nowMs - storeMs;
    const side = skewMs < 0 ? "behind" : "ahead of";
    super(
      `the clock reads ${nowMs}, ${Math.abs(skewMs)} ms ${side} the store's ${storeMs}; maxSkewMs is ${maxSkewMs}`,
    );
    this.nowMs = nowMs;
    this.storeMs = storeMs;
    this.skewMs = skewMs;
    this.maxSkewMs = maxSkewMs;
  }

  override get name(): string {
    return "ClockSkewError";
  }
}

/** Base of the errors about a counter. */
abstract class CounterError extends BitflakeError {
  /** The counter. */
  readonly counter: string;

  /** @param problem follows the counter in the message */
  constructor(counter: string, problem: string) {
    super(`counter ${showValue(counter)} ${problem}`);
    this.counter = counter;
  }
}

/** The store's counter is behind a value that it has given out before: the store lost its data or was restored. */
export class CounterBackwardsError extends CounterError {
  readonly code = "ERR_COUNTER_BACKWARDS";
  /** The highest value that this process has had from it, as text: safe to log and to serialize. */
  readonly highest: string;

  constructor(counter: string, highest: bigint) {
    super(counter, `went back below ${highest}, which it has given out already`);
    this.highest = `${highest}`;
  }

  override get name(): string {
    return "CounterBackwardsError";
  }
}

/** The counter has given out 2^63 - 1, its last value. It does not wrap. */
export class CounterExhaustedError extends CounterError {
  readonly code = "ERR_COUNTER_EXHAUSTED";

  constructor(counter: string) {
    super(counter, "has given out its last value, 2^63 - 1");
  }

  override get name(): string {
    return "CounterExhaustedError";
  }
}

/** Base of the errors about an idempotency key. */
abstract class KeyError extends BitflakeError {
  /** The key. */
  readonly key: string;

  /** @param problem follows the key in the message */
  constructor(key: string, problem: string) {
    super(`key ${showValue(key)} ${problem}`);
    this.key = key;
  }
}

/** The key was used before with another fingerprint, so for something else. Nothing has run. */
export class FingerprintError extends KeyError {
  readonly code = "ERR_FINGERPRINT";

  constructor(key: string) {
    super(key, "was used before, with another fingerprint");
  }

  override get name(): string {
    return "FingerprintError";
  }
}

/** Another call with the same key is at work. Nothing has run: try again in a moment, and get the result of that call. */
export class InFlightError extends KeyError {
  readonly code = "ERR_IN_FLIGHT";
  /** How much longer the other call's lock lasts. That call extends it while it works. */
  readonly lockedMs: number;

  constructor(key: string, lockedMs: number) {
    super(key, `is locked for another ${lockedMs} ms`);
    this.lockedMs = lockedMs;
  }

  override get name(): string {
    return "InFlightError";
  }
}

/**
 * The lock of a key was not extended in time, and another call has taken it over. The result of the key is that of the
 * other call.
 */
export class LockLostError extends KeyError {
  readonly code = "ERR_LOCK_LOST";

  constructor(key: string) {
    super(key, "was taken over or forgotten while its work went on");
  }

  override get name(): string {
    return "LockLostError";
  }
}

/** The key's work was done before, but its result was not kept: it was too large, or JSON cannot represent it. */
export class NotKeptError extends KeyError {
  readonly code = "ERR_NOT_KEPT";

  constructor(key: string) {
    super(key, "has been done, and its result was not kept");
  }

  override get name(): string {
    return "NotKeptError";
  }
}

/** Base of the errors about a type of numeric IDs. */
abstract class IdTypeError extends BitflakeError {
  /** The type of the IDs. */
  readonly type: string;

  constructor(type: string, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.type = type;
  }
}

/** The pool has fewer available IDs than were requested. A refill adds more: try again in a moment. */
export class IdPoolEmptyError extends IdTypeError {
  readonly code = "ERR_ID_POOL_EMPTY";
  /** How many were requested. */
  readonly count: number;
  /** How many are available. */
  readonly available: number;

  constructor(type: string, count: number, available: number, options?: { readonly cause: unknown }) {
    super(type, `the pool of ${showValue(type)} has ${available} available IDs, ${count} requested`, options);
    this.count = count;
    this.available = available;
  }

  override get name(): string {
    return "IdPoolEmptyError";
  }
}

/** Every ID of the type has been issued, or fewer remain than were requested: there will be no more. */
export class IdPoolExhaustedError extends IdTypeError {
  readonly code = "ERR_ID_POOL_EXHAUSTED";
  /** How many were requested. */
  readonly count: number;
  /** How many are left. */
  readonly remaining: number;
  /** @deprecated Use {@link IdPoolExhaustedError.remaining}. */
  readonly available: number;

  constructor(type: string, count: number, remaining: number) {
    super(type, `the type ${showValue(type)} has ${remaining} IDs left, ${count} requested`);
    this.count = count;
    this.remaining = remaining;
    this.available = remaining;
  }

  override get name(): string {
    return "IdPoolExhaustedError";
  }
}

/**
 * The store is not on the history that the pool's IDs were issued on: it has failed over, or was restored from a backup.
 * It may have forgotten IDs that were issued, and would issue them again. `IdPool.acceptHistory` continues from there.
 */
export class IdPoolHistoryError extends IdTypeError {
  readonly code = "ERR_ID_POOL_HISTORY";
  /**
   * The history that was accepted before: the one that the store has recorded for the pool, or that this process issued on; or
   * the newest one that this process has seen, if the store has returned to one before it. An empty string if the store was
   * restored, without a change of its history, to a state without the pool.
   */
  readonly recorded: string;
  /** The history that the store is on now; an empty string if the store does not report its history. */
  readonly current: string;

  constructor(type: string, recorded: string, current: string) {
    super(
      type,
      `the pool of ${showValue(type)} issued IDs on the store history ${showValue(recorded)}, but the store is on ${showValue(current)} ` +
        "now and may have lost some of them: import the lost IDs, then call acceptHistory()",
    );
    this.recorded = recorded;
    this.current = current;
  }

  override get name(): string {
    return "IdPoolHistoryError";
  }
}

/** No ID keeps the rules of its type, or so few that millions of attempts found none. */
export class NoValidIdError extends IdTypeError {
  readonly code = "ERR_NO_VALID_ID";
  /** How many digits it has. */
  readonly length: number;

  constructor(type: string, length: number) {
    super(type, `no ID of ${length} digits was found that keeps the rules of ${showValue(type)}`);
    this.length = length;
  }

  override get name(): string {
    return "NoValidIdError";
  }
}

/**
 * The lease of the generator's node has ended: it was not renewed in time, the store answered that it is lost, or it was
 * released.
 */
export class LeaseExpiredError extends BitflakeError {
  readonly code = "ERR_LEASE_EXPIRED";
  /** The node, as a number over both fields. */
  readonly node: number;
  /** The end of the lease, in milliseconds since 1970: the generator stamps no time from there on. */
  readonly untilMs: number;
  /** The reading now. */
  readonly nowMs: number;

  constructor(node: number, untilMs: number, nowMs: number, options?: { readonly cause: unknown }) {
    super(`the lease of node ${node} ended at ${untilMs}, and the clock reads ${nowMs}`, options);
    this.node = node;
    this.untilMs = untilMs;
    this.nowMs = nowMs;
  }

  override get name(): string {
    return "LeaseExpiredError";
  }
}

/** Base of the errors of a store that grants no lease. */
abstract class LeaseRefusedError extends BitflakeError {
  /** The namespace of the leases: their option `name`. An error's own `name` is that of its class. */
  readonly namespace: string;

  constructor(namespace: string, message: string) {
    super(message);
    this.namespace = namespace;
  }
}

/**
 * The store of the leases has restarted, has failed over or is new, so it may have forgotten grants that have not ended.
 * It grants no node until they have.
 */
export class LeaseFenceError extends LeaseRefusedError {
  readonly code = "ERR_LEASE_FENCE";
  /** When every grant that may have been forgotten has ended: milliseconds since 1970. */
  readonly untilMs: number;

  constructor(namespace: string, untilMs: number) {
    super(
      namespace,
      `the store of ${showValue(namespace)} restarted, failed over or is new, and may have forgotten leases: none is granted until ${untilMs}. Set waitMs to wait for that, or fence: false if it has forgotten nothing`,
    );
    this.untilMs = untilMs;
  }

  override get name(): string {
    return "LeaseFenceError";
  }
}

/** Every node that the process may lease is taken. */
export class NoNodeAvailableError extends LeaseRefusedError {
  readonly code = "ERR_NO_NODE_AVAILABLE";
  /** How many nodes it may lease: all of the layout, or with a `datacenterId` the machines of that datacenter. */
  readonly nodes: number;
  /** When the first of their leases ends, unless it is renewed: milliseconds since 1970. */
  readonly soonestMs: number;

  constructor(namespace: string, nodes: number, soonestMs: number) {
    super(
      namespace,
      `all ${nodes} nodes that this process may lease from ${showValue(namespace)} are taken; the earliest lease ends at ${soonestMs}`,
    );
    this.nodes = nodes;
    this.soonestMs = soonestMs;
  }

  override get name(): string {
    return "NoNodeAvailableError";
  }
}

/**
 * A Redis that had replicas has not heard of one for too long. It may be cut off, and another one promoted in its place,
 * so it grants and renews no lease.
 */
export class StoreCutOffError extends LeaseRefusedError {
  readonly code = "ERR_STORE_CUT_OFF";
  /** When a replica last acknowledged, as far as the store knows, by its clock: milliseconds since 1970. */
  readonly seenMs: number;
  /** The store's time now. */
  readonly storeMs: number;

  constructor(namespace: string, seenMs: number, storeMs: number) {
    super(
      namespace,
      `the Redis of ${showValue(namespace)} has had no acknowledgement of a replica since ${seenMs}, and its clock reads ${storeMs}: it may be cut off. If it has none any more, lease once with fence: false`,
    );
    this.seenMs = seenMs;
    this.storeMs = storeMs;
  }

  override get name(): string {
    return "StoreCutOffError";
  }
}

/**
 * More old rows were created at one moment than the reserved nodes have IDs for. Continue on other reserved nodes; or, if the
 * times are rounded, set `precisionMs`.
 */
export class TickFullError extends BitflakeError {
  readonly code = "ERR_TICK_FULL";
  /** The time of the rows, in milliseconds since 1970. */
  readonly createdAtMs: number;
  /** The tick of that time, counted from the epoch. */
  readonly tick: number;
  /** How many IDs the nodes have for that time. All count as used. */
  readonly count: number;

  constructor(createdAtMs: number, tick: number, count: number) {
    super(
      `the reserved nodes have no ID left for rows created at ${createdAtMs} (tick ${tick}): all ${count} count as used. Continue on other reserved nodes, or set precisionMs if the times are rounded`,
    );
    this.createdAtMs = createdAtMs;
    this.tick = tick;
    this.count = count;
  }

  override get name(): string {
    return "TickFullError";
  }
}

/** The facts of a failed request to the HTTP service. */
export interface ServiceFailure {
  /** The method and the path, with the query; `""` if no attempt has ended. */
  readonly request: string;
  /** The service, without credentials; `""` if no attempt has ended. */
  readonly url: string;
  /** The kind of the failure: see {@link ServiceError.reason}. */
  readonly reason: "network" | "timeout" | "status" | "answer" | "closed";
  /** The end of the message. */
  readonly what: string;
  /** The status of the answer. */
  readonly status?: number | undefined;
  /** The code of the service's error: `"ERR_RATE_LIMITED"`, `"IDG-002"`. */
  readonly serviceCode?: string | undefined;
  /** The service's description of its error, at most 200 characters. */
  readonly detail?: string | undefined;
  /** The `Retry-After` of the answer, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The key of the request. */
  readonly requestKey?: string | undefined;
  /** The error of `fetch`. */
  readonly cause?: unknown;
}

/**
 * A request to the HTTP service failed, after the retries that the time allows. A request for new IDs may have been carried
 * out: its IDs are lost then, and are never issued again.
 */
export class ServiceError extends BitflakeError {
  readonly code = "ERR_SERVICE";
  /** The method and the path of the last attempt: `"GET /generate_uuid?version=7"`; `""` if none has ended. */
  readonly request: string;
  /** The service of the last attempt, without credentials; `""` if none has ended. */
  readonly url: string;
  /**
   * - `"network"`: the request could not be sent, or the connection broke.
   * - `"timeout"`: there was no answer in time.
   * - `"status"`: the service, or a proxy before it, answered with an error: see `status`, `serviceCode` and `detail`.
   * - `"answer"`: an answer that the request cannot have, such as a page of a proxy, or JSON that was cut off.
   * - `"closed"`: the client was closed before the call or during it.
   */
  readonly reason: "network" | "timeout" | "status" | "answer" | "closed";
  /** The status of the answer, if there was one. */
  readonly status: number | undefined;
  /** The code of the service's error, such as `"ERR_RATE_LIMITED"` or `"IDG-002"`, if there was one. */
  readonly serviceCode: string | undefined;
  /** The service's description of its error, if there was one. */
  readonly detail: string | undefined;
  /** The `Retry-After` of the answer, in milliseconds, if it had one. */
  readonly retryAfterMs: number | undefined;
  /**
   * The key of the request, if an ID was to be issued for one. The ID may have been issued: repeat the call with this key to
   * get it.
   */
  readonly requestKey: string | undefined;
  /** How many attempts were made; 0 if the client is closed. */
  readonly attempts: number;

  constructor(failure: ServiceFailure, attempts: number) {
    const { request, url, reason, what, cause } = failure;
    const where = url === "" ? request : `${request} at ${url}`;
    const note = attempts > 1 ? ` (attempt ${attempts})` : "";
    super(`${where === "" ? "" : `${where}: `}${what}${note}`, cause === undefined ? undefined : { cause });
    this.request = request;
    this.url = url;
    this.reason = reason;
    this.status = failure.status;
    this.serviceCode = failure.serviceCode;
    this.detail = failure.detail;
    this.retryAfterMs = failure.retryAfterMs;
    this.requestKey = failure.requestKey;
    this.attempts = attempts;
  }

  override get name(): string {
    return "ServiceError";
  }
}

/** A rule of the contract of a port that is broken. */
export interface BrokenRule {
  /** The rule, in words. */
  readonly rule: string;
  /** The key, or the prefix of a list, with which it was seen; `""` if it was seen with a feature. */
  readonly key: string;
  /** The answer or state that the rule demands. */
  readonly expected: string;
  /** The one that the port returned. */
  readonly actual: string;
}

/** A port breaks rules of its contract. */
export class ConformanceError extends BitflakeError {
  readonly code = "ERR_CONFORMANCE";
  /** The rules, at least one. */
  readonly broken: readonly BrokenRule[];
  /** The seed of the random operations: with it as an option, the run is repeated. */
  readonly seed: number;

  constructor(broken: readonly BrokenRule[], seed: number, options?: { readonly cause: unknown }) {
    const lines = broken.map(
      ({ rule, key, expected, actual }) =>
        `- ${rule}: expected ${expected}, got ${actual}${key === "" ? "" : `, with the key ${showValue(key)}`}`,
    );
    super(`the port breaks ${broken.length} of its rules (seed ${seed}):\n${lines.join("\n")}`, options);
    this.broken = broken;
    this.seed = seed;
  }

  override get name(): string {
    return "ConformanceError";
  }
}

/**
 * Every error that bitflake throws, as a union: `switch (error.code)` narrows it to the class, with its fields.
 *
 * @example
 * ```ts
 * import { type AnyBitflakeError, BitflakeError, makeGenerator } from "bitflake";
 *
 * function explain(error: AnyBitflakeError): string {
 *   switch (error.code) {
 *     case "ERR_CLOCK_BACKWARDS":
 *       return `${error.backwardMs} ms back`;
 *     case "ERR_SEQUENCE_EXHAUSTED":
 *       return `try again in ${error.waitMs} ms`;
 *     default:
 *       return error.message;
 *   }
 * }
 *
 * let text = "";
 * try {
 *   makeGenerator("twitter", { machineId: 32 });
 * } catch (error) {
 *   if (error instanceof BitflakeError) text = explain(error as AnyBitflakeError);
 * }
 * text; // => 'machineId must be a whole number from 0 to 31 (5 bits), got 32'
 * ```
 */
export type AnyBitflakeError =
  | ArgumentError
  | LayoutError
  | InvalidIdError
  | NamespaceError
  | ClockBackwardsError
  | ClockStalledError
  | SequenceExhaustedError
  | TimestampOverflowError
  | EpochError
  | UnsupportedError
  | BackendError
  | ClockSkewError
  | ConformanceError
  | CounterBackwardsError
  | CounterExhaustedError
  | FingerprintError
  | InFlightError
  | LockLostError
  | NotKeptError
  | IdPoolEmptyError
  | IdPoolExhaustedError
  | IdPoolHistoryError
  | NoValidIdError
  | LeaseExpiredError
  | LeaseFenceError
  | NoNodeAvailableError
  | ServiceError
  | StoreCutOffError
  | TickFullError;

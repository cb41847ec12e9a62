// Idempotency: runs work once for a key, and returns its result to every later call.

import { assertKey } from "../backend/names.ts";
import type { Backend, SqlPort } from "../backend/ports.ts";
import type { FetchAbortSignal } from "../http/fetchTypes.ts";
import {
  ArgumentError,
  assertFunction,
  assertKnownOptions,
  type BackendError,
  FingerprintError,
  InFlightError,
  LockLostError,
  NotKeptError,
} from "../internal.ts";
import { readJson, writeJson } from "./json.ts";
import { type IdempotencyOptions, type IdempotencySettings, resolveIdempotencySettings } from "./options.ts";
import { assertTransaction, runInTransaction } from "./runInTransaction.ts";
import { runOnce, type WorkResult } from "./runOnce.ts";

/** The result of {@link Idempotency.once}. */
export interface Once<T> {
  /** The work's result, from this call or an earlier one. */
  readonly value: T;
  /** Whether an earlier call did the work. */
  readonly isReplay: boolean;
  /**
   * The store's error, if the work ran in spite of it: see `onStoreError`. Also if the store refused the result, such as one
   * that is too large for it, so that later calls throw a {@link NotKeptError}.
   */
  readonly error?: BackendError;
}

/** Options of {@link Idempotency.once}. An unknown name is refused. */
export interface OnceOptions {
  /**
   * Ends the wait for another call's work, with `inFlight: "wait"`: the call then throws the signal's reason. It does not abort
   * the work.
   */
  readonly signal?: FetchAbortSignal | undefined;
  /**
   * A transaction that you have begun, as a port: `fromPg(client)`, or another adapter for PostgreSQL or SQLite, with the same
   * `prefix` and `schema` as the backend. The record is then written in it, so that the record and the changes of the work are
   * committed together or not at all. Roll back if `once` throws.
   *
   * In PostgreSQL, a second call with the key is blocked by the row until the first transaction ends, or until the port's
   * `timeoutMs` has passed, which is a {@link BackendError}. Then it gets the result of the first, or does the work if that was
   * rolled back. In SQLite it gets a {@link BackendError} after `timeoutMs`, because there is one writer at a time.
   *
   * `onStoreError` has no effect on this call, and the work's signal is never aborted.
   */
  readonly transaction?: SqlPort | undefined;
}

/** The state of a key: see {@link Idempotency.peek}. */
export type KeyState<T = unknown> =
  | {
      /** The key was not used, or its record has ended or was removed. */
      readonly state: "absent";
    }
  | {
      /** A call does the work, or has died. */
      readonly state: "in-progress";
      /** How much longer the lock holds. 0 if it has ended, so that the next call takes the key over. */
      readonly lockedMs: number;
    }
  | {
      /** The work is done. */
      readonly state: "completed";
      /** Whether the result was stored. */
      readonly isKept: boolean;
      /** The result; `undefined` if it was not stored, or if the work has none. */
      readonly value: T | undefined;
    };

/**
 * Runs work once for a key, for any number of calls in any number of processes.
 *
 * The first call with a key acquires its lock and runs the work. A call during the work throws an
 * {@link InFlightError}, or waits for its result with `inFlight: "wait"`. A later call returns the same result without any
 * work, until `ttlMs` have passed. A call with the key and another fingerprint throws a {@link FingerprintError}, so a
 * mistake never gets the result of other work.
 *
 * - **Work that throws** counts as not done: the key is free again.
 * - **A crash** leaves the key locked for up to `lockMs`. Then the next call takes it over and runs the work from the
 *   beginning. The store cannot know what the crashed call has done. Work that must never run twice needs a transaction
 *   of its own, or a downstream service that knows the key.
 * - **A lost lock** (after a pause longer than `lockMs`, or if the store cannot be reached) aborts the work's signal.
 *   If another call has taken the key over, the result is not stored, and the call throws a {@link LockLostError}.
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { fingerprint, Idempotency } from "bitflake/idempotency";
 *
 * const payments = new Idempotency({ backend: memory(), name: "payments" });
 * const order = { customer: 7, cents: 1250 };
 * let charges = 0;
 * const charge = async () => {
 *   charges++;
 *   return { receipt: `R-${order.customer}` };
 * };
 *
 * const print = await fingerprint(JSON.stringify(order));
 * await payments.once("order 41", print, charge); // => { value: { receipt: 'R-7' }, isReplay: false }
 * await payments.once("order 41", print, charge); // => { value: { receipt: 'R-7' }, isReplay: true }
 * charges; // => 1
 * ```
 */
export class Idempotency {
  /** The store. */
  declare readonly backend: Backend;
  /** The name of the set of keys. */
  declare readonly name: string;

  readonly #settings: IdempotencySettings;

  /**
   * Validates the options. Does not call the store.
   *
   * @param options `backend` and `name`; `ttlMs`, default a day; `lockMs`, default 30,000; `maxBytes`, default 2^20;
   *   `onStoreError`, default `"fail"`; `inFlight`, default `"reject"`; `waitMs`, default 10,000; the hooks `onHit`, `onMiss` and
   *   `onConflict`, default none
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown, or if the backend's `prefix` makes a table
   *   name too long
   */
  constructor(options: IdempotencyOptions) {
    this.#settings = resolveIdempotencySettings(options);
    this.backend = options.backend;
    this.name = options.name;
  }

  /**
   * Runs the work, or returns its earlier result.
   *
   * @param key 1 to 255 characters that identify the work
   * @param fingerprint 1 to 255 characters that identify its input, for example from `fingerprint`
   * @param work gets a signal that is aborted when the lock is lost. Returns a value that JSON preserves, or nothing
   * @param options `signal` that ends the wait for another call; `transaction` in which to store the record
   * @throws {@link InFlightError} if another call runs the work, with `inFlight: "wait"` for longer than `waitMs`
   * @throws {@link FingerprintError} if the key was used with another fingerprint
   * @throws {@link LockLostError} if another call took the key over while the work ran
   * @throws {@link NotKeptError} if the work was done before, and its result was not stored
   * @throws {@link UnsupportedError} if the runtime has no `crypto`, or one that does not return random bytes
   * @throws {@link BackendError} if the store fails and `onStoreError` is `"fail"`. If that is after the work, the work
   *   is done but its result is not stored, and a call after `lockMs` runs it again
   * @throws {@link ArgumentError} if an argument is wrong, or if JSON would change the work's result. In the second
   *   case the work is done and does not run again
   */
  async once<T>(
    key: string,
    fingerprint: string,
    work: (signal: FetchAbortSignal) => T | Promise<T>,
    options: OnceOptions = {},
  ): Promise<Once<T>> {
    assertKey("key", key);
    assertKey("fingerprint", fingerprint);
    assertFunction("work", work);
    assertKnownOptions(options, ["signal", "transaction"]);
    const { signal, transaction } = options;
    if (signal !== undefined && {}.toString.call(signal) !== "[object AbortSignal]") {
      throw new ArgumentError("signal", "an AbortSignal", signal);
    }
    if (transaction !== undefined) assertTransaction(this.backend, transaction);
    const { maxBytes } = this.#settings;
    let invalidResult: unknown;
    const runAndWrite = async (signal: AbortSignal): Promise<WorkResult<T>> => {
      const value = await work(signal);
      try {
        const text = writeJson("result", value);
        return { value, stored: new TextEncoder().encode(text).length > maxBytes ? null : text };
      } catch (error) {
        // Thrown after the run, because an error of the work would release the key.
        invalidResult = error;
        return { value, stored: null };
      }
    };
    const call = { key, name: key, fingerprint, signal };
    const run = await (transaction
      ? runInTransaction(this.#settings, transaction, call, runAndWrite)
      : runOnce(this.#settings, call, runAndWrite));
    if (invalidResult !== undefined) throw invalidResult;
    switch (run.outcome) {
      case "ran":
        return { value: run.value, isReplay: false, ...(run.error && { error: run.error }) };
      case "completed":
        if (run.value === null) throw new NotKeptError(key);
        return { value: readJson(run.value) as T, isReplay: true };
      case "running":
        throw new InFlightError(key, run.waitMs);
      case "mismatch":
        throw new FingerprintError(key);
      case "lost":
        throw new LockLostError(key);
      default:
        throw run.error;
    }
  }
  /**
   * Returns the state of a key, and changes nothing. Another call may have changed it since.
   *
   * @param key the key; that of a request is the result of `storedKey`
   * @throws {@link BackendError} if the store fails, also if `onStoreError` is `"allow"`
   * @throws {@link ArgumentError} if the key is not 1 to 255 characters
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { Idempotency } from "bitflake/idempotency";
   *
   * const jobs = new Idempotency({ backend: memory(), name: "jobs" });
   * await jobs.peek("a"); // => { state: 'absent' }
   * await jobs.once("a", "v1", () => "done");
   * await jobs.peek("a"); // => { state: 'completed', isKept: true, value: 'done' }
   * ```
   */
  async peek<T = unknown>(key: string): Promise<KeyState<T>> {
    const found = await this.#settings.store.peek(assertKey("key", key));
    if (found.outcome === "absent") return { state: "absent" };
    if (found.outcome === "running") return { state: "in-progress", lockedMs: found.waitMs };
    const { value } = found;
    const isKept = value !== null;
    return { state: "completed", isKept, value: isKept ? (readJson(value) as T) : undefined };
  }

  /**
   * Removes the record of a key, so that the next call does its work again. A key whose lock has ended is removed too: its call
   * has died, or gets a {@link LockLostError}.
   *
   * @param key the key; that of a request is the result of `storedKey`
   * @returns whether there was a record
   * @throws {@link InFlightError} if a call does the work now. The key stays as it is
   * @throws {@link BackendError} if the store fails, also if `onStoreError` is `"allow"`
   * @throws {@link ArgumentError} if the key is not 1 to 255 characters
   */
  async forget(key: string): Promise<boolean> {
    const result = await this.#settings.store.forget(assertKey("key", key));
    if (result.outcome === "running") throw new InFlightError(key, result.waitMs);
    return result.outcome === "forgotten";
  }
}

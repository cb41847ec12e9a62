// Idempotency: work that is done once for a key, and its result for all who ask afterwards.

import { assertKey } from "../backend/names.ts";
import type { Backend } from "../backend/ports.ts";
import type { FetchAbortSignal } from "../http/fetchTypes.ts";
import {
  assertFunction,
  type BackendError,
  FingerprintError,
  InFlightError,
  LockLostError,
  NotKeptError,
} from "../internal.ts";
import { readJson, writeJson } from "./json.ts";
import { type IdempotencyOptions, type IdempotencySettings, resolveIdempotencySettings } from "./options.ts";
import { runOnce, type WorkResult } from "./runOnce.ts";

/** What {@link Idempotency.once} resolves to. */
export interface Once<T> {
  /** What the work came to, now or when it was done. */
  readonly value: T;
  /** Whether it was done before. */
  readonly isReplay: boolean;
  /** Why the work was done without the store, where `onFailure` is `"bypass"`. */
  readonly error?: BackendError;
}

/**
 * Does work once for a key, whoever asks for it and however often, in whichever process.
 *
 * The first call with a key takes it and does the work. A call meanwhile is an {@link InFlightError}; a call afterwards
 * gets the same result without any work, until `ttlMs` have passed. A call with the key and another fingerprint is a
 * {@link FingerprintError}: it is a mistake, and never gets the result of something else.
 *
 * - **Work that throws** has not been done: the key is free again.
 * - **A crash** leaves the key locked for up to `lockMs`; then the next call takes it over and does the work from the
 *   beginning. What the crashed one has done until then, the store cannot know: work that must not be done twice at all
 *   needs a transaction of its own, or something further down that knows the key.
 * - **A lock that is lost** (a pause longer than `lockMs`, a store that could not be reached) aborts the work's signal.
 *   Its result is not taken, and the call is a {@link LockLostError}: the key is another's.
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
  /** Whose keys they are. */
  declare readonly name: string;

  readonly #settings: IdempotencySettings;

  /**
   * Asks nothing of the store yet.
   *
   * @param options `backend` and `name`; `ttlMs`, default a day; `lockMs`, default 30 000; `maxBytes`, default 2^20;
   *   `onFailure`, default `"fail"`
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown, or the backend's `prefix` makes too long a
   *   name of a table
   */
  constructor(options: IdempotencyOptions) {
    this.#settings = resolveIdempotencySettings(options);
    this.backend = options.backend;
    this.name = options.name;
  }

  /**
   * Does the work, or returns what it came to before.
   *
   * @param key 1 to 255 characters that say which work it is
   * @param fingerprint 1 to 255 characters that say what it is to do, as `fingerprint` makes them
   * @param work gets a signal that is aborted when the lock is lost; returns what JSON keeps as it is, or nothing
   * @throws {@link InFlightError} if another call is at it
   * @throws {@link FingerprintError} if the key was used for something else
   * @throws {@link LockLostError} if another call took the key over while the work went on
   * @throws {@link NotKeptError} if the work was done before, and its result was not kept
   * @throws {@link UnsupportedError} if the runtime has no `crypto`, or one that does not return random bytes
   * @throws {@link BackendError} if the store is down, and `onFailure` is `"fail"`. After the work, it means that the
   *   store did not take the result: it has been done, and is done again after `lockMs` if it is asked for again
   * @throws {@link ArgumentError} if an argument is wrong, or the work returns what JSON would change; then it has been
   *   done, and is not done again
   */
  async once<T>(
    key: string,
    fingerprint: string,
    work: (signal: FetchAbortSignal) => T | Promise<T>,
  ): Promise<Once<T>> {
    assertKey("key", key);
    assertKey("fingerprint", fingerprint);
    assertFunction("work", work);
    const { maxBytes } = this.#settings;
    let refusal: unknown;
    const doing = async (signal: AbortSignal): Promise<WorkResult<T>> => {
      const value = await work(signal);
      try {
        const text = writeJson("result", value);
        return { value, stored: new TextEncoder().encode(text).length > maxBytes ? null : text };
      } catch (error) {
        // It has been done all the same: thrown before the key is, it would free it.
        refusal = error;
        return { value, stored: null };
      }
    };
    const ran = await runOnce(this.#settings, key, key, fingerprint, doing);
    if (refusal !== undefined) throw refusal;
    switch (ran.outcome) {
      case "ran":
        return { value: ran.value, isReplay: false, ...(ran.error && { error: ran.error }) };
      case "completed":
        if (ran.value === null) throw new NotKeptError(key);
        return { value: readJson(ran.value) as T, isReplay: true };
      case "running":
        throw new InFlightError(key, ran.waitMs);
      case "mismatch":
        throw new FingerprintError(key);
      case "lost":
        throw new LockLostError(key);
      default:
        throw ran.error;
    }
  }
}

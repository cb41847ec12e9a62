// Runs work once for a key: acquires the key's lock, keeps it alive, and stores the result.

import { startTimer } from "../backend/call.ts";
import type { FetchRequest } from "../http/fetchTypes.ts";
import { BackendError, freshToken, LockLostError } from "../internal.ts";
import { acquireOrWait, catchBackendError } from "./acquireLock.ts";
import { type KeyEvent, reportResult } from "./hooks.ts";
import { keepAlive } from "./keepAlive.ts";
import type { IdempotencySettings } from "./options.ts";
import type { AcquireResult } from "./rule.ts";

/** The pause before a result is sent to the store a second time. */
const RETRY_MS = 100;

/** The result of work, and the string to store for it. */
export interface WorkResult<T> {
  readonly value: T;
  /** `null` stores only that the work is done. `undefined` stores nothing, and the next call does the work again. */
  readonly stored: string | null | undefined;
}

/** The outcome of a run. If the work throws, the run throws the same, and the key is absent again. */
export type RunResult<T> =
  | Exclude<AcquireResult, { outcome: "acquired" }>
  /** The error is the store's, and the result may not have been stored. */
  | { readonly outcome: "ran"; readonly value: T; readonly error?: BackendError }
  /** Another run has acquired the lock. */
  | { readonly outcome: "lost" }
  | { readonly outcome: "down"; readonly error: BackendError };

/** A call with a key. */
export interface KeyCall {
  /** The key in the store. */
  readonly key: string;
  /** The key in errors and hooks. */
  readonly name: string;
  readonly fingerprint: string;
  /** Ends the wait for another run. */
  readonly signal?: AbortSignal | undefined;
  /** The request for hooks. */
  readonly request?: FetchRequest;
}

/** Returns the event of a call for hooks. */
export function eventOf({ name, request }: KeyCall): KeyEvent {
  return request ? { key: name, request } : { key: name };
}

/**
 * Runs work once for a key.
 *
 * @param work its signal is aborted when the lock is lost
 */
export async function runOnce<T>(
  { store, name, lockMs, keepMs, ttlMs, waitMs, onStoreError, hooks }: IdempotencySettings,
  call: KeyCall,
  work: (signal: AbortSignal) => Promise<WorkResult<T>>,
): Promise<RunResult<T>> {
  const { key, fingerprint } = call;
  // Drawn for each run, so that two copies of one process are two owners.
  const owner = freshToken();
  const release = async (background: boolean) => {
    // If it fails, the lock ends by itself.
    await store.release(key, owner, { background }).catch(() => {});
  };
  let sentMs = 0;
  const request = { owner, fingerprint, lockMs, keepMs };
  const onLateAnswer = ({ outcome }: AcquireResult) => void (outcome === "acquired" && release(true));
  const acquire = () => {
    // Of the last acquire, because the lock holds from then on.
    sentMs = performance.now();
    return store.acquire(key, request, { onLateAnswer });
  };
  const acquired = await acquireOrWait(acquire, () => store.peek(key), waitMs, call.signal);
  if (acquired instanceof BackendError) {
    if (onStoreError === "fail") return { outcome: "down", error: acquired };
    const { value } = await work(new AbortController().signal);
    return { outcome: "ran", value, error: acquired };
  }
  reportResult(name, hooks, eventOf(call), acquired);
  if (acquired.outcome !== "acquired") return acquired;
  const lock = keepAlive(
    lockMs,
    sentMs,
    (maxWaitMs) => store.extend(key, request, { maxWaitMs, background: true }),
    () => new LockLostError(call.name),
  );
  let result: WorkResult<T>;
  try {
    result = await work(lock.signal);
  } catch (error) {
    lock.stop();
    await release(false);
    throw error;
  }
  const { value, stored } = result;
  if (stored === undefined) {
    lock.stop();
    await release(false);
    return { outcome: "ran", value };
  }
  // The lock is kept until the store has the result, because another call would do the work again.
  lock.ignoreLoss();
  const completion = { owner, keepMs: ttlMs };
  const complete = (text: string | null) => catchBackendError(store.complete(key, completion, text));
  let isCompleted: boolean | BackendError;
  let error: BackendError | undefined;
  try {
    isCompleted = await complete(stored);
    if (isCompleted instanceof BackendError) {
      // Sent a second time, because work whose result is not stored is done again.
      await new Promise<void>((wake) => startTimer(wake, RETRY_MS));
      isCompleted = await complete(stored);
    }
    if (isCompleted instanceof BackendError && isCompleted.reason === "failed" && stored !== null) {
      // The store may refuse this value, such as one that is too large for it, and take that the work is done. The acquire
      // finds out whether it has the result nevertheless, because an answer may have been lost.
      const found = await catchBackendError(store.acquire(key, request));
      if (found instanceof BackendError) isCompleted = found;
      else if (found.outcome === "completed") isCompleted = found.value === stored;
      else if (found.outcome !== "acquired") isCompleted = false;
      else {
        error = isCompleted;
        isCompleted = await complete(null);
      }
    }
  } finally {
    lock.stop();
  }
  if (isCompleted instanceof BackendError) {
    return onStoreError === "fail"
      ? { outcome: "down", error: isCompleted }
      : { outcome: "ran", value, error: isCompleted };
  }
  if (!isCompleted) return { outcome: "lost" };
  return error ? { outcome: "ran", value, error } : { outcome: "ran", value };
}

// Work that is done once for a key: begun, kept, and ended with what it came to.

import { startTimer } from "../backend/call.ts";
import { BackendError, freshToken, LockLostError } from "../internal.ts";
import { keepAlive } from "./keepAlive.ts";
import type { IdempotencySettings } from "./options.ts";
import type { AcquireResult } from "./rule.ts";

/** The pause before a result is sent to the store a second time. */
const PAUSE_MS = 100;

/** What work comes to, and what is kept of it. */
export interface WorkResult<T> {
  readonly value: T;
  /** `null`: nothing, but that it has been done. `undefined`: not even that. */
  readonly stored: string | null | undefined;
}

/** What comes of a run. What the work throws is thrown on, and the key is as if it had never been used. */
export type RunResult<T> =
  | Exclude<AcquireResult, { outcome: "started" }>
  /** The error says that the store was down, and the result may not have been kept. */
  | { readonly outcome: "ran"; readonly value: T; readonly error?: BackendError }
  | { readonly outcome: "lost" }
  | { readonly outcome: "down"; readonly error: BackendError };

/** Sets apart what the store throws from what the work throws. */
function orBackendError<T>(promise: Promise<T>): Promise<T | BackendError> {
  return promise.catch((error) => {
    if (error instanceof BackendError) return error;
    throw error;
  });
}

/**
 * @param name what the key is called in an error
 * @param work its signal is aborted when the lock is lost
 */
export async function runOnce<T>(
  { store, lockMs, keepMs, onFailure }: IdempotencySettings,
  key: string,
  name: string,
  fingerprint: string,
  work: (signal: AbortSignal) => Promise<WorkResult<T>>,
): Promise<RunResult<T>> {
  const owner = freshToken(); // Of this run alone: two copies of one process are two owners.
  const release = async (background: boolean) => {
    await store.release(key, owner, { background }).catch(() => {}); // Its lock ends by itself.
  };
  const sentMs = performance.now();
  const claim = { owner, fingerprint, lockMs, keepMs };
  const onLateAnswer = ({ outcome }: AcquireResult) => void (outcome === "started" && release(true));
  const beginning = await orBackendError(store.acquire(key, claim, { onLateAnswer }));
  if (beginning instanceof BackendError) {
    if (onFailure === "fail") return { outcome: "down", error: beginning };
    const { value } = await work(new AbortController().signal);
    return { outcome: "ran", value, error: beginning };
  }
  if (beginning.outcome !== "started") return beginning;
  const lock = keepAlive(
    lockMs,
    sentMs,
    (maxWaitMs) => store.extend(key, claim, { maxWaitMs, background: true }),
    () => new LockLostError(name),
  );
  let done: WorkResult<T>;
  try {
    done = await work(lock.signal);
  } catch (error) {
    lock.stop();
    await release(false);
    throw error;
  }
  const { value, stored } = done;
  if (stored === undefined) {
    lock.stop();
    await release(false);
    return { outcome: "ran", value };
  }
  // Until the store has the result, or the work would be done again.
  lock.ignoreLoss();
  const complete = () => orBackendError(store.complete(key, claim, stored));
  let isMine: boolean | BackendError;
  try {
    isMine = await complete();
    if (isMine instanceof BackendError) {
      // The work is done, and it would be done again: worth a second try.
      await new Promise<void>((wake) => startTimer(wake, PAUSE_MS));
      isMine = await complete();
    }
  } finally {
    lock.stop();
  }
  if (isMine instanceof BackendError) {
    return onFailure === "fail"
      ? { outcome: "down", error: isMine }
      : { outcome: "ran", value, error: isMine };
  }
  return isMine ? { outcome: "ran", value } : { outcome: "lost" };
}

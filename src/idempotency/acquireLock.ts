// Acquires the lock of a key, and waits for it while another run holds it.

import { startTimer } from "../backend/call.ts";
import { BackendError } from "../internal.ts";
import type { AcquireResult, PeekResult } from "./rule.ts";

/** The first pause before a read, and the longest. Each is doubled, and drawn from its upper half. */
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 500;

/** Returns a store's error as a value, so that it is not taken for an error of the work. */
export function catchBackendError<T>(promise: Promise<T>): Promise<T | BackendError> {
  return promise.catch((error) => {
    if (error instanceof BackendError) return error;
    throw error;
  });
}

/**
 * Acquires a lock. While another run holds it, this reads the key again and again, and acquires it when it is free. A read is
 * cheaper than an acquire: in PostgreSQL an acquire writes even if it fails.
 *
 * @param acquire sends one acquire to the store
 * @param peek sends one read
 * @param waitMs how long to wait for the other run; 0 sends one acquire
 * @param signal ends a pause: then this rejects with its reason
 * @returns the last result, or the error of the store
 */
export async function acquireOrWait(
  acquire: () => Promise<AcquireResult>,
  peek: () => Promise<PeekResult>,
  waitMs: number,
  signal?: AbortSignal,
): Promise<AcquireResult | BackendError> {
  const end = performance.now() + waitMs;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const result = await catchBackendError(acquire());
    if (result instanceof BackendError || result.outcome !== "running") return result;
    let found: PeekResult | BackendError = result;
    while (isLocked(found)) {
      const leftMs = Math.ceil(end - performance.now());
      if (leftMs <= 0) return found;
      await pause(Math.min(pauseMs * (0.5 + Math.random() / 2), leftMs), signal);
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
      found = await catchBackendError(peek());
    }
    if (found instanceof BackendError) return found;
  }
}

/** Whether a run holds the lock of a key. */
function isLocked(
  found: PeekResult | BackendError,
): found is Extract<PeekResult, { readonly outcome: "running" }> {
  return "outcome" in found && found.outcome === "running" && found.waitMs > 0;
}

/** Waits, and rejects with the signal's reason when it is aborted. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      stopTimer();
      reject(signal?.reason);
    };
    const wake = () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    };
    const stopTimer = startTimer(wake, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

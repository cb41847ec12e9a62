// Keeps the lock of a key alive while its work runs.

import { startTimer } from "../backend/call.ts";

/** How many times a lock is extended during its own duration: two of three extensions may fail. */
const EXTENSIONS_PER_LOCK = 3;

/** A lock that is kept alive. */
export interface LockKeeper {
  /** Aborted when the lock is lost, or may be lost. */
  readonly signal: AbortSignal;
  /** Keeps the lock, but no longer aborts the signal, because the work is done. */
  ignoreLoss(): void;
  /** Stops extending the lock. */
  stop(): void;
}

/**
 * Extends a lock repeatedly, from now on.
 *
 * @param sentMs when the lock was requested, by `performance.now()`: it holds for at least `lockMs` from then on
 * @param extend resolves to whether the owner still holds the lock; waits at most `maxWaitMs`
 * @param createError creates the signal's reason
 */
export function keepAlive(
  lockMs: number,
  sentMs: number,
  extend: (maxWaitMs: number) => Promise<boolean>,
  createError: () => Error,
): LockKeeper {
  const controller = new AbortController();
  let isStopped = false;
  let isLossIgnored = false;
  let stopTimer = () => {};
  let endsMs = sentMs + lockMs;
  const stop = () => {
    isStopped = true;
    stopTimer();
  };
  const lose = () => {
    stop();
    if (!isLossIgnored) controller.abort(createError());
  };
  const extendOnce = async () => {
    const now = performance.now();
    if (now >= endsMs) return lose();
    try {
      const isHeld = await extend(endsMs - now);
      if (isStopped) return;
      if (!isHeld) return lose();
      endsMs = now + lockMs;
    } catch {
      if (isStopped) return;
    }
    schedule();
  };
  const schedule = () => {
    const waitMs = Math.min(lockMs / EXTENSIONS_PER_LOCK, Math.max(0, endsMs - performance.now()));
    // In the background, because work that waits for nothing else would keep the process alive for ever.
    stopTimer = startTimer(() => void extendOnce(), waitMs, { background: true });
  };
  schedule();
  const ignoreLoss = () => {
    isLossIgnored = true;
  };
  return { signal: controller.signal, ignoreLoss, stop };
}

// A lock that is kept for as long as the work goes on.

import { startTimer } from "../backend/call.ts";

/** How many times a lock is extended in the time that it holds: two of them may fail. */
const EXTENSIONS_PER_LOCK = 3;

/** A lock that is being kept. */
export interface LockKeeper {
  /** Aborted when the lock is lost, or may be. */
  readonly signal: AbortSignal;
  /** The work is over: the lock is kept, and whoever worked is told no more. */
  ignoreLoss(): void;
  /** Keeps it no longer. */
  stop(): void;
}

/**
 * Extends a lock again and again, from now on.
 *
 * @param sentMs when the lock was asked for, by `performance.now()`: from then on it holds at least for `lockMs`
 * @param extend resolves to whether the lock is still the owner's; waits no longer than it is told
 * @param lost makes the reason for the signal
 */
export function keepAlive(
  lockMs: number,
  sentMs: number,
  extend: (maxWaitMs: number) => Promise<boolean>,
  lost: () => Error,
): LockKeeper {
  const controller = new AbortController();
  let isOver = false;
  let isSettled = false;
  let stopTimer = () => {};
  let ends = sentMs + lockMs;
  const stop = () => {
    isOver = true;
    stopTimer();
  };
  const lose = () => {
    stop();
    if (!isSettled) controller.abort(lost());
  };
  const beat = async () => {
    const now = performance.now();
    if (now >= ends) return lose();
    try {
      const isMine = await extend(ends - now);
      if (isOver) return;
      if (!isMine) return lose();
      ends = now + lockMs;
    } catch {
      if (isOver) return;
    }
    next();
  };
  const next = () => {
    // Work that is nothing but waiting for its lock would never end: the timer lets the process go.
    const waitMs = Math.min(lockMs / EXTENSIONS_PER_LOCK, Math.max(0, ends - performance.now()));
    stopTimer = startTimer(() => void beat(), waitMs, true);
  };
  next();
  const ignoreLoss = () => {
    isSettled = true;
  };
  return { signal: controller.signal, ignoreLoss, stop };
}

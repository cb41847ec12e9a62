// Retries of calls that a store refuses while it is busy with others.

import { startTimer } from "./call.ts";

/** The longest pause between two attempts. */
const MAX_PAUSE_MS = 50;

/** Runs one function at a time. */
export type Queue = <T>(run: () => Promise<T>) => Promise<T>;

/** Creates a queue. A function that does not end within the limit no longer blocks the others. */
export function makeQueue(limitMs: number): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const result = last.then(run);
    let stopTimer = () => {};
    const timeout = last.then(
      () =>
        new Promise<void>((resolve) => {
          stopTimer = startTimer(resolve, limitMs, { background: true });
        }),
    );
    last = Promise.race([result.catch(() => {}), timeout]).finally(() => stopTimer());
    return result;
  };
}

/**
 * Repeats an attempt while the store is busy, with pauses in which the event loop runs.
 *
 * @param timeoutMs how long the caller waits for the answer
 * @param queue runs all attempts but the first, so that calls that failed do not conflict again
 */
export async function retryWhileBusy<T>(
  timeoutMs: number,
  isBusy: (error: unknown) => boolean,
  attempt: () => T | Promise<T>,
  queue: Queue = (run) => run(),
): Promise<T> {
  const started = performance.now();
  let failure: unknown;
  try {
    return await attempt();
  } catch (error) {
    if (!isBusy(error)) throw error;
    failure = error;
  }
  return queue(async () => {
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      // Fails before the caller's timeout does, because this failure has a reason and the timeout has none.
      if (performance.now() - started + 2 * pauseMs > timeoutMs) throw failure;
      const waitMs = pauseMs * (0.5 + Math.random() / 2);
      await new Promise<void>((wake) => startTimer(wake, waitMs));
      try {
        return await attempt();
      } catch (error) {
        if (!isBusy(error)) throw error;
        failure = error;
      }
    }
  });
}

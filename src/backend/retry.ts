// Calls that a store refuses for the moment, because others are at the same thing: a matter of asking again.

import { startTimer } from "./call.ts";

/** The longest pause between two attempts. */
const LONGEST_MS = 50;

/** Runs one thing at a time. */
export type Queue = <T>(run: () => Promise<T>) => Promise<T>;

/** Makes a queue. What does not end within the limit no longer keeps the others waiting. */
export function makeQueue(limitMs: number): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const result = last.then(run);
    let stop = () => {};
    const over = last.then(
      () =>
        new Promise<void>((resolve) => {
          stop = startTimer(resolve, limitMs, true);
        }),
    );
    last = Promise.race([result.catch(() => {}), over]).finally(() => stop());
    return result;
  };
}

/**
 * Makes an attempt again and again, for as long as the store is only busy; in between, the event loop goes on.
 *
 * @param timeoutMs how long whoever asks waits for the answer
 * @param queue for all attempts but the first, where those that failed would get in each other's way again
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
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_MS)) {
      // While it can still say why: when the time is over, all that is known is that there was no answer.
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

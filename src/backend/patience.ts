// Calls that a store refuses for the moment, because others are at the same thing: a matter of asking again.

import { startTimer } from "./ask.ts";

/** The longest pause between two attempts. */
const LONGEST_MS = 50;

/**
 * Makes an attempt again and again, for as long as the store is only busy; in between, the event loop goes on.
 *
 * @param timeoutMs how long whoever asks waits for the answer
 */
export async function patiently<T>(
  timeoutMs: number,
  isBusy: (error: unknown) => boolean,
  attempt: () => T | Promise<T>,
): Promise<T> {
  const started = performance.now();
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_MS)) {
    try {
      return await attempt();
    } catch (error) {
      // While it can still say why: when the time is over, all that is known is that there was no answer.
      if (!isBusy(error) || performance.now() - started + 2 * pauseMs > timeoutMs) throw error;
    }
    const waitMs = pauseMs * (0.5 + Math.random() / 2);
    await new Promise<void>((wake) => startTimer(wake, waitMs));
  }
}

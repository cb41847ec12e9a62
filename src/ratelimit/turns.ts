// Waiting calls: those of one key in this process take turns, so that each of them is not denied again and again.

import { startTimer } from "../backend/call.ts";
import type { Decision } from "./decision.ts";

/** How long a call may wait. */
export interface WaitTerms {
  readonly maxWaitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The waiting calls of a limit. */
export class Turns {
  /** The end of the last turn of each key. */
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Repeats an attempt until it is allowed, or until it cannot be within the time.
   *
   * @returns the last decision
   * @throws the reason of the signal if it is aborted before the call is allowed
   */
  async wait(
    key: string,
    { maxWaitMs, signal }: WaitTerms,
    attempt: () => Promise<Decision>,
  ): Promise<Decision> {
    signal?.throwIfAborted();
    const end = performance.now() + maxWaitMs;
    const before = this.#last.get(key);
    let finish = () => {};
    const turn = new Promise<void>((resolve) => {
      finish = resolve;
    });
    // A call that gives up leaves those behind it waiting for the ones before it.
    const last = Promise.all([before, turn]).then(() => {
      if (this.#last.get(key) === last) this.#last.delete(key);
    });
    this.#last.set(key, last);
    try {
      if (before) await pause(maxWaitMs, signal, before);
      for (;;) {
        const decision = await attempt();
        if (decision.allowed || performance.now() + decision.retryAfterMs > end) return decision;
        await pause(decision.retryAfterMs, signal);
      }
    } finally {
      finish();
    }
  }
}

/** Waits for a time or until a promise resolves. Rejects with the reason of the signal when it is aborted. */
async function pause(ms: number, signal: AbortSignal | undefined, until?: Promise<void>): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => {
      stopTimer();
      signal?.removeEventListener("abort", abort);
    };
    const wake = () => {
      stop();
      resolve();
    };
    const abort = () => {
      stop();
      reject(signal?.reason);
    };
    const stopTimer = startTimer(wake, ms);
    signal?.addEventListener("abort", abort);
    until?.then(wake);
  });
}

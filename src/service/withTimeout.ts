// withTimeout: waits for a promise no longer than a given time.

import { startTimer } from "../backend/call.ts";

/** Resolves as the promise does, or to `undefined` if it takes longer. */
export async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let stopTimer = () => {};
  const timeout = new Promise<undefined>((resolve) => {
    stopTimer = startTimer(() => resolve(undefined), ms, { background: true });
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    stopTimer();
  }
}

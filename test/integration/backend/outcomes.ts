// Outcomes of calls: the error of a call that fails, and the result of a call that succeeds after retries.

import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import type { BackendError } from "../../../src/internal.ts";

/** Returns the error of a call. Fails the test if the call succeeds. */
export function failure(call: Promise<unknown>): Promise<BackendError> {
  return call.then(
    (value) => expect.fail(`the call succeeded: ${value}`),
    (error) => error as BackendError,
  );
}

/** Repeats a call until it succeeds, for up to ten seconds, because a client needs time to notice that its server is back. */
export async function again<T>(call: () => Promise<T>): Promise<T> {
  for (const started = performance.now(); ; ) {
    try {
      return await call();
    } catch (error) {
      if (performance.now() - started > 10_000) throw error;
      await setTimeout(50);
    }
  }
}

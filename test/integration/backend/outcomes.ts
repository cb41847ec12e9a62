// What becomes of a call: it fails, or goes well again after a while.

import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import type { BackendError } from "../../../src/internal.ts";

/** The error of a call that is to fail. */
export function failure(call: Promise<unknown>): Promise<BackendError> {
  return call.then(
    (value) => expect.fail(`it went well: ${value}`),
    (error) => error as BackendError,
  );
}

/** Calls until it goes well, for ten seconds: a client needs a moment to notice that its server is back. */
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

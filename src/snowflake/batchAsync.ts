// Claiming with sleeps: takes the IDs that each reading of the clock allows, and sleeps on a timer when the tick is full.

import { UnsupportedError } from "../errors.ts";
import type { IdRun, IdSource } from "./idSource.ts";
import { createStallCheck } from "./waitBudget.ts";

/**
 * How many sleeps in a row may show no new millisecond before the clock counts as stalled. A sleep lasts at least a
 * millisecond (4 in a browser), so this is a quarter of a second to a second where ticks are short.
 */
const STALL_SLEEPS = 250;

/** The longest sleep, so that a clock which stops during a long tick is noticed within half a minute. */
const MAX_SLEEP_MS = 100;

/** Claims `count` IDs and passes each run to a function. IDs claimed before a rejection are lost. */
export async function claimRunsAsync(
  source: IdSource,
  count: number,
  each: (run: IdRun) => void,
): Promise<void> {
  const checkStall = createStallCheck(STALL_SLEEPS, Infinity);
  for (let left = count; left > 0; ) {
    const { run, waitMs, nowMs } = source.tryClaim(left);
    if (run) {
      each(run);
      left -= run.count;
    } else {
      checkStall(nowMs);
      await sleep(Math.min(Math.ceil(waitMs), MAX_SLEEP_MS));
    }
  }
}

async function sleep(ms: number): Promise<void> {
  try {
    await new Promise<void>((wake) => setTimeout(wake, ms));
  } catch (cause) {
    throw new UnsupportedError("timers here", { cause });
  }
}

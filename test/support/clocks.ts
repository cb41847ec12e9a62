// Clocks for tests: with scripted readings, set by hand, or moving by one millisecond every so many readings.

import { BitflakeError } from "../../src/index.ts";

/** Thrown by a scripted clock after its last reading. A generator passes it on, as any error of its clock. */
export class EndOfScript extends Error {}

/** Creates a clock that returns the readings in order and counts its calls. */
export function scripted(readings: readonly number[]): (() => number) & { reads: number } {
  const clock = () => {
    if (clock.reads >= readings.length) throw new EndOfScript();
    return readings[clock.reads++] as number;
  };
  clock.reads = 0;
  return clock;
}

/** Creates a clock that shows `now`, which a test sets. */
export function settable(nowMs: number): (() => number) & { now: number } {
  const clock = () => clock.now;
  clock.now = nowMs;
  return clock;
}

/** Creates a clock that moves by one millisecond every so many readings. */
export function creeping(startMs: number, readsPerMs: number): () => number {
  let reads = 0;
  return () => startMs + Math.floor(reads++ / readsPerMs);
}

/** Calls `next` until the script of its clock ends, and passes each ID or error to `each`. */
export function drive(next: () => bigint, each: (outcome: bigint | BitflakeError) => void): void {
  for (;;) {
    try {
      each(next());
    } catch (error) {
      if (error instanceof EndOfScript) return;
      if (!(error instanceof BitflakeError)) throw error;
      each(error);
    }
  }
}

// Clocks for tests: a script of readings, and one that is set by hand.

import { BitflakeError } from "../../src/index.ts";

/** Thrown by a scripted clock that has nothing more to say; a generator passes it on like any error of its clock. */
export class EndOfScript extends Error {}

/** A clock that returns the readings one after the other, and counts how often it was asked. */
export function scripted(readings: readonly number[]): (() => number) & { reads: number } {
  const clock = () => {
    if (clock.reads >= readings.length) throw new EndOfScript();
    return readings[clock.reads++] as number;
  };
  clock.reads = 0;
  return clock;
}

/** A clock that stands where it is put. */
export function settable(nowMs: number): (() => number) & { now: number } {
  const clock = () => clock.now;
  clock.now = nowMs;
  return clock;
}

/** A clock that moves on by one millisecond every so many readings. */
export function creeping(startMs: number, readsPerMs: number): () => number {
  let reads = 0;
  return () => startMs + Math.floor(reads++ / readsPerMs);
}

/** Calls until the clock has nothing more to say, and hands each outcome on. */
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

// The clock rule as sources call it, so that bitflake/events can see its outcomes. The root import has no code for events.

import { type ClockState, type Step, step, type TickLimit, waitForRoomMs } from "./clock.ts";
import type { Settings } from "./settings.ts";

/** The functions of the clock rule that sources call. */
export interface ClockRule {
  step(
    settings: Settings,
    state: ClockState,
    nowMs: number,
    firstSequence: () => number,
    count: number,
    limit?: TickLimit,
  ): Step;
  waitForRoomMs(settings: Settings, state: ClockState, nowMs: number, count: number): number;
}

// Two variables instead of an object, because that is less code in the root import.
/** Calls `step` of the clock rule. */
export let observedStep: ClockRule["step"] = step;
/** Calls `waitForRoomMs` of the clock rule. */
export let observedWaitForRoomMs: ClockRule["waitForRoomMs"] = waitForRoomMs;

/**
 * Puts an observer between the sources and the clock rule, for all generators of this copy of the package.
 *
 * @param observe gets the rule, and returns one with the same results
 */
export function observeClockRule(observe: (rule: ClockRule) => ClockRule): void {
  ({ step: observedStep, waitForRoomMs: observedWaitForRoomMs } = observe({
    step: observedStep,
    waitForRoomMs: observedWaitForRoomMs,
  }));
}

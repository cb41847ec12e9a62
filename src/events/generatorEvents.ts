// The events of generators: an observer of the clock rule that publishes steps back and full ticks.

import {
  ClockBackwardsError,
  observeClockRule,
  SequenceExhaustedError,
  type Settings,
  type TickLimit,
  tickOf,
} from "../internal.ts";
import { hasSubscribers, publish } from "./channels.ts";
import type { GeneratorEvent } from "./messages.ts";

/** The events published last for a generator. */
interface Published {
  /** The highest reading behind which the clock was. */
  lastMs?: number;
  /** The full tick. */
  tick?: number;
}

/** By the settings, of which each generator has an object of its own. */
const publishedOf = /* @__PURE__ */ new WeakMap<Settings, Published>();

let isObserving = false;

/**
 * Publishes the two events of generators from now on: `bitflake:clock:backwards` and `bitflake:sequence:exhausted`. They are
 * published for all generators, once for each step back of the clock and each full tick. All other events need no call.
 *
 * `leaseNode` and `createService` have called it. Further calls have no effect. Without `node:diagnostics_channel`, as in a
 * browser, nothing is published.
 *
 * @example
 * ```ts
 * import { subscribe } from "node:diagnostics_channel";
 * import { makeGenerator } from "bitflake";
 * import { type BitflakeEvents, publishGeneratorEvents } from "bitflake/events";
 *
 * publishGeneratorEvents();
 * let stepsBack = 0;
 * subscribe("bitflake:clock:backwards", (message) => {
 *   const { backwardMs } = message as BitflakeEvents["bitflake:clock:backwards"];
 *   if (backwardMs > 100) stepsBack++;
 * });
 *
 * let nowMs = Date.now();
 * const generator = makeGenerator("twitter", { clock: () => nowMs });
 * generator.nextId();
 * nowMs -= 5000;
 * try {
 *   generator.nextId();
 * } catch {}
 * await Promise.resolve(); // Events are published after the call.
 * stepsBack; // => 1
 * ```
 */
export function publishGeneratorEvents(): void {
  if (isObserving) return;
  isObserving = true;
  observeClockRule(({ step, waitForRoomMs }) => ({
    step(settings, state, nowMs, firstSequence, count, limit) {
      try {
        const next = step(settings, state, nowMs, firstSequence, count, limit);
        // Then the step is a wait, or borrows the next tick.
        const isFull = state.sequence === settings.maxSequence && tickOf(settings, nowMs) <= state.tick;
        if (isFull) publishFull(settings, state.tick, nowMs, limit);
        return next;
      } catch (error) {
        if (error instanceof ClockBackwardsError) publishBackwards(settings, error, limit);
        if (error instanceof SequenceExhaustedError) publishFull(settings, error.tick, nowMs, limit);
        throw error;
      }
    },
    waitForRoomMs(settings, state, nowMs, count) {
      const waitMs = waitForRoomMs(settings, state, nowMs, count);
      // A batch that does not fit is refused without a step. One that waits takes the steps.
      if (waitMs > 0 && settings.onExhausted === "throw") {
        publishFull(settings, Math.max(state.tick, tickOf(settings, nowMs)), nowMs);
      }
      return waitMs;
    },
  }));
}

/** Returns the facts about a generator. */
function factsOf(
  { layout, datacenterId, machineId }: Settings,
  nowMs: number,
  limit?: TickLimit,
): GeneratorEvent {
  if (limit === undefined) return { layout, datacenterId, machineId, nowMs };
  const machines = 2 ** layout.machineBits;
  const { node } = limit;
  return { layout, datacenterId: Math.floor(node / machines), machineId: node % machines, nowMs };
}

/** Returns the events published last for a generator. */
function publishedFor(settings: Settings): Published {
  const known = publishedOf.get(settings);
  if (known) return known;
  const published: Published = {};
  publishedOf.set(settings, published);
  return published;
}

/** Publishes a step back, once for each highest reading: every call is refused until the clock is back within `maxBackwardMs`. */
function publishBackwards(
  settings: Settings,
  { lastMs, nowMs, backwardMs }: ClockBackwardsError,
  limit?: TickLimit,
) {
  if (!hasSubscribers("bitflake:clock:backwards")) return;
  const published = publishedFor(settings);
  if (published.lastMs === lastMs) return;
  published.lastMs = lastMs;
  publish("bitflake:clock:backwards", () => ({ ...factsOf(settings, nowMs, limit), lastMs, backwardMs }));
}

/** Publishes a full tick, once for each: a call that waits may take many steps in it. */
function publishFull(settings: Settings, tick: number, nowMs: number, limit?: TickLimit) {
  if (!hasSubscribers("bitflake:sequence:exhausted")) return;
  const published = publishedFor(settings);
  if (published.tick === tick) return;
  published.tick = tick;
  const { onExhausted } = settings;
  publish("bitflake:sequence:exhausted", () => ({ ...factsOf(settings, nowMs, limit), tick, onExhausted }));
}

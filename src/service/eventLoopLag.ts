// How late the event loop runs its timers, on Node: measured by node:perf_hooks, which is loaded when the metrics are first
// read. Elsewhere there is no such metric: Deno and Bun have the function, and their values have another meaning.

import type { Family, Sample } from "./exposition.ts";
import { runtimeName } from "./runtimeName.ts";

/** The interval of the timer that is measured, in milliseconds. */
const RESOLUTION_MS = 20;

/** The shortest window of the quantiles, in milliseconds. A second reader within it gets those of the first one. */
const MIN_WINDOW_MS = 10_000;

const QUANTILES = [0.5, 0.9, 0.99, 1];

/** The part of Node's histogram that is used here. Durations are in nanoseconds and include the resolution. */
export interface DelayHistogram {
  readonly count: number;
  readonly mean: number;
  enable(): unknown;
  disable(): unknown;
  percentile(percentile: number): number;
  reset(): void;
}

interface PerfHooks {
  monitorEventLoopDelay?(options: { readonly resolution: number }): DelayHistogram;
}

/** The part of the globals that is used here. */
interface Runtime {
  readonly process?: {
    getBuiltinModule?(name: "node:perf_hooks"): PerfHooks | undefined;
  };
}

/** Starts the measurement, or returns `undefined` if this runtime has none. */
export function startHistogram(): DelayHistogram | undefined {
  try {
    if (!runtimeName().startsWith("node ")) return undefined;
    const { process } = globalThis as unknown as Runtime;
    const histogram = process
      ?.getBuiltinModule?.("node:perf_hooks")
      ?.monitorEventLoopDelay?.({ resolution: RESOLUTION_MS });
    histogram?.enable();
    return histogram;
  } catch {
    // Metrics must not fail because of a runtime that has the name of the function alone.
    return undefined;
  }
}

/** Returns how late the timer was, in seconds. */
function lagSeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000);
}

/** Measures the lag of the event loop from the first read on, until it is stopped. */
export class EventLoopLag {
  readonly #start: () => DelayHistogram | undefined;
  readonly #now: () => number;
  #histogram: DelayHistogram | undefined;
  #isStarted = false;
  #windowStartMs = 0;
  /** The quantiles of the last window that has ended. */
  #quantiles: readonly Sample[] = [];
  /** Of all windows that have ended. */
  #count = 0;
  #sumSeconds = 0;

  /**
   * @param start starts the measurement
   * @param now a monotonic clock, in milliseconds
   */
  constructor(
    start: () => DelayHistogram | undefined = startHistogram,
    now: () => number = () => performance.now(),
  ) {
    this.#start = start;
    this.#now = now;
  }

  families(): Family[] {
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.#histogram = this.#start();
      this.#windowStartMs = this.#now();
    }
    if (!this.#histogram) return [];
    this.#endWindow(this.#histogram);
    const samples = [
      ...this.#quantiles,
      { suffix: "_sum", value: this.#sumSeconds },
      { suffix: "_count", value: this.#count },
    ];
    const help =
      "How late the event loop runs timers. The quantiles are those of the time since the scrape before, of at least 10 s.";
    return [{ name: "bitflake_event_loop_lag_seconds", type: "summary", help, samples }];
  }

  stop(): void {
    this.#isStarted = true;
    this.#histogram?.disable();
    this.#histogram = undefined;
  }

  /** Reads the window if it is long enough, and begins the next one. */
  #endWindow(histogram: DelayHistogram): void {
    const nowMs = this.#now();
    const { count, mean } = histogram;
    if (count === 0 || nowMs - this.#windowStartMs < MIN_WINDOW_MS) return;
    this.#windowStartMs = nowMs;
    this.#count += count;
    this.#sumSeconds += count * lagSeconds(mean);
    this.#quantiles = QUANTILES.map((quantile) => ({
      labels: { quantile },
      value: lagSeconds(histogram.percentile(quantile * 100)),
    }));
    histogram.reset();
  }
}

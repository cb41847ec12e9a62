// A dependency that can fail and recover: a store, or the generator.

import { startTimer } from "../backend/call.ts";

/** How long the result of a probe is valid, in milliseconds. */
const FRESH_MS = 1000;

/** What a {@link Dependency} is created with. */
export interface DependencyOptions {
  /** Tries the dependency. It must settle within a bounded time. */
  readonly probe: () => Promise<void>;
  /** Called when a dependency that worked fails. */
  readonly onFailed: (error: unknown) => void;
  /** Called when a dependency that failed works again. */
  readonly onRecovered: () => void;
}

/**
 * Tracks whether a dependency works. A probe decides that, or a successful start; the error of a request is only a reason to
 * probe.
 */
export class Dependency {
  /** Why the dependency fails; `undefined` while it works. */
  failure: unknown;
  /** The error that a request reported; `undefined` once a probe has decided. */
  reportedError: unknown;
  readonly #options: DependencyOptions;
  #probing: Promise<boolean> | undefined;
  #probedAtMs = -Infinity;
  #stopTimer: (() => void) | undefined;
  #isStopped = false;

  constructor(options: DependencyOptions) {
    this.#options = options;
  }

  /** Resolves to whether the dependency works. Anyone may ask, so there is one probe at a time and at most one a second. */
  check(): Promise<boolean> {
    if (this.#probing) return this.#probing;
    if (this.#isStopped || this.#isFresh()) return Promise.resolve(this.failure === undefined);
    return this.#startProbe();
  }

  /** Reports an error that a request met: the dependency is probed as soon as it may be probed again. */
  reportError(error: unknown): void {
    if (this.failure !== undefined || this.#isStopped) return;
    this.reportedError = error;
    if (this.#isFresh()) this.#scheduleProbe();
    else if (!this.#probing) void this.#startProbe();
  }

  /** Reports that the dependency works, as a successful start proves. */
  markHealthy(): void {
    this.reportedError = undefined;
    if (this.failure === undefined) return;
    this.failure = undefined;
    if (!this.#isStopped) this.#options.onRecovered();
  }

  /** Stops probing. */
  stop(): void {
    this.#isStopped = true;
    this.#stopTimer?.();
  }

  #isFresh(): boolean {
    return performance.now() - this.#probedAtMs < FRESH_MS;
  }

  #startProbe(): Promise<boolean> {
    this.#probing = this.#probe();
    return this.#probing;
  }

  async #probe(): Promise<boolean> {
    try {
      await this.#options.probe();
      this.markHealthy();
    } catch (error) {
      this.#markFailed(error);
    }
    this.reportedError = undefined;
    this.#probedAtMs = performance.now();
    this.#probing = undefined;
    return this.failure === undefined;
  }

  #markFailed(error: unknown): void {
    const isNew = this.failure === undefined;
    this.failure = error ?? new Error("the probe failed without an error");
    if (this.#isStopped) return;
    if (isNew) this.#options.onFailed(this.failure);
    // The recovery is noticed even if nobody calls check().
    this.#scheduleProbe();
  }

  /** Schedules a probe. Later reports do not postpone it: under load it would never run. */
  #scheduleProbe(): void {
    this.#stopTimer ??= startTimer(
      () => {
        this.#stopTimer = undefined;
        const isUndecided = this.failure !== undefined || this.reportedError !== undefined;
        if (isUndecided && !this.#probing) void this.#startProbe();
      },
      FRESH_MS,
      { background: true },
    );
  }
}

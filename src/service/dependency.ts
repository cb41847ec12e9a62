// A part of the service that can fail and recover: a store, the generator.

import { startTimer } from "../backend/call.ts";

/** How long what a probe has found is good for, in milliseconds. */
const FRESH_MS = 1000;

/** What a part is made of. */
export interface DependencyOptions {
  /** Tries whether the part works; it must end in time. */
  readonly probe: () => Promise<void>;
  /** Called when the part fails that worked before. */
  readonly onFailed: (error: unknown) => void;
  /** Called when it works again. */
  readonly onRecovered: () => void;
}

/** Knows whether a part works. Only probes decide that; a request that fails is the reason for one. */
export class Dependency {
  /** Why the part fails; `undefined` while it works. */
  failure: unknown;
  /** What a request has met with; `undefined` when a probe has looked into it. */
  reportedError: unknown;
  readonly #options: DependencyOptions;
  #probing: Promise<boolean> | undefined;
  #probedAt = -Infinity;
  #stopTimer: (() => void) | undefined;
  #isStopped = false;

  constructor(options: DependencyOptions) {
    this.#options = options;
  }

  /** Returns whether the part works: anyone may ask, so there is one probe at a time, and at most one a second. */
  check(): Promise<boolean> {
    if (this.#probing) return this.#probing;
    if (this.#isStopped || this.#isFresh()) return Promise.resolve(this.failure === undefined);
    return this.#begin();
  }

  /** Reports an error that a request has met with: the part is probed, now or as soon as another probe may be. */
  reportError(error: unknown): void {
    if (this.failure !== undefined || this.#isStopped) return;
    this.reportedError = error;
    if (this.#isFresh()) this.#later();
    else if (!this.#probing) void this.#begin();
  }

  /** Reports that the part works, as a start that has succeeded shows. */
  markHealthy(): void {
    this.reportedError = undefined;
    if (this.failure === undefined) return;
    this.failure = undefined;
    if (!this.#isStopped) this.#options.onRecovered();
  }

  /** Probes no more. */
  stop(): void {
    this.#isStopped = true;
    this.#stopTimer?.();
  }

  #isFresh(): boolean {
    return performance.now() - this.#probedAt < FRESH_MS;
  }

  #begin(): Promise<boolean> {
    this.#probing = this.#probe();
    return this.#probing;
  }

  async #probe(): Promise<boolean> {
    try {
      await this.#options.probe();
      this.markHealthy();
    } catch (error) {
      this.#fails(error);
    }
    this.reportedError = undefined;
    this.#probedAt = performance.now();
    this.#probing = undefined;
    return this.failure === undefined;
  }

  #fails(error: unknown): void {
    const isNew = this.failure === undefined;
    this.failure = error ?? new Error("it failed, and did not say why");
    if (this.#isStopped) return;
    if (isNew) this.#options.onFailed(this.failure);
    // So that it is noticed when it works again, though nobody asks.
    this.#later();
  }

  /** Probes in a while. It is not put off by what comes meanwhile, or under load it would never be. */
  #later(): void {
    this.#stopTimer ??= startTimer(
      () => {
        this.#stopTimer = undefined;
        const isOpen = this.failure !== undefined || this.reportedError !== undefined;
        if (isOpen && !this.#probing) void this.#begin();
      },
      FRESH_MS,
      true,
    );
  }
}

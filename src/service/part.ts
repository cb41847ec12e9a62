// A part of the service that can fail and recover: a store, the generator.

import { startTimer } from "../backend/ask.ts";

/** How long what a probe has found is good for, in milliseconds. */
const FRESH_MS = 1000;

/** What a part is made of. */
export interface PartOptions {
  /** Tries whether the part works; it must end in time. */
  readonly probe: () => Promise<void>;
  /** Called when the part fails that worked before. */
  readonly onFailed: (error: unknown) => void;
  /** Called when it works again. */
  readonly onRecovered: () => void;
}

/** Knows whether a part works, from what its users report and from probes. */
export class Part {
  /** Why the part fails; `undefined` while it works. */
  failure: unknown;
  readonly #options: PartOptions;
  #probing: Promise<boolean> | undefined;
  #probedAt = -Infinity;
  #stopTimer: (() => void) | undefined;
  #isStopped = false;

  constructor(options: PartOptions) {
    this.#options = options;
  }

  /** Whether the part works: anyone may ask, so there is one probe at a time, and at most one a second. */
  check(): Promise<boolean> {
    if (this.#probing) return this.#probing;
    if (performance.now() - this.#probedAt < FRESH_MS) return Promise.resolve(this.failure === undefined);
    this.#probing = this.#probe();
    return this.#probing;
  }

  async #probe(): Promise<boolean> {
    try {
      await this.#options.probe();
      this.works();
    } catch (error) {
      this.fails(error);
    }
    this.#probedAt = performance.now();
    this.#probing = undefined;
    return this.failure === undefined;
  }

  /** Reports that the part has failed. Until it works again, it is probed in the background. */
  fails(error: unknown): void {
    const isNew = this.failure === undefined;
    this.failure = error ?? new Error("it failed, and did not say why");
    if (this.#isStopped) return;
    if (isNew) this.#options.onFailed(this.failure);
    // Not put off by each that fails meanwhile, or under load it would never be looked at again.
    this.#stopTimer ??= startTimer(() => this.#again(), FRESH_MS, true);
  }

  #again(): void {
    this.#stopTimer = undefined;
    // Not by check(): what was found a moment ago is what is to be looked at again.
    if (this.failure !== undefined) this.#probing ??= this.#probe();
  }

  /** Reports that the part has worked. */
  works(): void {
    if (this.failure === undefined) return;
    this.failure = undefined;
    this.#endTimer();
    if (!this.#isStopped) this.#options.onRecovered();
  }

  /** Probes no more by itself. */
  stop(): void {
    this.#isStopped = true;
    this.#endTimer();
  }

  #endTimer(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }
}

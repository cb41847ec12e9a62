// PoolRefills: when a pool is refilled: on request, when an issue finds too few IDs, and in the background at or below
// the low mark.

import { startTimer } from "../backend/call.ts";
import { publish } from "../events/channels.ts";
import type { PoolSettings } from "./poolOptions.ts";
import type { PoolPort } from "./port.ts";
import type { FillProgress, Refiller, RefillResult } from "./refill.ts";

/** Pause between two attempts while another process refills, in milliseconds. */
const POLL_MS = 50;

/** How many noted issues there are between two merges of the store's counts. Calls that shared a statement are one. */
const ISSUES_PER_MERGE = 200;

/** How an attempt to refill ended. `"failed"` if it threw. */
type RefillAttempt = RefillResult | "failed";

/** Schedules the refills of one pool in this process. */
export class PoolRefills {
  readonly #store: PoolPort;
  readonly #refiller: Refiller;
  readonly #settings: PoolSettings;
  /** How many IDs this process may issue before it counts the available ones again. */
  #idsUntilCount = 1;
  #counting: Promise<void> | undefined;
  /** How many issues were noted. */
  #notedIssues = 0;
  #merging: Promise<unknown> | undefined;
  #stops = 0;
  #lastError: unknown;
  /** Whether the pool was low at the last count, which was published then. */
  #isLow = false;
  /** Whether the store has every ID that exists, so that no refill can add any. */
  isComplete = false;

  constructor(store: PoolPort, refiller: Refiller, settings: PoolSettings) {
    this.#store = store;
    this.#refiller = refiller;
    this.#settings = settings;
  }

  /** The error of the last refill or count that failed, until a refill ends without one. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Whether {@link PoolRefills.stop} was called. */
  get isStopped(): boolean {
    return this.#stops > 0;
  }

  /**
   * Refills until `target` IDs are available, no more exist, or `stop` is called.
   *
   * @param registered resolves when the pool is registered
   * @returns how many are available, counted up to `target`
   */
  async fill(
    target: number,
    onProgress: (progress: FillProgress) => void,
    registered: Promise<void>,
  ): Promise<number> {
    const stops = this.#stops;
    try {
      await registered;
      for (;;) {
        // Other refills in this process may have another target. Their failure is not an error of this call.
        while (this.#refiller.running) await this.#refiller.running.catch(() => {});
        const result = stops === this.#stops ? await this.#refiller.start(target, onProgress) : "stopped";
        this.isComplete = result === "complete";
        this.#lastError = undefined;
        const { available } = await this.#store.count(target);
        if (available > this.#settings.lowMark) this.#isLow = false;
        if (available >= target || result === "complete" || result === "stopped") return available;
        await pause(POLL_MS); // Another process refills, perhaps to a lower target.
      }
    } catch (error) {
      // The caller gets the error, so the listener does not. The issues that wait for this refill get the same error after
      // this line, and #reportFailure skips an error that is stored already.
      this.#lastError = error;
      throw error;
    }
  }

  /** Refills and never rejects: {@link PoolRefills.lastError} keeps the error. */
  async tryRefill(target: number): Promise<RefillAttempt> {
    try {
      const result = await this.#refiller.start(target);
      this.isComplete = result === "complete";
      if (result === "filled") this.#isLow = false;
      this.#lastError = undefined;
      return result;
    } catch (error) {
      this.#reportFailure(error);
      return "failed";
    }
  }

  /**
   * Waits until the refill ends, {@link POLL_MS} at most. If another process refills, waits {@link POLL_MS} more.
   *
   * @param refill the result of {@link PoolRefills.tryRefill}
   * @returns how the refill ended, or `undefined` if it is still running
   */
  async waitBeforeRetry(refill: Promise<RefillAttempt>): Promise<RefillAttempt | undefined> {
    const outcome = await Promise.race([refill, pause(POLL_MS)]);
    if (outcome === "busy" && !this.#refiller.running) await pause(POLL_MS);
    return outcome;
  }

  /**
   * Notes an issue, also a replay, which took no ID. From time to time it counts the available IDs, and refills if they are
   * few.
   *
   * @param count how many IDs the issue returned
   */
  noteIssued(count: number): void {
    if (this.#notedIssues++ % ISSUES_PER_MERGE === 0 && !this.#merging && !this.isStopped) {
      this.#merging = this.#store
        .mergeCounts()
        .catch(() => {}) // The next merge also merges the counts that this one has left.
        .finally(() => {
          this.#merging = undefined;
        });
    }
    this.#idsUntilCount -= count;
    if (this.#idsUntilCount > 0 || this.isComplete || this.isStopped || this.#refiller.running) return;
    this.#idsUntilCount = Infinity; // One count at a time.
    this.#counting = this.#refillIfLow().catch((error) => {
      this.#reportFailure(error);
      this.#idsUntilCount = 1;
    });
  }

  /** Notes a count of the available IDs. Publishes that the pool is low, once until there are more again. */
  noteAvailable(available: number): void {
    const { type, lowMark, highMark } = this.#settings;
    const wasLow = this.#isLow;
    this.#isLow = available <= lowMark;
    if (this.#isLow && !wasLow) {
      publish("bitflake:pool:low", () => ({ type: type.name, available, lowMark, highMark }));
    }
  }

  /** Makes the next issue count the available IDs. */
  countAtNextIssue(): void {
    this.#idsUntilCount = 1;
  }

  /** Stops the running refill after its current step, and starts no other in the background. */
  async stop(): Promise<void> {
    this.#stops++;
    await this.#refiller.stop();
    await Promise.all([this.#counting, this.#merging]);
  }

  async #refillIfLow(): Promise<void> {
    const { lowMark, highMark } = this.#settings;
    const { available } = await this.#store.count(highMark);
    this.noteAvailable(available);
    if (available <= lowMark && !this.isStopped) await this.tryRefill(highMark);
    const above = Math.max(0, available - lowMark);
    // Count again after 1/8 of the margin: up to eight processes may issue at the same rate.
    this.#idsUntilCount = Math.max(1, Math.floor(above / 8));
  }

  #reportFailure(error: unknown): void {
    // Every issue that waits for a refill gets its error, but the listener is called once.
    if (error === this.#lastError) return;
    this.#lastError = error;
    try {
      this.#settings.onRefillFailed?.(error);
    } catch {
      // Listener errors are ignored by contract.
    }
  }
}

function pause(ms: number): Promise<undefined> {
  return new Promise((wake) => startTimer(() => wake(undefined), ms));
}

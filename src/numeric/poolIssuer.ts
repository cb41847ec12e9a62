// PoolIssuer: issues IDs on the current history, and waits for a refill if too few are available.

import { startTimer } from "../backend/call.ts";
import { IdPoolEmptyError, IdPoolExhaustedError } from "../internal.ts";
import { isScanComplete } from "./exhaustiveScan.ts";
import type { PoolHistory } from "./poolHistory.ts";
import type { PoolSettings } from "./poolOptions.ts";
import type { PoolRefills } from "./poolRefills.ts";
import type { Availability, IssueOutcome, PoolPort } from "./port.ts";
import { randomRank } from "./random.ts";
import { SharedIssue } from "./sharedIssue.ts";

/** One attempt to issue on a history. */
type Attempt = (history: string) => Promise<IssueOutcome>;

/** Issues the IDs of one pool in this process. */
export class PoolIssuer {
  readonly #store: PoolPort;
  readonly #history: PoolHistory;
  readonly #refills: PoolRefills;
  readonly #settings: PoolSettings;
  readonly #shared: SharedIssue<Availability> = new SharedIssue((count) => this.#issueTogether(count));

  constructor(store: PoolPort, history: PoolHistory, refills: PoolRefills, settings: PoolSettings) {
    this.#store = store;
    this.#history = history;
    this.#refills = refills;
    this.#settings = settings;
  }

  /** Issues `count` IDs. */
  async issue(count: number): Promise<readonly string[]> {
    const attempt: Attempt = (history) => this.#store.issue(count, randomRank(), history);
    if (count > 1) return this.#issue(count, attempt);
    const outcome = await this.#shared.takeOne();
    if (typeof outcome === "string") return [outcome];
    // With too few IDs for all calls that shared the take, there may be one for this call.
    return this.#issue(count, attempt, undefined, outcome.available === 0 ? outcome : undefined);
  }

  /** Issues the ID of a request. */
  async issueForRequest(requestKey: string, onReplay: () => void): Promise<string> {
    let isReplay = false;
    const attempt: Attempt = (history) => {
      isReplay = false; // #issueOnHistory has dropped the ID of an earlier attempt.
      return this.#store.issueForRequest(requestKey, randomRank(), history, () => {
        isReplay = true;
      });
    };
    const [id] = await this.#issue(1, attempt, requestKey);
    if (isReplay) onReplay();
    return id as string;
  }

  /** Takes an ID for each of `count` calls that share the take, or none. */
  async #issueTogether(count: number): Promise<readonly string[] | Availability> {
    await this.#history.ensureRegistered();
    const outcome = await this.#issueOnHistory((history) => this.#store.issue(count, randomRank(), history));
    if (!("available" in outcome)) this.#refills.noteIssued(count);
    return outcome;
  }

  /**
   * Tries until there are IDs, no more exist, a refill fails, the pool is stopped, or `waitMs` is over.
   *
   * @param lastOutcome the outcome of an attempt that has just found no ID
   */
  async #issue(
    count: number,
    attempt: Attempt,
    requestKey?: string,
    lastOutcome?: Availability,
  ): Promise<readonly string[]> {
    await this.#history.ensureRegistered();
    const { type, waitMs, highMark } = this.#settings;
    let isWaitOver = waitMs === 0;
    let hasRefillFailed = false;
    let stopTimer: (() => void) | undefined;
    try {
      for (let known = lastOutcome; ; known = undefined) {
        const outcome = known ?? (await this.#issueOnHistory(attempt, requestKey));
        if (!("available" in outcome)) {
          this.#refills.noteIssued(count);
          return outcome;
        }
        const { available, scan } = outcome;
        this.#refills.isComplete = isScanComplete(scan);
        if (this.#refills.isComplete) throw new IdPoolExhaustedError(type.name, count, available);
        this.#refills.noteAvailable(available);
        // After a failed refill try once more: it may have added enough.
        if (hasRefillFailed) throw this.#emptyError(count, available);
        // Start a refill even if `waitMs` is over: the next issue needs it.
        const refill = this.#refills.isStopped
          ? undefined
          : this.#refills.tryRefill(Math.max(count, highMark));
        if (isWaitOver || !refill) throw this.#emptyError(count, available);
        stopTimer ??= startTimer(() => {
          isWaitOver = true;
        }, waitMs);
        hasRefillFailed = (await this.#refills.waitBeforeRetry(refill)) === "failed";
      }
    } finally {
      stopTimer?.();
    }
  }

  /**
   * Makes an attempt. If the store is on another history, continues on that one and makes another attempt.
   *
   * @throws {@link IdPoolHistoryError} if no process has accepted that history, or if it is superseded
   */
  async #issueOnHistory(attempt: Attempt, requestKey?: string): Promise<readonly string[] | Availability> {
    for (;;) {
      const history = this.#history.issuedOn;
      // On a superseded history the IDs of an attempt would be dropped, and lost.
      const outcome = this.#history.isSuperseded(history)
        ? await this.#store.readOrRecordHistory()
        : await attempt(history);
      if ("recorded" in outcome) {
        await this.#history.adopt(outcome);
      } else if ("available" in outcome) {
        return outcome;
      } else if (this.#history.isSuperseded(history)) {
        // Perhaps issued by a server that has been replaced since. Its successor may issue the same IDs, so drop them.
        await this.#history.adopt(await this.#store.readOrRecordHistory());
      } else {
        this.#history.remember(history, outcome, requestKey);
        return outcome;
      }
    }
  }

  #emptyError(count: number, available: number): IdPoolEmptyError {
    const cause = this.#refills.lastError;
    const options = cause === undefined ? undefined : { cause };
    return new IdPoolEmptyError(this.#settings.type.name, count, available, options);
  }
}

// Buffer of reserved values: serves calls from memory, and fetches the next block while the current one is in use.

import { type CallOptions, MAX_TIMER_MS, startTimer } from "../backend/call.ts";
import { NO_VALUE, type ValueRange } from "./rule.ts";

const noop = () => {};

/** A call that waits for its value. */
interface WaitingCall {
  resolve(value: bigint): void;
  reject(error: unknown): void;
}

/**
 * Serves the values of ranges in order, to calls in their order. At most one fetch is pending, however many calls wait.
 *
 * The next range is fetched when half of the current one is used. So the fetch has as long as the other half lasts, and
 * a process that is idle or ends holds at most a range and a half.
 */
export class BlockBuffer {
  readonly #fetch: (options: CallOptions) => Promise<ValueRange>;
  #next = 0n;
  #last = NO_VALUE;
  /** The last value of the current range's first half. */
  #middle = NO_VALUE;
  /** The range after the current one. */
  #spare: ValueRange | undefined;
  #isFetching = false;
  /** While a call waits, the buffer is empty and a fetch is pending. */
  readonly #waiting: WaitingCall[] = [];
  /** Stops the timer that keeps the process alive while a call waits for a background fetch. */
  #stopKeepAlive = noop;

  /** @param fetch returns a range above all that it returned before */
  constructor(fetch: (options: CallOptions) => Promise<ValueRange>) {
    this.#fetch = fetch;
  }

  next(): Promise<bigint> {
    const value = this.#take();
    if (value === undefined) {
      return new Promise((resolve, reject) => {
        this.#waiting.push({ resolve, reject });
        if (!this.#isFetching) void this.#refill();
        else if (this.#waiting.length === 1) this.#stopKeepAlive = startTimer(noop, MAX_TIMER_MS);
      });
    }
    if (value === this.#middle) void this.#refill();
    return Promise.resolve(value);
  }

  #take(): bigint | undefined {
    if (this.#next > this.#last) {
      if (this.#spare === undefined) return undefined;
      const { first, last } = this.#spare;
      this.#next = first;
      this.#last = last;
      this.#middle = (first + last) / 2n;
      this.#spare = undefined;
    }
    return this.#next++;
  }

  /** Fetches a range. It never rejects: the waiting calls get the error. */
  async #refill(): Promise<void> {
    this.#isFetching = true;
    const isNeeded = this.#waiting.length > 0;
    try {
      // A fetch ahead of need does not keep the process alive: the program may have all it wants.
      this.#spare = await this.#fetch({ background: !isNeeded });
    } catch (error) {
      this.#fetchEnded();
      // The error of a fetch ahead of need is nobody's. Calls that came meanwhile get a fetch of their own.
      if (isNeeded) for (const { reject } of this.#waiting.splice(0)) reject(error);
      else if (this.#waiting.length > 0) void this.#refill();
      return;
    }
    this.#fetchEnded();
    let isDue = false;
    let served = 0;
    for (const { resolve } of this.#waiting) {
      const value = this.#take();
      if (value === undefined) break;
      isDue ||= value === this.#middle;
      resolve(value);
      served++;
    }
    this.#waiting.splice(0, served);
    // If calls still wait, the whole range was used, and so its middle was passed.
    if (isDue) void this.#refill();
  }

  #fetchEnded(): void {
    this.#isFetching = false;
    this.#stopKeepAlive();
  }
}

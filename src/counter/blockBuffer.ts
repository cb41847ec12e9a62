// Values out of memory: ranges are fetched one after the other, the next one while the current is still in use.

import { type CallOptions, startTimer } from "../backend/call.ts";
import { NONE, type Range } from "./rule.ts";

/** The longest timer there is, in every runtime. */
const LONGEST_MS = 2 ** 31 - 1;

const nothing = () => {};

/** A call that waits for its value. */
interface Waiting {
  resolve(value: bigint): void;
  reject(error: unknown): void;
}

/**
 * Gives out the values of ranges in order, to calls in their order. At most one fetch is under way, however many wait.
 *
 * The next range is fetched when half of the current one is used: the fetch then has as long as the other half lasts,
 * and a process that is idle, or ends, holds no more than a range and a half.
 */
export class BlockBuffer {
  readonly #fetch: (asking: CallOptions) => Promise<Range>;
  #next = 0n;
  #last = NONE;
  /** The value with which the first half of the current range ends. */
  #middle = NONE;
  /** The range after the current one. */
  #spare: Range | undefined;
  #isFetching = false;
  /** While one waits, there is no value and a fetch is under way. */
  readonly #waiting: Waiting[] = [];
  /** Lets the process end again, where a call waits for a fetch that would not keep it from that. */
  #letGo = nothing;

  /** @param fetch gets a range above all that it got before */
  constructor(fetch: (asking: CallOptions) => Promise<Range>) {
    this.#fetch = fetch;
  }

  next(): Promise<bigint> {
    const value = this.#take();
    if (value === undefined) {
      return new Promise((resolve, reject) => {
        this.#waiting.push({ resolve, reject });
        if (!this.#isFetching) void this.#refill();
        else if (this.#waiting.length === 1) this.#letGo = startTimer(nothing, LONGEST_MS);
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

  /** Never rejects: what goes wrong is told to those who wait. */
  async #refill(): Promise<void> {
    this.#isFetching = true;
    const isAsked = this.#waiting.length > 0;
    try {
      // Ahead of need: a program that has what it wants, and closes its client, is not to wait for the answer.
      this.#spare = await this.#fetch({ background: !isAsked });
    } catch (error) {
      this.#stopped();
      // If nobody asked for it, nobody hears of it, and whoever has come to wait meanwhile gets a try of their own.
      if (isAsked) for (const { reject } of this.#waiting.splice(0)) reject(error);
      else if (this.#waiting.length > 0) void this.#refill();
      return;
    }
    this.#stopped();
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
    // Whoever still waits has seen the whole range go, and so its middle.
    if (isDue) void this.#refill();
  }

  #stopped(): void {
    this.#isFetching = false;
    this.#letGo();
  }
}

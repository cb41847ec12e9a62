// How many IDs callers use in a span of time, from which the size of the next block follows.

/**
 * Counts the IDs that are used, in windows of equal length.
 *
 * A block covers one window, so that IDs do not grow old in the buffer, and a client that is seldom used fetches nothing ahead.
 */
export class Demand {
  readonly #windowMs: number;
  #startMs = 0;
  /** The IDs used in the current window, and in the one before it. */
  #current = 0;
  #previous = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Counts IDs as used now. */
  add(count: number, nowMs: number): void {
    if (nowMs - this.#startMs >= this.#windowMs || nowMs < this.#startMs) this.#startWindow(nowMs);
    this.#current += count;
  }

  /** Returns how many IDs to fetch ahead: as many as a window used; 0 if that is fewer than two. */
  idsAhead(nowMs: number): number {
    this.add(0, nowMs);
    const used = Math.max(this.#current, this.#previous);
    // A single call in a window is no sign of the next one.
    return used > 1 ? used : 0;
  }

  #startWindow(nowMs: number): void {
    const sinceMs = nowMs - this.#startMs;
    const isNext = sinceMs >= 0 && sinceMs < 2 * this.#windowMs;
    this.#previous = isNext ? this.#current : 0;
    this.#current = 0;
    this.#startMs = nowMs;
  }
}

// A histogram over time in a fixed number of bins, whose width doubles until all times fit.

/** The number of bins. */
const BINS = 256;

/** Counts times. It needs the memory of its bins, for any times. */
export class TimeHistogram {
  readonly #counts: Float64Array = new Float64Array(BINS);
  /** The first time that it has room for: a multiple of the width. */
  #from = 0;
  #width = 0;

  /** @param width the least width of a bin */
  constructor(width: number) {
    this.#width = width;
  }

  /** Counts a time. */
  add(time: number): void {
    let bin = Math.floor((time - this.#from) / this.#width);
    if (!(bin >= 0 && bin < BINS)) {
      if (this.#isEmpty()) this.#from = Math.floor(time / this.#width) * this.#width;
      while (time < this.#from || time >= this.#from + BINS * this.#width) this.#widen(time);
      bin = Math.floor((time - this.#from) / this.#width);
    }
    this.#counts[bin] = (this.#counts[bin] as number) + 1;
  }

  /** Returns the bins from the first to the last one that is not empty. */
  read(): { from: number; width: number; counts: number[] } {
    const first = this.#counts.findIndex((count) => count > 0);
    if (first < 0) return { from: 0, width: this.#width, counts: [] };
    let end = BINS;
    while (this.#counts[end - 1] === 0) end--;
    const counts = [...this.#counts.subarray(first, end)];
    return { from: this.#from + first * this.#width, width: this.#width, counts };
  }

  #isEmpty(): boolean {
    return !this.#counts.some((count) => count > 0);
  }

  /** Doubles the width, towards a time: its bins are halves of the new ones. */
  #widen(time: number): void {
    const old = this.#counts.slice();
    const oldFrom = this.#from;
    const oldWidth = this.#width;
    this.#width *= 2;
    // If the time is before the old bins, they become the last of the new ones. Two bins less, because the start is rounded down.
    const start = time < oldFrom ? oldFrom - (BINS - 2) * oldWidth : oldFrom;
    this.#from = Math.floor(start / this.#width) * this.#width;
    this.#counts.fill(0);
    for (let i = 0; i < BINS; i++) {
      if (old[i] === 0) continue;
      const bin = Math.floor((oldFrom + i * oldWidth - this.#from) / this.#width);
      this.#counts[bin] = (this.#counts[bin] as number) + (old[i] as number);
    }
  }
}

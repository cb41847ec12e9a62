// A histogram of durations with fixed buckets.

import type { Sample } from "./exposition.ts";

/** The upper bounds of the buckets, in seconds. */
export const BUCKET_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Counts durations by bucket. An observation allocates nothing. */
export class Histogram {
  /** How many durations fell into each bucket; the last one has no upper bound. */
  readonly #counts: number[] = Array.from({ length: BUCKET_BOUNDS.length + 1 }, () => 0);
  #sumSeconds = 0;

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BUCKET_BOUNDS.length && seconds > (BUCKET_BOUNDS[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sumSeconds += seconds;
  }

  /** How many durations fell into each bucket; the last one has no upper bound. */
  get counts(): readonly number[] {
    return this.#counts;
  }

  get sumSeconds(): number {
    return this.#sumSeconds;
  }

  /** Returns the samples. Each bucket counts those below it too. */
  samples(labels: Readonly<Record<string, string>>): Sample[] {
    let count = 0;
    const buckets = this.#counts.map((inBucket, index): Sample => {
      count += inBucket;
      return { suffix: "_bucket", labels: { ...labels, le: BUCKET_BOUNDS[index] ?? "+Inf" }, value: count };
    });
    return [
      ...buckets,
      { suffix: "_sum", labels, value: this.#sumSeconds },
      { suffix: "_count", labels, value: count },
    ];
  }
}

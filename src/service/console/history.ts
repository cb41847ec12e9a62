// The statuses of the last five minutes, and the rates between them. For the console and `bitflake top`.

/** How much the charts show at most, in milliseconds. */
const WINDOW_MS = 300_000;

/** How much they show at first: a line of a few seconds would be a dot in five minutes. */
const FIRST_WINDOW_MS = 60_000;

/** The period of the percentiles of durations, in milliseconds: one second has too few requests. */
const PERCENTILE_MS = 15_000;

/** A gap between statuses from which a chart is interrupted, in milliseconds. */
const GAP_MS = 6000;

/** The reader's own requests are not traffic. */
const OWN_ROUTE = "/status";

/** The part of a status that is counted. */
export interface CountedStatus {
  readonly uptimeMs: number;
  readonly processes: number;
  readonly ids: Readonly<Record<string, number>>;
  readonly requests: {
    readonly bucketBoundsMs: readonly number[];
    readonly routes: readonly {
      readonly route: string;
      readonly count: number;
      readonly classes: Readonly<Record<string, number>>;
      readonly buckets: readonly number[];
    }[];
  };
}

/** The sums of a status. */
interface Totals {
  readonly atMs: number;
  readonly uptimeMs: number;
  readonly processes: number;
  readonly requests: number;
  readonly clientErrors: number;
  readonly serverErrors: number;
  readonly ids: number;
  readonly buckets: readonly number[];
}

/** A total whose growth a chart can show. */
type TotalName = "requests" | "clientErrors" | "serverErrors" | "ids";

/** The rates at one moment: per second, and durations in milliseconds. */
export type Rates = Readonly<Record<TotalName, number>> & {
  readonly atMs: number;
  /** The median duration; `undefined` without a request. */
  readonly median: number | undefined;
  /** The 99th percentile of the durations. */
  readonly slowest: number | undefined;
};

/** A point of the charts. One without rates interrupts the lines. */
export type Point = Rates | { readonly atMs: number; readonly requests?: undefined };

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function totalsOf(status: CountedStatus, atMs: number): Totals {
  const { uptimeMs, processes, ids, requests } = status;
  const others = requests.routes.filter(({ route }) => route !== OWN_ROUTE);
  const inClass = (name: string) => sum(others.map(({ classes }) => classes[name] ?? 0));
  return {
    atMs,
    uptimeMs,
    processes,
    requests: sum(others.map(({ count }) => count)),
    clientErrors: inClass("4xx"),
    serverErrors: inClass("5xx"),
    ids: sum(Object.values(ids)),
    // One more than the bounds, for requests that took longer than the last.
    buckets: [...requests.bucketBoundsMs, Infinity].map((_, index) =>
      sum(others.map(({ buckets }) => buckets[index] ?? 0)),
    ),
  };
}

/**
 * Returns a percentile of durations in milliseconds, interpolated within its bucket; `undefined` without a request.
 *
 * @param buckets how many requests are in each
 * @param bounds the upper bounds of all buckets but the last
 * @param share from 0 to 1
 */
function percentile(
  buckets: readonly number[],
  bounds: readonly number[],
  share: number,
): number | undefined {
  const wanted = sum(buckets) * share;
  if (wanted === 0) return undefined;
  let below = 0;
  for (const [index, inBucket] of buckets.entries()) {
    if (inBucket > 0 && below + inBucket >= wanted) {
      const low = bounds[index - 1] ?? 0;
      const high = bounds[index] ?? low;
      return low + ((high - low) * (wanted - below)) / inBucket;
    }
    below += inBucket;
  }
  return bounds.at(-1);
}

/** Collects statuses. */
export class History {
  /** Points of the charts, oldest first. */
  points: Point[] = [];
  #totals: Totals[] = [];

  /**
   * Adds a status.
   *
   * @param atMs when it arrived
   */
  add(status: CountedStatus, atMs: number): void {
    const totals = totalsOf(status, atMs);
    // A process that was started again counts from 0, and one that did not report is missing from the sums.
    const before = this.#totals.at(-1) ?? totals;
    const isRestarted = totals.uptimeMs - before.uptimeMs < atMs - before.atMs - GAP_MS;
    if (isRestarted || totals.uptimeMs < before.uptimeMs || totals.processes !== before.processes) {
      this.#totals = [];
      this.points.push({ atMs });
    }
    const last = this.#totals.at(-1);
    this.#totals = [...this.#totals.filter((old) => old.atMs > atMs - WINDOW_MS), totals];
    if (last !== undefined && totals.uptimeMs > last.uptimeMs) {
      if (atMs - last.atMs > GAP_MS) this.points.push({ atMs: last.atMs + 1 });
      this.points.push(this.#ratesSince(last, totals, status.requests.bucketBoundsMs));
    }
    this.points = this.points.filter((point) => point.atMs > atMs - WINDOW_MS);
  }

  #ratesSince(last: Totals, totals: Totals, bounds: readonly number[]): Rates {
    const { atMs } = totals;
    const seconds = (totals.uptimeMs - last.uptimeMs) / 1000;
    const perSecond = (name: TotalName) => (totals[name] - last[name]) / seconds;
    const first = this.#totals.find((old) => old !== totals && old.atMs >= atMs - PERCENTILE_MS) ?? last;
    const buckets = totals.buckets.map((inBucket, index) => inBucket - (first.buckets[index] ?? 0));
    return {
      atMs,
      requests: perSecond("requests"),
      clientErrors: perSecond("clientErrors"),
      serverErrors: perSecond("serverErrors"),
      ids: perSecond("ids"),
      median: percentile(buckets, bounds, 0.5),
      slowest: percentile(buckets, bounds, 0.99),
    };
  }

  /** Returns how much the charts show, in milliseconds. */
  windowMs(nowMs: number): number {
    const age = nowMs - (this.points[0]?.atMs ?? nowMs);
    return Math.min(WINDOW_MS, Math.max(FIRST_WINDOW_MS, Math.ceil(age / 30_000) * 30_000));
  }

  /** Returns how much a total has grown in the last milliseconds. */
  growth(name: TotalName, ms: number): number {
    const last = this.#totals.at(-1);
    const first = last && this.#totals.find(({ atMs }) => atMs >= last.atMs - ms);
    return last && first ? last[name] - first[name] : 0;
  }
}

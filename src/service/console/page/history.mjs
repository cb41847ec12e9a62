// The statuses of the last five minutes, and the rates between them.

/** How much the charts show at most, in milliseconds. */
const WINDOW_MS = 300_000;

/** How much they show at first: a line of a few seconds would be a dot in five minutes. */
const FIRST_WINDOW_MS = 60_000;

/** The period of the percentiles of durations, in milliseconds: one second has too few requests. */
const PERCENTILE_MS = 15_000;

/** A gap between statuses from which a chart is interrupted, in milliseconds. */
const GAP_MS = 6000;

/** The console's own requests are not traffic. */
const OWN_ROUTE = "/status";

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

/** Returns the totals of a status. */
function totalsOf({ uptimeMs, ids, requests: { routes, bucketBoundsMs } }) {
  const others = routes.filter(({ route }) => route !== OWN_ROUTE);
  const inClass = (name) => sum(others.map(({ classes }) => classes[name] ?? 0));
  return {
    uptimeMs,
    requests: sum(others.map(({ count }) => count)),
    clientErrors: inClass("4xx"),
    serverErrors: inClass("5xx"),
    ids: sum(Object.values(ids)),
    // One more than the bounds, for requests that took longer than the last.
    buckets: [...bucketBoundsMs, Infinity].map((_, index) =>
      sum(others.map(({ buckets }) => buckets[index])),
    ),
  };
}

/**
 * Returns a percentile of durations, interpolated within its bucket.
 *
 * @param {readonly number[]} buckets how many requests are in each
 * @param {readonly number[]} bounds the upper bounds of all buckets but the last
 * @param {number} share from 0 to 1
 * @returns {number | undefined} milliseconds; undefined without a request
 */
function percentile(buckets, bounds, share) {
  const wanted = sum(buckets) * share;
  if (wanted === 0) return undefined;
  let below = 0;
  for (const [index, inBucket] of buckets.entries()) {
    if (inBucket > 0 && below + inBucket >= wanted) {
      const low = index === 0 ? 0 : bounds[index - 1];
      const high = bounds[index] ?? low;
      return low + ((high - low) * (wanted - below)) / inBucket;
    }
    below += inBucket;
  }
  return bounds.at(-1);
}

/** Collects statuses. */
export class History {
  /** Points of the charts, oldest first. A point without values interrupts the lines. */
  points = [];
  #totals = [];

  /**
   * Adds a status.
   *
   * @param {number} atMs when it arrived
   */
  add(status, atMs) {
    const totals = { ...totalsOf(status), atMs };
    // A process that was started again counts from 0.
    if (totals.uptimeMs < (this.#totals.at(-1)?.uptimeMs ?? 0)) {
      this.#totals = [];
      this.points.push({ atMs });
    }
    const last = this.#totals.at(-1);
    this.#totals = [...this.#totals.filter((old) => old.atMs > atMs - WINDOW_MS), totals];
    if (last !== undefined && totals.uptimeMs > last.uptimeMs) {
      if (atMs - last.atMs > GAP_MS) this.points.push({ atMs: last.atMs + 1 });
      const seconds = (totals.uptimeMs - last.uptimeMs) / 1000;
      const perSecond = (name) => (totals[name] - last[name]) / seconds;
      const first = this.#totals.find((old) => old.atMs >= atMs - PERCENTILE_MS) ?? last;
      const buckets = totals.buckets.map((inBucket, index) => inBucket - first.buckets[index]);
      const bounds = status.requests.bucketBoundsMs;
      this.points.push({
        atMs,
        requests: perSecond("requests"),
        clientErrors: perSecond("clientErrors"),
        serverErrors: perSecond("serverErrors"),
        ids: perSecond("ids"),
        median: percentile(buckets, bounds, 0.5),
        slowest: percentile(buckets, bounds, 0.99),
      });
    }
    this.points = this.points.filter((point) => point.atMs > atMs - WINDOW_MS);
  }

  /** Returns how much the charts show, in milliseconds. */
  windowMs(nowMs) {
    const age = nowMs - (this.points[0]?.atMs ?? nowMs);
    return Math.min(WINDOW_MS, Math.max(FIRST_WINDOW_MS, Math.ceil(age / 30_000) * 30_000));
  }

  /** Returns how much a total has grown in the last milliseconds. */
  growth(name, ms) {
    const last = this.#totals.at(-1);
    const first = this.#totals.find(({ atMs }) => atMs >= last.atMs - ms);
    return last === undefined ? 0 : last[name] - first[name];
  }
}

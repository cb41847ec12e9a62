// The counts of a process, for /status: IDs by kind and requests by route, summed over the processes of a port.

import type { Lifecycle } from "./lifecycle.ts";
import type { Metrics, RouteCounts } from "./metrics.ts";

/** The requests to one route. */
interface CountedRoute {
  readonly route: string;
  readonly count: number;
  /** How many requests were answered, by class of status: `2xx`. */
  readonly classes: Readonly<Record<string, number>>;
  readonly sumMs: number;
  /** Requests by duration: up to each bound of the histogram, and above the last. */
  readonly buckets: readonly number[];
}

/** The counts of one process, or of several together. It can be sent between processes. */
export interface ProcessCounts {
  /** For how long it has counted; of several together, the shortest. */
  readonly uptimeMs: number;
  readonly ids: Readonly<Record<string, number>>;
  readonly inFlight: number;
  readonly routes: readonly CountedRoute[];
}

function countRoute({ route, statuses, durations }: RouteCounts): CountedRoute {
  const classes: Record<string, number> = {};
  let count = 0;
  for (const [status, requests] of statuses) {
    const name = `${Math.floor(status / 100)}xx`;
    classes[name] = (classes[name] ?? 0) + requests;
    count += requests;
  }
  return { route, count, classes, sumMs: durations.sumSeconds * 1000, buckets: [...durations.counts] };
}

/** Returns the counts of this process. */
export function readCounts(metrics: Metrics, { requestsInFlight }: Lifecycle): ProcessCounts {
  return {
    uptimeMs: metrics.uptimeMs,
    ids: metrics.idCounts(),
    inFlight: requestsInFlight,
    routes: metrics.routeCounts().map(countRoute),
  };
}

/** Adds each count of `more` to that of the same name. */
function addCounts(
  sums: Readonly<Record<string, number>>,
  more: Readonly<Record<string, number>>,
): Record<string, number> {
  const added = new Map(Object.entries(sums));
  for (const [name, count] of Object.entries(more)) added.set(name, (added.get(name) ?? 0) + count);
  return Object.fromEntries(added);
}

function addRoute(sum: CountedRoute, more: CountedRoute): CountedRoute {
  return {
    route: sum.route,
    count: sum.count + more.count,
    classes: addCounts(sum.classes, more.classes),
    sumMs: sum.sumMs + more.sumMs,
    buckets: sum.buckets.map((count, index) => count + (more.buckets[index] ?? 0)),
  };
}

/** Returns the sums of the counts of processes. */
export function sumCounts([first, ...others]: readonly [ProcessCounts, ...ProcessCounts[]]): ProcessCounts {
  return others.reduce((sum, counts) => {
    const routes = new Map(sum.routes.map((counted) => [counted.route, counted]));
    for (const counted of counts.routes) {
      const known = routes.get(counted.route);
      routes.set(counted.route, known ? addRoute(known, counted) : counted);
    }
    return {
      uptimeMs: Math.min(sum.uptimeMs, counts.uptimeMs),
      ids: addCounts(sum.ids, counts.ids),
      inFlight: sum.inFlight + counts.inFlight,
      routes: [...routes.values()],
    };
  }, first);
}

// The route /metrics: the counts of the service, and its states, which are read at each scrape.

import type { IdPoolStatus } from "../../numeric/index.ts";
import type { Dependency } from "../dependency.ts";
import { EXPOSITION_CONTENT_TYPE, type Family, type Sample, writeExposition } from "../exposition.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { joinFamilies } from "../peers.ts";
import { COMMON_HEADERS } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";
import { withTimeout } from "../withTimeout.ts";
import { isReady, readHealth } from "./observability.ts";

const toNumber = (isTrue: boolean): number => (isTrue ? 1 : 0);

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: "gauge", help, samples };
}

/** Reads the lease. Without one, because the node is configured or not leased yet, there are no samples. */
function leaseFamilies({ resources }: Lifecycle): Family[] {
  const lease = resources?.lease?.status();
  const leftMs = lease?.state === "held" ? lease.until.getTime() - Date.now() : 0;
  return [
    gauge(
      "bitflake_lease_held",
      "Whether the node's lease is held.",
      lease ? [{ labels: { node: lease.node }, value: toNumber(lease.state === "held") }] : [],
    ),
    gauge(
      "bitflake_lease_seconds_left",
      "Time until the lease of the node ends, if no renewal succeeds.",
      lease ? [{ value: Math.max(0, leftMs) / 1000 }] : [],
    ),
    gauge(
      "bitflake_lease_clock_skew_seconds",
      "How far the clock of this process was ahead of the store's at the last renewal.",
      lease?.clock === "store" ? [{ value: lease.skewMs / 1000 }] : [],
    ),
  ];
}

/** Reads the states. They are those of `/health`, so a scrape probes the stores as `/health` does. */
async function readStates(lifecycle: Lifecycle, hasPools: boolean): Promise<Family[]> {
  const { health } = lifecycle;
  const [report, pools] = await Promise.all([readHealth(lifecycle, hasPools), health.poolStates()]);
  const samplesOf = (read: (status: IdPoolStatus) => number) =>
    pools.flatMap(({ type, status }) => (status ? [{ labels: { type }, value: read(status) }] : []));
  const stores: [string, Dependency][] = [["backend", health.backendDependency]];
  if (hasPools && health.poolBackendDependency !== health.backendDependency) {
    stores.push(["poolBackend", health.poolBackendDependency]);
  }
  return [
    gauge("bitflake_ready", "Whether /health answers 200.", [{ value: toNumber(isReady(report)) }]),
    gauge("bitflake_requests_in_flight", "Requests in flight.", [{ value: lifecycle.requestsInFlight }]),
    gauge(
      "bitflake_store_up",
      "Whether the store can be written.",
      stores.map(([store, { failure }]) => ({ labels: { store }, value: toNumber(failure === undefined) })),
    ),
    gauge("bitflake_generator_up", "Whether the generator makes IDs, as far as its clock is concerned.", [
      { value: toNumber(report.generator.status === "ok") },
    ]),
    ...leaseFamilies(lifecycle),
    gauge(
      "bitflake_pool_up",
      "Whether the pool issues IDs: it is neither used up nor empty without a refill, and its history is accepted.",
      Object.entries(report.pools).map(([type, { status }]) => ({
        labels: { type },
        value: toNumber(status === "ok"),
      })),
    ),
    gauge(
      "bitflake_pool_available",
      "IDs that are generated and not issued, counted up to one more than the pool's high mark.",
      samplesOf(({ available }) => available),
    ),
    gauge(
      "bitflake_pool_taken",
      "IDs issued from the pool, by all processes.",
      samplesOf(({ taken }) => taken),
    ),
    gauge(
      "bitflake_pool_remaining",
      "IDs of the type that can still be issued, generated or not.",
      samplesOf(({ remaining }) => Number(remaining)),
    ),
  ];
}

/**
 * Reads all metrics of this process.
 *
 * @param maxWaitMs how long the states may take. Without them it returns the counts alone. Default: as long as the probes
 */
export async function readFamilies(
  { settings, lifecycle, metrics }: Omit<RouteDeps, "peers">,
  maxWaitMs?: number,
): Promise<Family[]> {
  const hasPools = Object.keys(settings.types).length > 0;
  const reading = readStates(lifecycle, hasPools);
  const states = await (maxWaitMs === undefined ? reading : withTimeout(reading, maxWaitMs));
  return [...(states ?? []), ...metrics.families()];
}

/** Creates the route. */
export function metricsRoute(deps: RouteDeps): Route {
  return {
    method: "GET",
    path: "/metrics",
    scope: "watch",
    contentType: "text/plain",
    operation: {
      id: "getMetrics",
      tag: "Operate",
      summary: "Read the metrics",
      description:
        "Counters, histograms and gauges in the text format of Prometheus. If several processes answer on this port, those of all, with the label `worker`.",
      response: { type: "string" },
      examples: { text: "bitflake_requests_in_flight 0\n" },
    },
    handler: async () => {
      const [families, reports] = await Promise.all([readFamilies(deps), deps.peers.read()]);
      return {
        status: 200,
        headers: { "content-type": EXPOSITION_CONTENT_TYPE, ...COMMON_HEADERS },
        body: writeExposition(reports ? joinFamilies(families, reports) : families),
      };
    },
  };
}

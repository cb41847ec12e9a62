// Metrics: the counts of the service. routes/metrics.ts adds the states, which are read at each scrape.

import { EventLoopLag } from "./eventLoopLag.ts";
import type { Family } from "./exposition.ts";
import { Histogram } from "./histogram.ts";
import { processFamilies } from "./processMetrics.ts";
import type { ServiceSettings } from "./settings.ts";
import { StoreMetrics } from "./storeMetrics.ts";

interface RouteStats {
  readonly statuses: Map<number, number>;
  readonly durations: Histogram;
}

function counter(name: string, help: string, samples: Family["samples"]): Family {
  return { name, type: "counter", help, samples };
}

/** The counts of one route. */
export interface RouteCounts {
  /** The route, such as `/decode/{id}`; empty for requests that no route answered. */
  readonly route: string;
  /** How many requests were answered, by status. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly durations: Histogram;
}

/** Counts requests by route and status, IDs by kind, calls to stores, and failures in the background. */
export class Metrics {
  readonly #routes = new Map<string, RouteStats>();
  readonly #ids = new Map<string, number>();
  readonly #refillFailures: Map<string, number>;
  readonly #stores: StoreMetrics;
  readonly #eventLoopLag: EventLoopLag = new EventLoopLag();
  readonly #createdAtMs = performance.now();
  #renewalFailures = 0;
  #leaseLosses = 0;

  constructor(settings: ServiceSettings) {
    this.#stores = new StoreMetrics(settings);
    this.#refillFailures = new Map(Object.keys(settings.types).map((type) => [type, 0]));
  }

  /** For how long it has counted. */
  get uptimeMs(): number {
    return performance.now() - this.#createdAtMs;
  }

  /** Counts an answered request. */
  countRequest(route: string, status: number, seconds: number): void {
    let stats = this.#routes.get(route);
    if (!stats) {
      stats = { statuses: new Map(), durations: new Histogram() };
      this.#routes.set(route, stats);
    }
    stats.statuses.set(status, (stats.statuses.get(status) ?? 0) + 1);
    stats.durations.observe(seconds);
  }

  /** Counts issued IDs. */
  countIds(kind: string, count: number): void {
    this.#ids.set(kind, (this.#ids.get(kind) ?? 0) + count);
  }

  /** Returns the counts of each route that was requested. */
  routeCounts(): RouteCounts[] {
    return [...this.#routes].map(([route, stats]) => ({ route, ...stats }));
  }

  /** Returns how many IDs of each kind were issued. */
  idCounts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#ids);
  }

  /** Counts a renewal of the lease that failed. */
  countRenewalFailure(): void {
    this.#renewalFailures++;
  }

  /** Counts a loss of the lease. */
  countLeaseLoss(): void {
    this.#leaseLosses++;
  }

  /** Counts a refill of a pool that failed. */
  countRefillFailure(type: string): void {
    this.#refillFailures.set(type, (this.#refillFailures.get(type) ?? 0) + 1);
  }

  /** Ends the observation of the stores and of the event loop. The counts stay. */
  stop(): void {
    this.#stores.stop();
    this.#eventLoopLag.stop();
  }

  /** Returns the metrics, in groups: requests, stores, failures, process. */
  families(): Family[] {
    const routes = [...this.#routes];
    return [
      counter(
        "bitflake_requests_total",
        "Requests answered.",
        routes.flatMap(([route, { statuses }]) =>
          [...statuses].map(([status, value]) => ({ labels: { route, status }, value })),
        ),
      ),
      {
        name: "bitflake_request_duration_seconds",
        type: "histogram",
        help: "Time from a request to its response.",
        samples: routes.flatMap(([route, { durations }]) => durations.samples({ route })),
      },
      counter(
        "bitflake_ids_total",
        "IDs issued.",
        [...this.#ids].map(([kind, value]) => ({ labels: { kind }, value })),
      ),
      ...this.#stores.families(),
      counter("bitflake_lease_renewal_failures_total", "Renewals of the node's lease that failed.", [
        { value: this.#renewalFailures },
      ]),
      counter("bitflake_lease_losses_total", "Losses of the node's lease.", [{ value: this.#leaseLosses }]),
      counter(
        "bitflake_pool_refill_failures_total",
        "Refills of a pool that failed.",
        [...this.#refillFailures].map(([type, value]) => ({ labels: { type }, value })),
      ),
      ...this.#eventLoopLag.families(),
      ...processFamilies(),
    ];
  }
}

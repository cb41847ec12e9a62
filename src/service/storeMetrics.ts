// Metrics of the stores: how long their calls take, and which fail, by operation.

import { observeCalls } from "../backend/observeCalls.ts";
import type { Backend } from "../backend/ports.ts";
import { BackendError } from "../internal.ts";
import type { Family } from "./exposition.ts";
import { Histogram } from "./histogram.ts";
import type { ServiceSettings } from "./settings.ts";

interface OperationStats {
  readonly durations: Histogram;
  /** How many calls failed, by reason. */
  readonly errors: Record<string, number>;
}

/** The calls of one store, by operation. */
class StoreCalls {
  readonly operations = new Map<string, OperationStats>();

  count(operation: string, durationMs: number, error: unknown): void {
    let stats = this.operations.get(operation);
    if (!stats) {
      // The usual reasons begin at 0, because Prometheus computes a rate from the second sample of a series on.
      stats = { durations: new Histogram(), errors: { failed: 0, timeout: 0 } };
      this.operations.set(operation, stats);
    }
    stats.durations.observe(durationMs / 1000);
    if (error === undefined) return;
    const reason = error instanceof BackendError ? error.reason : "other";
    stats.errors[reason] = (stats.errors[reason] ?? 0) + 1;
  }
}

/** Counts the calls to the stores of a service, from its creation until it is stopped. */
export class StoreMetrics {
  /** By the name of the option that the store is given by. A store that is given by several has the first name. */
  readonly #stores: (readonly [string, StoreCalls])[] = [];
  readonly #unsubscribes: (() => void)[] = [];

  constructor({ backend, poolBackend, leaseBackend }: ServiceSettings) {
    const known = new Set<Backend>();
    for (const [name, store] of Object.entries({ backend, poolBackend, leaseBackend })) {
      if (known.has(store)) continue;
      known.add(store);
      const calls = new StoreCalls();
      this.#stores.push([name, calls]);
      this.#unsubscribes.push(
        observeCalls(store, (operation, durationMs, error) => calls.count(operation, durationMs, error)),
      );
    }
  }

  /** Ends the counting. */
  stop(): void {
    for (const unsubscribe of this.#unsubscribes) unsubscribe();
  }

  families(): Family[] {
    const operations = this.#stores.flatMap(([store, calls]) =>
      [...calls.operations].map(([operation, stats]) => ({ labels: { store, operation }, stats })),
    );
    return [
      {
        name: "bitflake_store_call_duration_seconds",
        type: "histogram",
        help: "Time of a call to a store, by operation. A call that fails is counted too.",
        samples: operations.flatMap(({ labels, stats }) => stats.durations.samples(labels)),
      },
      {
        name: "bitflake_store_call_errors_total",
        type: "counter",
        help: "Calls to a store that failed, by operation and reason.",
        samples: operations.flatMap(({ labels, stats }) =>
          Object.entries(stats.errors).map(([reason, value]) => ({ labels: { ...labels, reason }, value })),
        ),
      },
    ];
  }
}

// Health of a service: probes of its stores and its generator, and the states of its pools.

import { ping } from "../backend/ping.ts";
import type { Backend } from "../backend/ports.ts";
import { counterPort } from "../counter/openPort.ts";
import { NO_VALUE } from "../counter/rule.ts";
import { BackendError, BitflakeError } from "../internal.ts";
import type { IdPoolStatus } from "../numeric/index.ts";
import { Dependency } from "./dependency.ts";
import type { Emit } from "./events.ts";
import type { Resources } from "./resources.ts";
import type { ServiceSettings } from "./settings.ts";
import { withTimeout } from "./withTimeout.ts";

/** How long a probe, or the count of a pool, may take, in milliseconds. */
const PROBE_TIMEOUT_MS = 2000;

/** How long the states of the pools are valid, in milliseconds. */
const POOL_STATES_FRESH_MS = 1000;

/** The name of the counter that probes write. All services on a store share it. */
const PROBE_COUNTER = "bitflake health";

/** The capacity from which a probe may use up an ID. */
const MIN_PROBED_IDS_PER_SECOND = 1000;

/** Codes of errors that the next ID meets as well. A lost lease is not one of them: it has events of its own. */
const CLOCK_CODES = ["ERR_CLOCK_BACKWARDS", "ERR_CLOCK_STALLED", "ERR_EPOCH", "ERR_TIMESTAMP_OVERFLOW"];

/** The status of a pool, or `undefined` if the store did not answer. */
export interface PoolState {
  readonly type: string;
  readonly status: IdPoolStatus | undefined;
}

export class Health {
  /** The store of counters and rate limits; of leases too, unless `leaseBackend` is another store. */
  readonly backendDependency: Dependency;
  /** The store of the pools; the same object as {@link backendDependency} if it is the same store. */
  readonly poolBackendDependency: Dependency;
  readonly generatorDependency: Dependency;
  readonly #resources: () => Resources | undefined;
  #counting: Promise<readonly PoolState[]> | undefined;
  #counted: Promise<readonly PoolState[]> = Promise.resolve([]);
  #countedAtMs = -Infinity;

  /** @param resources returns the resources while the service runs */
  constructor({ backend, poolBackend }: ServiceSettings, emit: Emit, resources: () => Resources | undefined) {
    this.#resources = resources;
    this.backendDependency = this.#storeDependency("backend", backend, emit);
    this.poolBackendDependency =
      poolBackend === backend
        ? this.backendDependency
        : this.#storeDependency("poolBackend", poolBackend, emit);
    this.generatorDependency = new Dependency({
      probe: () => this.#probeGenerator(),
      onFailed: (error) => emit("generator_failing", { error }),
      onRecovered: () => emit("generator_recovered", {}),
    });
  }

  /** Reports the error of a request: its store or the generator may have failed. */
  reportError(error: unknown, store: Dependency): void {
    // Errors before the end of the start are the start's own: see reportStartError.
    if (!this.#resources()) return;
    if (error instanceof BackendError) store.reportError(error);
    else if (isClockError(error)) this.generatorDependency.reportError(error);
  }

  /** Reports the error of a start. It may come from either store, or from that of the leases, which has no state of its own. */
  reportStartError(error: unknown): void {
    if (!(error instanceof BackendError)) return;
    this.backendDependency.reportError(error);
    this.poolBackendDependency.reportError(error);
  }

  /** Reports a successful start. */
  reportStarted(): void {
    this.backendDependency.markHealthy();
    this.poolBackendDependency.markHealthy();
  }

  /** Resolves to the states of the pools, counted at most once a second: anyone may ask. */
  poolStates(): Promise<readonly PoolState[]> {
    if (!this.#counting && performance.now() - this.#countedAtMs >= POOL_STATES_FRESH_MS) {
      this.#counted = this.#counting = this.#countPools().finally(() => {
        this.#countedAtMs = performance.now();
        this.#counting = undefined;
      });
    }
    return this.#counted;
  }

  /** Stops all probes. */
  stop(): void {
    for (const dependency of [this.backendDependency, this.poolBackendDependency, this.generatorDependency])
      dependency.stop();
  }

  #storeDependency(store: "backend" | "poolBackend", port: Backend, emit: Emit): Dependency {
    const counter = counterPort(port, PROBE_COUNTER);
    return new Dependency({
      // Writes, because a store can answer and refuse to write: a replica, a full disk, a locked file. Before the start
      // the table may be missing.
      probe: async () => {
        if (!this.#resources()) await ping(port, PROBE_TIMEOUT_MS);
        else {
          const request = { count: 1n, floor: 1n, highest: NO_VALUE };
          await counter.reserve(request, { maxWaitMs: PROBE_TIMEOUT_MS, background: true });
        }
      },
      onFailed: (error) => emit("store_down", { store, error }),
      onRecovered: () => emit("store_up", { store }),
    });
  }

  /** Makes an ID and discards it, if the layout has IDs to spare or the generator may have failed. */
  async #probeGenerator(): Promise<void> {
    const generator = this.#resources()?.generator;
    if (!generator) return;
    const isWorking =
      this.generatorDependency.failure === undefined && this.generatorDependency.reportedError === undefined;
    if (isWorking && generator.capacity().idsPerSecond < MIN_PROBED_IDS_PER_SECOND) return;
    await withTimeout(generator.nextIdAsync(), PROBE_TIMEOUT_MS).catch((error) => {
      if (isClockError(error)) throw error;
    });
  }

  async #countPools(): Promise<readonly PoolState[]> {
    return Promise.all(
      Object.entries(this.#resources()?.pools ?? {}).map(async ([type, pool]) => {
        const counted = pool.status().catch(() => undefined);
        return { type, status: await withTimeout(counted, PROBE_TIMEOUT_MS) };
      }),
    );
  }
}

function isClockError(error: unknown): boolean {
  return error instanceof BitflakeError && CLOCK_CODES.includes(error.code);
}

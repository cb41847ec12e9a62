// Lifecycle of a service: new, starting, running, stopping; new again after a failed start. The pools exist from the
// beginning, the other resources from the first successful start.

import { startTimer } from "../backend/call.ts";
import { ArgumentError, assertWhole } from "../internal.ts";
import { createEmitter, type Emit, forwardLeaseEvents } from "./events.ts";
import { Health } from "./health.ts";
import type { MaybePromise } from "./message.ts";
import type { Metrics } from "./metrics.ts";
import { closeResources, createPools, openResources, type Resources } from "./resources.ts";
import { HttpError, RETRY_SOON } from "./response.ts";
import type { ServiceSettings } from "./settings.ts";

/** How long after a failed start a request may start the service again, in milliseconds. */
const START_RETRY_MS = 1000;

/** How long the stop waits for requests in flight, in milliseconds. */
const STOP_TIMEOUT_MS = 15_000;

/** The longest delay of a timer, in every runtime. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export type Phase = "new" | "starting" | "running" | "stopping";

export class Lifecycle {
  phase: Phase = "new";
  /** Set by a successful start and never unset, so that a request gets them without a promise. Closed by the stop. */
  resources: Resources | undefined;
  /** Why the last start failed, or what the current start waits for. */
  startError: unknown;
  /** Whether {@link drain} was called: `/health` says "stopping" while requests are still served. */
  isDraining = false;
  readonly health: Health;

  readonly #settings: ServiceSettings;
  readonly #metrics: Metrics;
  readonly #emit: Emit;
  readonly #onRefillFailed = (type: string, error: unknown): void => {
    this.#metrics.countRefillFailure(type);
    this.#emit("refill_failed", { type, error });
  };
  readonly #pools: Resources["pools"];
  #starting: Promise<Resources> | undefined;
  #stopping: Promise<void> | undefined;
  #startFailedAtMs = -Infinity;
  /** Whether the start waits for leases to end that the store may have forgotten. */
  #isFenced = false;
  #stopLeaseEvents = () => {};
  #requestsInFlight = 0;
  #onIdle = () => {};

  constructor(settings: ServiceSettings, metrics: Metrics) {
    this.#settings = settings;
    this.#metrics = metrics;
    this.#emit = createEmitter(settings.onEvent);
    this.#pools = createPools(settings, this.#onRefillFailed);
    this.health = new Health(settings, this.#emit, () => this.resources);
  }

  /** Starts the service, or resolves with the start that is in progress. */
  start(): Promise<Resources> {
    if (this.phase === "stopping") {
      return Promise.reject(new ArgumentError("service", "one that has not been stopped", "stopped"));
    }
    if (this.#starting) return this.#starting;
    this.phase = "starting";
    this.#starting = openResources(this.#settings, this.#pools, {
      onRefillFailed: this.#onRefillFailed,
      onFenced: (error) => {
        this.#isFenced = true;
        this.startError = error;
        this.#emit("lease_fenced", { error });
      },
      isStopping: () => this.phase === "stopping",
    }).then(
      (resources) => {
        this.#isFenced = false;
        this.resources = resources;
        if (this.phase === "starting") this.phase = "running";
        this.health.reportStarted();
        if (resources.lease)
          this.#stopLeaseEvents = forwardLeaseEvents(resources.lease, this.#emit, this.#metrics);
        return resources;
      },
      (error) => {
        this.#starting = undefined;
        this.#isFenced = false;
        this.#startFailedAtMs = performance.now();
        this.startError = error;
        this.health.reportStartError(error);
        if (this.phase === "starting") this.phase = "new";
        throw error;
      },
    );
    return this.#starting;
  }

  /** Returns the resources for a request, and starts the service if needed: at most once a second. */
  ensureStarted(): MaybePromise<Resources> {
    if (this.resources) return this.resources;
    // A fence may last as long as a lease: the client gets an error instead of waiting.
    if (this.#isFenced) throw this.startError;
    if (this.#starting) return this.#starting;
    if (this.phase === "stopping") throw stoppingError();
    if (performance.now() - this.#startFailedAtMs < START_RETRY_MS) throw this.startError;
    return this.start();
  }

  /** Adds a request to the count of requests in flight, or refuses it if the service is stopping. */
  admitRequest(): void {
    if (this.phase === "stopping") throw stoppingError();
    this.#requestsInFlight++;
  }

  /** Takes an admitted request out of the count of requests in flight, because it is answered. */
  finishRequest(): void {
    this.#requestsInFlight--;
    if (this.#requestsInFlight === 0) this.#onIdle();
  }

  get requestsInFlight(): number {
    return this.#requestsInFlight;
  }

  /** Announces the stop in `/health`, and resolves after `ms`. */
  drain(ms: number): Promise<void> {
    assertWhole("ms", ms, 0, MAX_TIMER_MS);
    this.isDraining = true;
    return new Promise((resolve) => void startTimer(resolve, ms));
  }

  /** Stops the service: waits for requests in flight, then closes the resources. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.phase = "stopping";
    this.health.stop();
    await this.#starting?.catch(() => {});
    if (this.#requestsInFlight > 0) await this.#untilIdle();
    this.#stopLeaseEvents();
    if (this.resources) await closeResources(this.resources);
    this.#metrics.stop();
  }

  /** Resolves when no request is in flight, at the latest after {@link STOP_TIMEOUT_MS}: a body may never end. */
  #untilIdle(): Promise<void> {
    return new Promise((resolve) => {
      // The timer keeps the process alive: an exit before the release would leave the node taken.
      const stopTimer = startTimer(resolve, STOP_TIMEOUT_MS);
      this.#onIdle = () => {
        stopTimer();
        resolve();
      };
    });
  }
}

function stoppingError(): HttpError {
  const headers = { ...RETRY_SOON, connection: "close" };
  return new HttpError(503, "ERR_STOPPING", "The service is stopping.", headers);
}

// The life of a service: not begun, starting, running, stopping. Its parts are there while it runs.

import { startTimer } from "../backend/call.ts";
import { ping } from "../backend/ping.ts";
import type { Backend } from "../backend/ports.ts";
import { counterPort } from "../counter/openPort.ts";
import { NO_VALUE } from "../counter/rule.ts";
import { ArgumentError, assertWhole, BackendError, BitflakeError } from "../internal.ts";
import type { IdPoolStatus } from "../numeric/index.ts";
import { Dependency } from "./dependency.ts";
import { createEmitter, type Emit, forwardLeaseEvents } from "./events.ts";
import { closeResources, createPools, openResources, type Resources } from "./resources.ts";
import { HttpError, RETRY_SOON } from "./response.ts";
import type { ServiceSettings } from "./settings.ts";

/** How long after a start that failed the next one may be tried, in milliseconds. */
const RETRY_MS = 1000;

/** How long a store may take to be written, or a pool to be counted, in milliseconds. */
const PING_MS = 2000;

/** How long the end waits for those under way, in milliseconds. */
const PATIENCE_MS = 15_000;

/** How long what was seen is good for, in milliseconds. */
const LOOK_MS = 1000;

/** The name of the counter that probes write; services of one store share it. */
const PROBE = "bitflake health";

/** How many IDs a second a generator must make for one of them to be made as a probe. */
const PLENTY = 1000;

/** The longest timer there is, in every runtime. */
const MAX_TIMER = 2 ** 31 - 1;

/** The codes of errors that the next ID meets with as well. A lost lease is told by the lease itself. */
const CLOCK_CODES = ["ERR_CLOCK_BACKWARDS", "ERR_CLOCK_STALLED", "ERR_EPOCH", "ERR_TIMESTAMP_OVERFLOW"];

/** How a pool is; no status of one that cannot be asked. */
export interface PoolState {
  readonly type: string;
  readonly status: IdPoolStatus | undefined;
}

/** What a service is doing. */
export type Phase = "new" | "starting" | "running" | "stopping";

/** Begins and ends, each once at a time. */
export class Lifecycle {
  phase: Phase = "new";
  /** There while it runs, so that a request need not wait for what is there. */
  resources: Resources | undefined;
  /** Why the last start failed, or what the start that is under way waits for. */
  failure: unknown;
  /** Whether the end is announced: requests are served, but no more are to be sent here. */
  isDraining = false;
  /** The store of leases, counters and limits. */
  readonly backend: Dependency;
  /** The store of the pools; the same part, if it is the same store. */
  readonly poolBackend: Dependency;
  readonly generator: Dependency;

  readonly #emit: Emit;
  readonly #onRefillFailed = (type: string, error: unknown): void =>
    this.#emit("refill_failed", { type, error });
  #stopTelling = () => {};
  readonly #settings: ServiceSettings;
  readonly #pools: Resources["pools"];
  #starting: Promise<Resources> | undefined;
  #ending: Promise<void> | undefined;
  #failedAt = -Infinity;
  /** Whether the start waits for leases to end that the store may have forgotten. */
  #isFenced = false;
  #looking: Promise<readonly PoolState[]> | undefined;
  #looked: Promise<readonly PoolState[]> = Promise.resolve([]);
  #lookedAt = -Infinity;
  #requests = 0;
  #idle = () => {};

  constructor(settings: ServiceSettings) {
    this.#settings = settings;
    this.#emit = createEmitter(settings.onEvent);
    this.#pools = createPools(settings, this.#onRefillFailed);
    const { backend, poolBackend } = settings;
    this.backend = this.#storePart("backend", backend);
    this.poolBackend = poolBackend === backend ? this.backend : this.#storePart("poolBackend", poolBackend);
    this.generator = new Dependency({
      probe: () => this.#tryGenerator(),
      onFailed: (error) => this.#emit("generator_failing", { error }),
      onRecovered: () => this.#emit("generator_recovered", {}),
    });
  }

  #storePart(store: "backend" | "poolBackend", port: Backend): Dependency {
    const counter = counterPort(port, PROBE);
    return new Dependency({
      // A store can answer and not be written: a replica, a full disk, a file that another has locked. Before the start
      // there may be no table yet.
      probe: async () => {
        if (!this.resources) await ping(port, PING_MS);
        else
          await counter.reserve(
            { count: 1n, floor: 1n, highest: NO_VALUE },
            { maxWaitMs: PING_MS, background: true },
          );
      },
      onFailed: (error) => this.#emit("store_down", { store, error }),
      onRecovered: () => this.#emit("store_up", { store }),
    });
  }

  /** Makes an ID and throws it away, where there are so many that none will be missed. */
  async #tryGenerator(): Promise<void> {
    const generator = this.resources?.generator;
    if (!generator) return;
    // Where it fails, nothing is lost by trying.
    const isGood = this.generator.failure === undefined && this.generator.reportedError === undefined;
    if (isGood && generator.capacity().idsPerSecond < PLENTY) return;
    await within(generator.nextIdAsync(), PING_MS).catch((error) => {
      if (isClockError(error)) throw error;
    });
  }

  /** Starts, or waits for the start that is under way. */
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
        this.failure = error;
        this.#emit("lease_fenced", { error });
      },
      isStopping: () => this.phase === "stopping",
    }).then(
      (parts) => {
        this.#isFenced = false;
        this.resources = parts;
        if (this.phase === "starting") this.phase = "running";
        this.backend.markHealthy();
        this.poolBackend.markHealthy();
        if (parts.lease) this.#stopTelling = forwardLeaseEvents(parts.lease, this.#emit);
        return parts;
      },
      (error) => {
        this.#starting = undefined;
        this.#isFenced = false;
        this.#failedAt = performance.now();
        this.failure = error;
        if (error instanceof BackendError) {
          // It does not say which of the two it was.
          this.backend.reportError(error);
          this.poolBackend.reportError(error);
        }
        if (this.phase === "starting") this.phase = "new";
        throw error;
      },
    );
    return this.#starting;
  }

  /** The parts, for a request: it starts what is not there, but not again and again. */
  ensureStarted(): Resources | Promise<Resources> {
    if (this.resources) return this.resources;
    // That may take as long as a lease, and a client is not to hang for it.
    if (this.#isFenced) throw this.failure;
    if (this.#starting) return this.#starting;
    if (this.phase === "stopping") throw stopping();
    if (performance.now() - this.#failedAt < RETRY_MS) throw this.failure;
    return this.start();
  }

  /** Takes note of an error that a request has met with. */
  note(error: unknown, store: Dependency): void {
    // Why it could not start is looked at by the start itself.
    if (!this.resources) return;
    if (error instanceof BackendError) store.reportError(error);
    else if (isClockError(error)) this.generator.reportError(error);
  }

  /** How each pool is, for all who ask within a second: anyone may ask, and must not make work. */
  poolStates(): Promise<readonly PoolState[]> {
    const now = performance.now();
    if (!this.#looking && now - this.#lookedAt >= LOOK_MS) {
      this.#looked = this.#looking = this.#look().finally(() => {
        this.#lookedAt = performance.now();
        this.#looking = undefined;
      });
    }
    return this.#looked;
  }

  async #look(): Promise<readonly PoolState[]> {
    return Promise.all(
      Object.entries(this.resources?.pools ?? {}).map(async ([type, pool]) => {
        const status = await within(
          pool.status().catch(() => undefined),
          PING_MS,
        );
        return { type, status };
      }),
    );
  }

  /** Announces the end, and waits for so long. */
  drain(ms: number): Promise<void> {
    assertWhole("ms", ms, 0, MAX_TIMER);
    this.isDraining = true;
    return new Promise((resolve) => void startTimer(resolve, ms));
  }

  /** Counts a request in, or refuses it when the end has begun. */
  admit(): void {
    if (this.phase === "stopping") throw stopping();
    this.#requests++;
  }

  /** Counts it out. */
  leave(): void {
    this.#requests--;
    if (this.#requests === 0) this.#idle();
  }

  /** How many are under way. */
  get requestsInFlight(): number {
    return this.#requests;
  }

  /** Ends: lets those under way finish, and gives everything back. */
  stop(): Promise<void> {
    this.#ending ??= this.#stop();
    return this.#ending;
  }

  async #stop(): Promise<void> {
    this.phase = "stopping";
    for (const part of [this.backend, this.poolBackend, this.generator]) part.stop();
    await this.#starting?.catch(() => {});
    if (this.#requests > 0) {
      await new Promise<void>((resolve) => {
        // A body that never comes would hold up the end for ever. The process is to wait for it, or it leaves its node.
        const stopTimer = startTimer(resolve, PATIENCE_MS);
        this.#idle = () => {
          stopTimer();
          resolve();
        };
      });
    }
    this.#stopTelling();
    if (this.resources) await closeResources(this.resources);
  }
}

/** Whether a generator refuses, and does not only have to wait. */
function isClockError(error: unknown): boolean {
  return error instanceof BitflakeError && CLOCK_CODES.includes(error.code);
}

/** What comes in time, or nothing. */
async function within<T>(value: Promise<T>, ms: number): Promise<T | undefined> {
  let stop = () => {};
  const over = new Promise<undefined>((resolve) => {
    stop = startTimer(() => resolve(undefined), ms, true);
  });
  try {
    return await Promise.race([value, over]);
  } finally {
    stop();
  }
}

function stopping(): HttpError {
  return new HttpError(503, "ERR_STOPPING", "The service is about to end.", {
    ...RETRY_SOON,
    connection: "close",
  });
}

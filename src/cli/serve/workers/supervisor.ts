// The supervisor of the workers of `bitflake serve --workers`: starts them, replaces those that end, restarts them one after
// another, stops them.

import { startTimer } from "../../../backend/call.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { type Peer, PeerReads } from "./peerReads.ts";

/** How long a worker must have served for its end to be the first in a row, in milliseconds. */
const STABLE_MS = 10_000;

/** The pauses before a worker is replaced whose predecessor did not serve for long: the first, and the longest. */
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it could not be started. */
  readonly error?: string;
}

/** A process that the supervisor has started. */
export interface WorkerProcess {
  /** Sends a message, which is lost if the process has ended. */
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  onExit(listener: (exit: Exit) => void): void;
  /** Ends the process at once. */
  kill(): void;
}

/** An event of the workers. */
export interface WorkerEvent {
  readonly level: "info" | "warn" | "error";
  readonly event: "worker_exited" | "workers_restarted" | "workers_restart_failed";
  readonly message: string;
  /** The number of the worker, from 1. */
  readonly worker?: number;
}

/** The options of a supervisor. */
export interface SupervisorOptions {
  /** How many workers serve. */
  readonly count: number;
  /** How long a worker may take to end after the message, in milliseconds. Then it is killed. */
  readonly stopTimeoutMs: number;
  /** Starts a process. */
  fork(): WorkerProcess;
  /** Called with the start report of the first worker when it listens. */
  onListening(startReport: string): void;
  onEvent(event: WorkerEvent): void;
  /** Returns milliseconds that never go back. */
  nowMs(): number;
}

/** A process in one of the places of the workers. */
interface Worker extends Peer {
  readonly place: Place;
  readonly process: WorkerProcess;
  listeningSinceMs: number | undefined;
  /** The message by which it was ended. */
  ending: "stop" | "retire" | undefined;
  /** Resolves to whether it listens: not if it ended before. */
  readonly listening: Promise<boolean>;
  readonly exited: Promise<Exit>;
}

/** The place of a worker: its number, and the process that has it. */
interface Place {
  readonly number: number;
  /** The process that serves in this place or starts for it; `undefined` during the pause before the next. */
  current: Worker | undefined;
  /** How many processes in a row did not serve for long. */
  failures: number;
  stopPause: () => void;
}

function describeExit({ code, signal, error }: Exit): string {
  if (error !== undefined) return `the error ${error}`;
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #places: readonly Place[];
  readonly #workers = new Set<Worker>();
  readonly #peerReads: PeerReads = new PeerReads();
  #isStopping = false;
  /** Whether the first worker has listened. Before that its end is the end of all. */
  #hasStarted = false;
  #restarting: Promise<void> | undefined;
  #isRestartRequested = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.count }, (_, index) => ({
      number: index + 1,
      current: undefined,
      failures: 0,
      stopPause: () => {},
    }));
  }

  /**
   * Runs the workers until the signal.
   *
   * @returns the exit code: that of the first worker if it does not start, otherwise 0
   */
  async run(signal: AbortSignal): Promise<number> {
    const [first, ...others] = this.#places as [Place, ...Place[]];
    signal.addEventListener("abort", () => this.#stop(), { once: true });
    // The first one alone, so that wrong settings are reported once.
    const worker = this.#start(first);
    if (!(await worker.listening)) {
      const exit = await worker.exited;
      // With an exit code it has reported its error itself.
      if (exit.code === null && !this.#isStopping) {
        const message = `Worker 1 ended with ${describeExit(exit)} before it served.`;
        this.#options.onEvent({ level: "error", event: "worker_exited", message, worker: 1 });
      }
      return exit.code ?? 1;
    }
    this.#hasStarted = true;
    for (const place of others) if (!this.#isStopping) this.#start(place);
    if (this.#isRestartRequested) this.restart();
    if (!signal.aborted) await new Promise((stop) => signal.addEventListener("abort", stop, { once: true }));
    // A restart may start one more while the others end.
    while (this.#workers.size > 0) await Promise.all([...this.#workers].map(({ exited }) => exited));
    return 0;
  }

  /**
   * Replaces the workers one after another: each ends when its successor listens. During a restart it is repeated after it, and
   * while the first worker starts, which may have read the old configuration, it is done afterwards.
   */
  restart(): void {
    if (this.#isStopping) return;
    this.#isRestartRequested = true;
    if (!this.#hasStarted) return;
    this.#restarting ??= this.#restartAll().finally(() => {
      this.#restarting = undefined;
    });
  }

  async #restartAll(): Promise<void> {
    while (this.#isRestartRequested && !this.#isStopping) {
      this.#isRestartRequested = false;
      if (await this.#restartEach()) {
        const message = `All ${this.#places.length} workers were restarted.`;
        this.#options.onEvent({ level: "info", event: "workers_restarted", message });
      }
    }
  }

  /** Returns whether all were replaced. */
  async #restartEach(): Promise<boolean> {
    for (const place of this.#places) {
      if (this.#isStopping) return false;
      const next = this.#start(place, "successor");
      if (!(await next.listening)) {
        if (this.#isStopping) return false;
        const exit = describeExit(await next.exited);
        const message = `The restart ended at worker ${place.number}, whose successor ended with ${exit}. This worker and those after it serve on.`;
        this.#options.onEvent({
          level: "error",
          event: "workers_restart_failed",
          message,
          worker: place.number,
        });
        return false;
      }
      if (this.#isStopping) return false;
      const former = place.current;
      place.stopPause();
      place.current = next;
      place.failures = 0;
      if (former) await this.#end(former, "retire");
    }
    return true;
  }

  /** Starts a process for a place. A successor takes the place only when it listens. */
  #start(place: Place, role: "worker" | "successor" = "worker"): Worker {
    const process = this.#options.fork();
    let setListening = (_isListening: boolean): void => {};
    let setExit = (_exit: Exit): void => {};
    const worker: Worker = {
      place,
      number: place.number,
      process,
      listeningSinceMs: undefined,
      ending: undefined,
      listening: new Promise((resolve) => {
        setListening = resolve;
      }),
      exited: new Promise((resolve) => {
        setExit = resolve;
      }),
      send: (message) => process.send(message),
    };
    this.#workers.add(worker);
    if (role === "worker") place.current = worker;
    process.onMessage((received) => {
      // Other code in the process may send messages of its own.
      const message = Object(received) as FromWorker;
      if (message.kind === "report") this.#peerReads.take(message.id, message.report);
      else if (message.kind === "readPeers")
        void this.#peerReads.answer(worker, message.id, this.#peersOf(worker));
      else if (message.kind === "listening") {
        worker.listeningSinceMs = this.#options.nowMs();
        if (!this.#hasStarted) this.#options.onListening(message.startReport);
        // It may not have heard the message while it started.
        if (worker.ending !== undefined) process.send({ kind: worker.ending });
        setListening(true);
      }
    });
    process.onExit((exit) => {
      this.#workers.delete(worker);
      setListening(false);
      setExit(exit);
      if (place.current === worker) this.#replace(worker, exit);
    });
    return worker;
  }

  #peersOf(worker: Worker): Worker[] {
    return this.#places.flatMap(({ current }) =>
      current !== undefined && current.place !== worker.place && current.listeningSinceMs !== undefined
        ? [current]
        : [],
    );
  }

  /** Starts a process in the place of one that has ended by itself: at once, or after a pause if it did not serve for long. */
  #replace({ place, listeningSinceMs }: Worker, exit: Exit): void {
    place.current = undefined;
    if (this.#isStopping || !this.#hasStarted) return;
    const servedMs = listeningSinceMs === undefined ? 0 : this.#options.nowMs() - listeningSinceMs;
    if (servedMs >= STABLE_MS) place.failures = 0;
    const pauseMs =
      place.failures === 0 ? 0 : Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (place.failures - 1));
    place.failures++;
    const start = pauseMs === 0 ? "Another starts" : `Another starts in ${pauseMs} ms`;
    const next = `${start}, with the configuration as it is then.`;
    this.#options.onEvent({
      level: "warn",
      event: "worker_exited",
      message: `Worker ${place.number} ended with ${describeExit(exit)}. ${next}`,
      worker: place.number,
    });
    place.stopPause = startTimer(() => this.#start(place), pauseMs);
  }

  #stop(): void {
    this.#isStopping = true;
    for (const place of this.#places) place.stopPause();
    for (const worker of this.#workers) void this.#end(worker, "stop");
  }

  /** Sends a worker the message to end, and kills it if it does not in time. */
  async #end(worker: Worker, kind: "stop" | "retire"): Promise<void> {
    const { process, exited } = worker;
    worker.ending = kind;
    process.send({ kind });
    const stopTimer = startTimer(() => process.kill(), this.#options.stopTimeoutMs);
    await exited;
    stopTimer();
  }
}

// The life of a service: not begun, starting, running, stopping. Its parts are there while it runs.

import { startTimer } from "../backend/ask.ts";
import { ping } from "../backend/ping.ts";
import type { Backend } from "../backend/ports.ts";
import { ArgumentError } from "../core.ts";
import { begin, end, type Parts, poolsOf } from "./parts.ts";
import { Refusal, SOON } from "./reply.ts";
import type { Settings } from "./settings.ts";

/** How long after a start that failed the next one may be tried, in milliseconds. */
const RETRY_MS = 1000;

/** How long a store may take to say that it is there, in milliseconds. */
export const PING_MS = 2000;

/** How long the end waits for those under way, in milliseconds. */
const PATIENCE_MS = 15_000;

/** How long what was seen is good for, in milliseconds. */
const LOOK_MS = 1000;

/** What a service is doing. */
export type Phase = "new" | "starting" | "running" | "stopping";

/** Begins and ends, each once at a time. */
export class Life {
  phase: Phase = "new";
  /** There while it runs, so that a request need not wait for what is there. */
  parts: Parts | undefined;
  /** Why the last start failed. */
  failure: unknown;

  readonly #settings: Settings;
  readonly #pools: Parts["pools"];
  #starting: Promise<Parts> | undefined;
  #ending: Promise<void> | undefined;
  #failedAt = -Infinity;
  readonly #looks = new Map<unknown, { readonly atMs: number; readonly found: Promise<unknown> }>();
  #requests = 0;
  #idle = () => {};

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#pools = poolsOf(settings);
  }

  /** Starts, or waits for the start that is under way. */
  start(): Promise<Parts> {
    if (this.phase === "stopping") {
      return Promise.reject(new ArgumentError("service", "one that has not been stopped", "stopped"));
    }
    if (this.#starting) return this.#starting;
    this.phase = "starting";
    this.#starting = begin(this.#settings, this.#pools).then(
      (parts) => {
        this.parts = parts;
        if (this.phase === "starting") this.phase = "running";
        return parts;
      },
      (error) => {
        this.#starting = undefined;
        this.#failedAt = performance.now();
        this.failure = error;
        if (this.phase === "starting") this.phase = "new";
        throw error;
      },
    );
    return this.#starting;
  }

  /** The parts, for a request: it starts what is not there, but not again and again. */
  need(): Parts | Promise<Parts> {
    if (this.parts) return this.parts;
    if (this.#starting) return this.#starting;
    if (this.phase === "stopping") throw stopping();
    if (performance.now() - this.#failedAt < RETRY_MS) throw this.failure;
    return this.start();
  }

  /** Whether a store answers. */
  isThere(backend: Backend): Promise<boolean> {
    return this.shared(backend, () =>
      ping(backend, PING_MS).then(
        () => true,
        () => false,
      ),
    );
  }

  /** What a look has found, for all who look within a second: watching is free for anyone, and must not be work. */
  shared<T>(what: unknown, look: () => Promise<T>): Promise<T> {
    const now = performance.now();
    const last = this.#looks.get(what);
    if (last && now - last.atMs < LOOK_MS) return last.found as Promise<T>;
    const found = look();
    this.#looks.set(what, { atMs: now, found });
    return found;
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
  get requests(): number {
    return this.#requests;
  }

  /** Ends: lets those under way finish, and gives everything back. */
  stop(): Promise<void> {
    this.#ending ??= this.#stop();
    return this.#ending;
  }

  async #stop(): Promise<void> {
    this.phase = "stopping";
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
    if (this.parts) await end(this.parts);
  }
}

function stopping(): Refusal {
  return new Refusal(503, "ERR_STOPPING", "The service is about to end.", { ...SOON, connection: "close" });
}

// Sends requests: attempts at one service after the other, with pauses between the rounds, until one succeeds, or a failure
// lasts, or the time is up.

import { startTimer } from "../backend/call.ts";
import { ServiceError, type ServiceFailure } from "../internal.ts";
import { assertNotCached, UnexpectedAnswer } from "./answers.ts";
import { type Answer, attempt, isFailure, type ServiceRequest } from "./attempt.ts";
import type { ClientSettings } from "./options.ts";
import { isShared, mayPass, retryPause } from "./retryRule.ts";

/** A request, and how its answer is read. */
export interface ServiceCall<T> extends ServiceRequest {
  /** Returns the result. Throws an {@link UnexpectedAnswer} if the request cannot have this answer. */
  readonly parse: (answer: Answer) => T;
  /** The key of the request, which its errors have too. */
  readonly requestKey?: string;
}

/** The limits of one call. */
export interface SendLimits {
  /** Returns the moment after which there is no attempt, by `performance.now()`. It may move while the call waits. */
  readonly untilMs: () => number;
  /** Whether the process may end while the call waits. Default `false`. */
  readonly background?: boolean;
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Is called with the error of each attempt that failed. */
  readonly onFailure?: (error: ServiceError) => void;
}

/** The error of calls on a closed client. */
export function closedError(): ServiceError {
  return new ServiceError({ request: "", url: "", reason: "closed", what: "the client is closed" }, 0);
}

/** Sends requests to the services of a client. */
export class Sender {
  readonly #settings: ClientSettings;
  readonly #random: () => number;
  /** The index of the service that answered last. */
  #preferred = 0;
  /** Stops the calls in progress. */
  readonly #open = new Set<AbortController>();
  #isClosed = false;

  /** @param random returns a number from 0 to 1, exclusive */
  constructor(settings: ClientSettings, random: () => number) {
    this.#settings = settings;
    this.#random = random;
  }

  /** Ends all calls: those in progress, and those to come. */
  close(): void {
    this.#isClosed = true;
    for (const controller of this.#open) controller.abort(closedError());
  }

  /**
   * Sends a request until it succeeds.
   *
   * @throws {@link ServiceError} if it does not, or the client is closed; or the reason of `limits.signal`
   */
  async send<T>(call: ServiceCall<T>, limits: SendLimits): Promise<T> {
    const { signal } = limits;
    signal?.throwIfAborted();
    if (this.#isClosed) throw closedError();
    const controller = new AbortController();
    const abort = () => controller.abort(signal?.reason);
    signal?.addEventListener("abort", abort);
    this.#open.add(controller);
    try {
      return await this.#repeat(call, limits, controller.signal);
    } finally {
      this.#open.delete(controller);
      signal?.removeEventListener("abort", abort);
    }
  }

  async #repeat<T>(call: ServiceCall<T>, limits: SendLimits, stop: AbortSignal): Promise<T> {
    const { urls, retry } = this.#settings;
    const { untilMs, background = false, onFailure } = limits;
    let at = this.#preferred;
    for (let attempts = 1; ; attempts++) {
      const result = await this.#attempt(call, at, limits, stop);
      if ("value" in result) {
        this.#preferred = at;
        return result.value;
      }
      const error = new ServiceError({ ...result, requestKey: call.requestKey }, attempts);
      onFailure?.(error);
      if (!retry || !mayPass(result)) throw error;
      at = (at + 1) % urls.length;
      // Another service may work, so it is tried at once.
      const isRoundOver = attempts % urls.length === 0 || isShared(result);
      const rounds = Math.ceil(attempts / urls.length);
      const pauseMs = isRoundOver ? retryPause(rounds, result.retryAfterMs ?? 0, this.#random()) : 0;
      if (performance.now() + pauseMs >= untilMs()) throw error;
      if (isRoundOver) await pause(pauseMs, background, stop);
    }
  }

  async #attempt<T>(
    call: ServiceCall<T>,
    at: number,
    { untilMs, background = false }: SendLimits,
    stop: AbortSignal,
  ): Promise<{ readonly value: T } | ServiceFailure> {
    const { urls, attemptTimeoutMs, fetch, apiKey } = this.#settings;
    const url = urls[at] as string;
    // At least 1, because the first attempt of a call is made in any case.
    const leftMs = Math.max(1, Math.ceil(untilMs() - performance.now()));
    const timeoutMs = Math.min(attemptTimeoutMs, leftMs);
    const result = await attempt(call, { fetch, url, apiKey, timeoutMs, background, stop });
    if (isFailure(result)) return result;
    try {
      assertNotCached(result);
      return { value: call.parse(result) };
    } catch (error) {
      if (!(error instanceof UnexpectedAnswer)) throw error;
      const what = `unexpected answer: ${error.why}`;
      return { request: `${call.method} ${call.path}`, url, reason: "answer", what, status: result.status };
    }
  }
}

/** Waits. Rejects with the signal's reason when it is aborted. */
function pause(ms: number, background: boolean, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      stopTimer();
      reject(stop.reason);
    };
    const wake = () => {
      stop.removeEventListener("abort", abort);
      resolve();
    };
    const stopTimer = startTimer(wake, ms, { background });
    stop.addEventListener("abort", abort, { once: true });
  });
}

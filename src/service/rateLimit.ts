// The rate limit stage: counts each request in its client's limit, and decides what happens while the store is down.

import type { OnStoreError } from "../backend/onStoreError.ts";
import { BackendError } from "../internal.ts";
import { type Decision, type RateLimit, rateLimitHeaders } from "../ratelimit/index.ts";
import type { Exchange } from "./exchange.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { HttpError } from "./response.ts";
import type { RateLimitSettings } from "./settings.ts";

/** Applies the rate limit to the requests of each client. */
export class RequestLimiter {
  readonly #limiter: RateLimit;
  readonly #onStoreError: OnStoreError;
  readonly #lifecycle: Lifecycle;

  constructor({ limiter, onStoreError }: RateLimitSettings, lifecycle: Lifecycle) {
    this.#limiter = limiter;
    this.#onStoreError = onStoreError;
    this.#lifecycle = lifecycle;
  }

  /**
   * Counts a request in the limit of its client, or refuses it.
   *
   * @returns the headers that the response must have
   * @throws {@link HttpError} 429 if the client has no quota left for it, 400 if it costs more than the whole quota
   * @throws {@link BackendError} if the store is down and `onStoreError` is `"fail"`
   * @throws any error of the start. While there are no resources, a {@link BackendError} of the limit makes this stage start
   *   the service
   */
  async limit(exchange: Exchange, cost: number): Promise<Readonly<Record<string, string>>> {
    const { quota } = this.#limiter;
    // A request that can never pass costs 1, so that sending it is limited too.
    const isAboveQuota = cost > quota;
    const decision = await this.#decide(exchange.client.name, isAboveQuota ? 1 : cost);
    exchange.rateLimitError = decision.error;
    const headers = rateLimitHeaders(this.#limiter, decision);
    if (!decision.allowed) throw new HttpError(429, "ERR_RATE_LIMITED", "Too many requests.", headers);
    if (isAboveQuota) {
      const rule = `count must be at most ${quota}, the rate limit, got ${cost}.`;
      throw new HttpError(400, "ERR_ARGUMENT", rule, headers);
    }
    return headers;
  }

  async #decide(clientName: string, cost: number): Promise<Decision> {
    const { resources, health } = this.#lifecycle;
    const { backendDependency } = health;
    const storeError = backendDependency.reportedError ?? backendDependency.failure;
    if (this.#onStoreError === "allow" && storeError instanceof BackendError) {
      // The store has just failed: each request would wait for its timeout, only to pass.
      if (!resources) this.#startInBackground();
      return { allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 0, error: storeError };
    }
    try {
      const decision = await this.#limiter.limit(clientName, cost);
      if (decision.error) {
        backendDependency.reportError(decision.error);
        if (!this.#lifecycle.resources) this.#startInBackground();
      }
      return decision;
    } catch (error) {
      if (this.#lifecycle.resources || !(error instanceof BackendError)) throw error;
      // The start creates the table that the limit needs.
      await this.#lifecycle.ensureStarted();
      return this.#limiter.limit(clientName, cost);
    }
  }

  /** Starts the service without waiting. The next request that needs it gets the error. */
  #startInBackground(): void {
    void (async () => this.#lifecycle.ensureStarted())().catch(() => {});
  }
}

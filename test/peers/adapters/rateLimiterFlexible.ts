// The limiters of rate-limiter-flexible on bitflake/ratelimit. Points are calls, a duration is a window, and a penalty is a call
// that does not care whether it passes.

import { type Backend, fromIORedis, fromNodeRedis, memory } from "bitflake/backend";
import { type Decision, RateLimit } from "bitflake/ratelimit";

interface Options {
  readonly points?: number;
  /** Seconds. */
  readonly duration?: number;
  readonly keyPrefix?: string;
  /** Seconds. */
  readonly blockDuration?: number;
  readonly execEvenly?: boolean;
  readonly storeClient?: never;
  readonly insuranceLimiter?: RateLimiterMemory;
  readonly inMemoryBlockOnConsumed?: number;
}

/** The result of the peer's calls. */
export interface Result {
  readonly remainingPoints: number;
  readonly msBeforeNext: number;
  readonly consumedPoints: number;
  readonly isFirstInDuration: boolean;
}

let names = 0;

/** Also the adapter of the peer's limiter on Redis: the store is the option `storeClient`. */
export class RateLimiterMemory {
  readonly points: number;
  readonly limiter: RateLimit;
  readonly keyPrefix: string;
  readonly #options: Options;

  constructor(options: Options) {
    const { points = 4, duration = 1, keyPrefix, storeClient, insuranceLimiter } = options;
    const fromClient = "call" in Object(storeClient) ? fromIORedis : fromNodeRedis;
    const backend: Backend = storeClient ? fromClient(storeClient) : memory();
    this.points = points;
    this.keyPrefix = keyPrefix ?? "rlflx";
    this.#options = options;
    this.limiter = new RateLimit({
      backend,
      name: keyPrefix || `peer${++names}`,
      limit: points,
      windowMs: duration * 1000,
      rememberDenials: options.inMemoryBlockOnConsumed !== undefined,
      ...(options.execEvenly && { burst: 1 }),
      ...(insuranceLimiter && { insurance: insuranceLimiter.limiter }),
    });
  }

  getKey(key: string): string {
    return this.keyPrefix ? `${this.keyPrefix}:${key}` : key;
  }

  result(decision: Decision, cost = 0): Result {
    const { allowed, remaining, retryAfterMs, resetMs, blockedMs } = decision;
    return {
      remainingPoints: remaining,
      msBeforeNext: blockedMs ?? (allowed ? resetMs : retryAfterMs),
      consumedPoints: this.points - remaining,
      isFirstInDuration: cost > 0 && remaining === this.points - cost,
    };
  }

  async consume(
    key: string,
    cost = 1,
    { customDuration }: { customDuration?: number } = {},
  ): Promise<Result> {
    if (customDuration !== undefined) throw new Error("a limit has one window");
    const { execEvenly, blockDuration, duration = 1 } = this.#options;
    const decision = await (execEvenly
      ? this.limiter.limitOrWait(key, { cost, maxWaitMs: duration * 1000 })
      : this.limiter.limit(key, cost));
    if (decision.error && !this.#options.insuranceLimiter) throw decision.error;
    if (decision.allowed) return this.result(decision, cost);
    if (blockDuration && decision.blockedMs === undefined) {
      await this.limiter.block(key, blockDuration * 1000);
      throw this.result(await this.limiter.peek(key));
    }
    throw this.result(decision);
  }

  async penalty(key: string, cost = 1): Promise<Result> {
    return this.result(await this.limiter.limit(key, cost));
  }

  async reward(key: string, cost = 1, options?: object): Promise<Result> {
    if (options) throw new Error("a limit has one window");
    await this.limiter.refund(key, cost);
    return this.result(await this.limiter.peek(key));
  }

  async block(key: string, seconds: number): Promise<Result> {
    await this.limiter.block(key, seconds * 1000);
    return this.result(await this.limiter.peek(key));
  }

  async get(key: string): Promise<Result | null> {
    const decision = await this.limiter.peek(key);
    return decision.resetMs === 0 ? null : this.result(decision);
  }

  async delete(key: string): Promise<boolean> {
    const { resetMs } = await this.limiter.peek(key);
    await this.limiter.reset(key);
    return resetMs > 0;
  }
}

export { RateLimiterMemory as RateLimiterRedis };

export class RateLimiterUnion {
  readonly #limiters: readonly RateLimiterMemory[];

  constructor(...limiters: RateLimiterMemory[]) {
    if (limiters.length < 2 || !limiters.every((each) => each instanceof RateLimiterMemory)) {
      throw new Error("two limiters or more");
    }
    this.#limiters = limiters;
  }

  async consume(key: string, cost = 1): Promise<Record<string, Result>> {
    const calls = this.#limiters.map(({ limiter }) => ({ limiter, key, cost }));
    const { allowed, decisions } = await RateLimit.limitAll(calls);
    const results = this.#limiters.flatMap((each, index) => {
      const decision = decisions[index];
      return decision ? [[each.limiter.name, each.result(decision, cost)]] : [];
    });
    if (allowed) return Object.fromEntries(results);
    throw Object.fromEntries(results);
  }
}

/** Two limits: the second one decides when the first one denies. */
export class BurstyRateLimiter {
  readonly points: number;
  readonly rate: RateLimiterMemory;
  readonly #burst: RateLimiterMemory;

  constructor(rate: RateLimiterMemory, burst: RateLimiterMemory) {
    this.rate = rate;
    this.#burst = burst;
    this.points = rate.points;
  }

  async consume(key: string, cost = 1): Promise<Result> {
    try {
      return await this.rate.consume(key, cost);
    } catch (rejected) {
      if (rejected instanceof Error) throw rejected;
      await this.#burst.consume(key, cost);
      return rejected as Result;
    }
  }

  async get(key: string): Promise<Result | null> {
    const [rate, burst] = await Promise.all([this.rate.get(key), this.#burst.get(key)]);
    return rate && { ...rate, msBeforeNext: Math.min(rate.msBeforeNext, burst?.msBeforeNext ?? 0) };
  }
}

export class RateLimiterQueueError extends Error {}

/** A queue of calls: the waiting of limitOrWait. */
export class RateLimiterQueue {
  readonly #limiter: RateLimiterMemory | BurstyRateLimiter;

  constructor(
    limiter: RateLimiterMemory | BurstyRateLimiter,
    { maxQueueSize }: { maxQueueSize?: number } = {},
  ) {
    if (maxQueueSize !== undefined) throw new Error("limitOrWait is bounded by maxWaitMs, not by a length");
    this.#limiter = limiter;
  }

  async removeTokens(cost: number, key = "limiter"): Promise<number> {
    if (!(this.#limiter instanceof RateLimiterMemory)) throw new Error("limitOrWait has one limit");
    const decision = await this.#limiter.limiter.limitOrWait(key, { cost, maxWaitMs: 60_000 });
    if (!decision.allowed) throw new RateLimiterQueueError();
    return decision.remaining;
  }

  async getTokensRemaining(key = "limiter"): Promise<number> {
    return (await (this.#limiter as RateLimiterMemory).limiter.peek(key)).remaining;
  }
}

// RateLimit: limits how often something may be done, counted in a store that many processes share.

import { assertKey, assertName } from "../backend/names.ts";
import { type OnStoreError, resolveOnStoreError } from "../backend/onStoreError.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import { ArgumentError, assertKnownOptions, assertWhole, BackendError } from "../internal.ts";
import { type Decision, toDecision } from "./decision.ts";
import { rateLimitPort } from "./openPort.ts";
import type { RateLimitPort } from "./port.ts";
import { type Gcra, gcraOf } from "./rule.ts";

/** The largest limit. */
const MAX_LIMIT = 1_000_000_000;

/** The longest window: 24 days. */
const MAX_WINDOW = 2 ** 31 - 1;

/** Options of {@link RateLimit}. An unknown name is refused. */
export interface RateLimitOptions {
  /** The store. SQL needs its table: see `setup` of `bitflake/backend`. */
  readonly backend: Backend;
  /**
   * The limit's name in the store: 1 to 100 characters of one line, without braces. All limits of one name in one store
   * count together, in all processes, and should have the same `limit` and `windowMs`.
   */
  readonly name: string;
  /**
   * How many calls of cost 1 may pass at once, and in each window: from 1 to 1,000,000,000, and at most one for each
   * microsecond of the window.
   */
  readonly limit: number;
  /**
   * The time after which the whole quota is available again, in milliseconds from 1 to 2^31 - 1, which is 24 days.
   */
  readonly windowMs: number;
  /**
   * What happens to calls while the store fails. `"fail"`, the default: they throw its error. `"allow"`: they pass, and
   * their decisions have it as `error`.
   */
  readonly onStoreError?: "fail" | "allow" | undefined;
  /**
   * The old name of `onStoreError`: `"closed"` is `"fail"`, and `"open"` is `"allow"`.
   *
   * @deprecated Use `onStoreError`. Both together are refused.
   */
  readonly onFailure?: "closed" | "open" | undefined;
}

/**
 * Limits how often something may be done, counted in a store for all processes that use it.
 *
 * - **The rule** is GCRA. An idle key may do `limit` calls at once, and after that one every `windowMs / limit`. In any
 *   period of `t` milliseconds, at most `limit` + `t` × `limit` / `windowMs` calls pass.
 *   `{ limit: 10, windowMs: 6000 }` is 100 a minute, but never more than 10 at once.
 * - **Rounding.** `windowMs / limit` is rounded up to a whole microsecond. That matters only for hundreds of thousands
 *   of calls a second: 700,000 in 1000 ms are one every 2 µs, so 500,000.
 * - **Denied calls cost nothing.** A client that keeps calling gets the same share as one that waits.
 * - **Time** is the store's. If its clock is set back, or the window was larger before, a key waits at most a window
 *   and a second, counted from its next call. On a store without a clock time is that of the processes, and a key waits at most
 *   a window and a minute, because their clocks may disagree.
 * - **One step.** Concurrent calls, from any number of processes, never pass more than the limit.
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { RateLimit } from "bitflake/ratelimit";
 *
 * const logins = new RateLimit({ backend: memory({ clock: () => 0 }), name: "logins", limit: 2, windowMs: 60_000 });
 * await logins.limit("ada"); // => { allowed: true, remaining: 1, retryAfterMs: 0, resetMs: 30000 }
 * await logins.limit("ada"); // => { allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 60000 }
 * await logins.limit("ada"); // => { allowed: false, remaining: 0, retryAfterMs: 30000, resetMs: 60000 }
 * ```
 */
export class RateLimit {
  /** The store. */
  declare readonly backend: Backend;
  /** The limit's name in the store. */
  declare readonly name: string;
  /** How many calls of cost 1 may pass at once, and in each window: the option `limit`. */
  declare readonly quota: number;
  /** The window, in milliseconds. */
  declare readonly windowMs: number;

  readonly #onStoreError: OnStoreError;
  readonly #gcra: Gcra;
  readonly #store: RateLimitPort;

  /**
   * Creates a limit. Does not call the store.
   *
   * @param options `backend`, `name`, `limit` and `windowMs`; `onStoreError`, default `"fail"`
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown, or if the backend's `prefix` makes a table
   *   name too long
   */
  constructor(options: RateLimitOptions) {
    assertKnownOptions(options, ["backend", "name", "limit", "windowMs", "onStoreError", "onFailure"]);
    const { backend, name, limit, windowMs } = options;
    this.backend = assertBackend(backend);
    this.name = assertName("name", name);
    this.quota = assertWhole("limit", limit, 1, MAX_LIMIT);
    this.windowMs = assertWhole("windowMs", windowMs, 1, MAX_WINDOW);
    if (limit > windowMs * 1000) {
      throw new ArgumentError(
        "limit",
        `at most ${windowMs * 1000}, one for each microsecond of windowMs`,
        limit,
      );
    }
    this.#onStoreError = resolveOnStoreError(options, ["closed", "open"]);
    this.#gcra = gcraOf(limit, windowMs);
    this.#store = rateLimitPort(backend, name, this.#gcra);
  }

  /**
   * Decides whether a call may pass now, and counts it if it may.
   *
   * @param key the client or the resource: 1 to 255 characters, without U+0000 and lone surrogates. Each key has a
   *   quota of its own. For a client's address use {@link addressKey}
   * @param cost how much of the quota the call takes, from 1 to the limit. Default 1. It passes as a whole or not at
   *   all
   * @throws {@link ArgumentError} if the key or the cost is not valid
   * @throws {@link BackendError} if the store fails, is too slow or gives an unexpected response, unless `onStoreError`
   *   is `"allow"`
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { RateLimit } from "bitflake/ratelimit";
   *
   * const exports = new RateLimit({ backend: memory(), name: "exports", limit: 100, windowMs: 3_600_000 });
   * const rows = 9000;
   * const { allowed, remaining } = await exports.limit("team-7", Math.ceil(rows / 100));
   * [allowed, remaining]; // => [ true, 10 ]
   * ```
   */
  async limit(key: string, cost = 1): Promise<Decision> {
    const costUs = assertWhole("cost", cost, 1, this.quota) * this.#gcra.interval;
    assertKey("key", key);
    try {
      return toDecision(this.#gcra, costUs, await this.#store.consume(key, costUs));
    } catch (error) {
      if (this.#onStoreError === "fail" || !(error instanceof BackendError)) throw error;
      return { allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 0, error };
    }
  }
}

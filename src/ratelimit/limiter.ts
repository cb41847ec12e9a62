// RateLimit: how often something may be done, by a store that many processes share.

import { assertKey, assertName } from "../backend/names.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import { ArgumentError, assertKnownOptions, assertOneOf, assertWhole, BackendError } from "../internal.ts";
import { type Decision, toDecision } from "./decision.ts";
import { type RateLimitPort, rateLimitPort } from "./port.ts";
import { type Gcra, gcraOf } from "./rule.ts";

/** The most that may pass at once. */
const MAX_LIMIT = 1_000_000_000;

/** The longest window: 24 days. */
const MAX_WINDOW = 2 ** 31 - 1;

/** What a {@link RateLimit} is made of. An unknown name is refused. */
export interface RateLimitOptions {
  /** The store. SQL needs its table: see `setup` of `bitflake/backend`. */
  readonly backend: Backend;
  /**
   * Which limit of the store: 1 to 100 characters of one line, without braces. Limits of one name in one store count
   * together, in whichever process, and should be of one `limit` and `windowMs`.
   */
  readonly name: string;
  /**
   * How many calls of cost 1 may pass at once, and in each window: from 1 to 1,000,000,000, and at most one for each
   * microsecond of the window.
   */
  readonly limit: number;
  /** How long it takes until the whole quota is there again, in milliseconds from 1 to 2^31 - 1: at most 24 days. */
  readonly windowMs: number;
  /**
   * What becomes of calls while the store is down. Default `"closed"`: they throw its error. `"open"`: they pass, and
   * their decisions have it as `error`.
   */
  readonly onFailure?: "closed" | "open" | undefined;
}

/**
 * How often something may be done, counted in a store for all processes that use it.
 *
 * - **The rule** is GCRA. A key that was idle may do `limit` at once, and from then on one each `windowMs / limit`. So
 *   from a moment on, within any time `t`, at most `limit` + `t` × `limit` / `windowMs` pass. `{ limit: 10, windowMs:
 *   6000 }` is 100 a minute, but never more than 10 at once.
 * - **Rounding.** `windowMs / limit` is rounded up to a whole microsecond. That shows only where hundreds of thousands
 *   pass in a second: 700,000 in 1000 ms are one each 2 µs, so 500,000.
 * - **Denied calls cost nothing.** Who keeps asking has the same share as who waits.
 * - **Time** is the store's. Where its clock is set back, or the window was larger before, a key waits a window and a
 *   second at most, counted from its next call.
 * - **One step.** However many ask at once, and from wherever, no more pass than may.
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
  /** Which limit of the store. */
  declare readonly name: string;
  /** How many may pass at once, and in each window: the option `limit`. */
  declare readonly quota: number;
  /** The window, in milliseconds. */
  declare readonly windowMs: number;

  readonly #isOpen: boolean;
  readonly #rate: Gcra;
  readonly #store: RateLimitPort;

  /**
   * Asks nothing of the store yet.
   *
   * @param options `backend`, `name`, `limit` and `windowMs`; `onFailure`, default `"closed"`
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown, or the backend's `prefix` makes too long a
   *   name of a table
   */
  constructor(options: RateLimitOptions) {
    assertKnownOptions(options, ["backend", "name", "limit", "windowMs", "onFailure"]);
    const { backend, name, limit, windowMs, onFailure = "closed" } = options;
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
    this.#isOpen = assertOneOf("onFailure", onFailure, ["closed", "open"]) === "open";
    this.#rate = gcraOf(limit, windowMs);
    this.#store = rateLimitPort(backend, name, this.#rate);
  }

  /**
   * Asks whether something may be done now, and counts it if so.
   *
   * @param key who or what does it: 1 to 255 characters, without U+0000 and lone surrogates. Each key has a quota of
   *   its own. For a client's address take {@link addressKey}
   * @param cost how much of the quota it takes, from 1 to the limit. Default 1. It passes as a whole or not at all
   * @throws {@link ArgumentError} if the key or the cost is none
   * @throws {@link BackendError} if the store is down, too slow, or makes no sense, unless `onFailure` is `"open"`
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
    const price = assertWhole("cost", cost, 1, this.quota) * this.#rate.interval;
    assertKey("key", key);
    try {
      return toDecision(this.#rate, price, await this.#store(key, price));
    } catch (error) {
      if (!this.#isOpen || !(error instanceof BackendError)) throw error;
      return { allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 0, error };
    }
  }
}

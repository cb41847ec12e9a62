// testStore: a store in memory whose clock a test moves.

import { memory } from "../backend/index.ts";
import type { MemoryPort } from "../backend/ports.ts";
import { assertKnownOptions } from "../internal.ts";
import { type TestClock, testClock } from "./clock.ts";

/** A store in memory whose clock a test moves. Created by {@link testStore}. */
export interface TestStore extends MemoryPort {
  /** Its clock: time limits of keys, windows of rate limits and leases end when the test moves it. */
  readonly clock: TestClock;
}

/** Options of {@link testStore}. An unknown name is refused. */
export interface TestStoreOptions {
  /** The clock. Default: a new one, which stands still at 2026-01-01 UTC until the test moves it. */
  readonly clock?: TestClock | undefined;
}

/**
 * Creates a store in memory for tests, whose clock the test moves: a window of a rate limit or the time of an idempotency key is
 * over at once. Pass the same clock to `leaseNode`, because a lease compares the store's time with that of the process.
 *
 * @param options `clock`, default a new one
 * @throws {@link ArgumentError} if the clock is not a function, or an option is unknown
 *
 * @example
 * ```ts
 * import { RateLimit } from "bitflake/ratelimit";
 * import { testStore } from "bitflake/testing";
 *
 * const store = testStore();
 * const logins = new RateLimit({ backend: store, name: "logins", limit: 1, windowMs: 60_000 });
 * await logins.limit("ada");
 * (await logins.limit("ada")).allowed; // => false
 * store.clock.advance(60_000);
 * (await logins.limit("ada")).allowed; // => true
 * ```
 */
export function testStore(options: TestStoreOptions = {}): TestStore {
  assertKnownOptions(options, ["clock"]);
  const { clock = testClock() } = options;
  return Object.assign(memory({ clock }), { clock });
}

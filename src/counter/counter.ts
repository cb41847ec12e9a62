// Counter: values that strictly increase, from a store.

import type { CallOptions } from "../backend/call.ts";
import { assertName } from "../backend/names.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import {
  ArgumentError,
  assertKnownOptions,
  assertWhole,
  CounterBackwardsError,
  CounterExhaustedError,
} from "../internal.ts";
import { BlockBuffer } from "./blockBuffer.ts";
import { type CounterPort, counterPort } from "./port.ts";
import { RollbackGuard } from "./rollbackGuard.ts";
import { LAST, type Range } from "./rule.ts";

/** The most values that are reserved at once. The counter has 2^32 such blocks. */
const MAX_BLOCK = 2 ** 31;

/** The most values that one call gives out. */
const MAX_COUNT = 10_000;

/** What a {@link Counter} is made of. An unknown name is refused. */
export interface CounterOptions {
  /** The store. SQL needs its table: see `setup` of `bitflake/backend`. */
  readonly backend: Backend;
  /**
   * Which counter of the store: 1 to 100 characters of one line, without braces. Counters of one name in
   * one store are one counter, in whichever process.
   */
  readonly name: string;
  /**
   * How many values are reserved at once, from 1 to 2^31. Default 1: each value is a step of the store. With more, most
   * values come out of memory; the counters of several processes then take turns by the block, and what a process has
   * not used when it ends is never used. A copy of the process (SnapStart, CRIU) goes on with the same block: make the
   * counter after the copy, or leave this at 1.
   */
  readonly block?: number | undefined;
  /** The smallest value that may come, from 0n to 2^63 - 1, even if the store's counter is lower. Default 1n. */
  readonly floor?: bigint | undefined;
}

/**
 * A counter in a store, for all processes that use the store: bigints from 1, or from `floor`, up to 2^63 - 1, exact in
 * all their digits, and none of them twice.
 *
 * - **One at a time** (`block: 1`). Each value is larger than every one that any process has had before the call.
 * - **By the block.** Values are unique among all processes, and increase within one Counter. The next block is fetched
 *   in the background when half of the current one is used, and calls are served in their order.
 * - **Gaps.** A value is lost when a call fails after the store has counted, and when a process ends: then up to a
 *   block and a half. A value is never given out again instead.
 * - **The end.** After 2^63 - 1 it is a {@link CounterExhaustedError}; nothing wraps.
 * - **Lost data.** A store that is behind the highest value that this Counter has had is left as it is, and each call
 *   that asks it is a {@link CounterBackwardsError} until the store's counter has been put forward: a value from a
 *   Counter with a `floor` above all that was given out does that. A process that starts anew cannot know of the loss,
 *   and without such a floor repeats values.
 *
 * The counter is as durable as its store. A Redis that writes its file each second (`appendfsync everysec`) can lose
 * that second, one without a file loses all, one that evicts keys can evict this one, and a failover loses what the
 * replica had not heard: docs/stores.md says how to set it up.
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { Counter } from "bitflake/counter";
 *
 * const invoices = new Counter({ backend: memory(), name: "invoices", floor: 1000n });
 * await invoices.next(); // => 1000n
 * await invoices.next(); // => 1001n
 * ```
 */
export class Counter {
  /** The store. */
  declare readonly backend: Backend;
  /** Which counter of the store. */
  declare readonly name: string;
  /** How many values are reserved at once. */
  declare readonly block: number;

  readonly #floor: bigint;
  readonly #store: CounterPort;
  readonly #guard: RollbackGuard = new RollbackGuard();
  readonly #supply: BlockBuffer | undefined;

  /**
   * Asks nothing of the store yet.
   *
   * @param options `backend` and `name`; `block`, default 1; `floor`, default 1n
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown, or the backend's `prefix` makes too long a
   *   name of a table
   */
  constructor(options: CounterOptions) {
    assertKnownOptions(options, ["backend", "name", "block", "floor"]);
    const { backend, name, block = 1, floor = 1n } = options;
    if (typeof floor !== "bigint" || floor < 0n || floor > LAST) {
      throw new ArgumentError("floor", "a bigint from 0 to 2^63 - 1", floor);
    }
    this.backend = assertBackend(backend);
    this.name = assertName("name", name);
    this.block = assertWhole("block", block, 1, MAX_BLOCK);
    this.#floor = floor;
    this.#store = counterPort(backend, name);
    this.#supply =
      block === 1 ? undefined : new BlockBuffer((asking) => this.#reserve(BigInt(block), asking));
  }

  /**
   * Gives out the next value. Many calls may be under way at once: by the block they get their values in the order of
   * the calls, one at a time in the order in which the store hears of them.
   *
   * A call that throws has given out nothing, and the next one asks anew.
   *
   * @throws {@link BackendError} if the store is down, too slow, or makes no sense
   * @throws {@link CounterBackwardsError} if the store's counter is behind what it has given out before
   * @throws {@link CounterExhaustedError} if there is no value left
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { Counter } from "bitflake/counter";
   *
   * const orders = new Counter({ backend: memory(), name: "orders", block: 1000 });
   * await Promise.all([orders.next(), orders.next(), orders.next()]); // => [ 1n, 2n, 3n ]
   * ```
   */
  next(): Promise<bigint> {
    return this.#supply?.next() ?? this.#reserve(1n).then(({ first }) => first);
  }

  /**
   * Gives out several values, in order. One at a time (`block: 1`) they follow one another without a gap, and are one step
   * of the store; by the block they are what as many calls of {@link Counter.next} would give.
   *
   * @param count 1 to 10,000
   * @throws {@link BackendError} if the store is down, too slow, or makes no sense
   * @throws {@link CounterBackwardsError} if the store's counter is behind what it has given out before
   * @throws {@link CounterExhaustedError} if there are not as many left; those that were are then gone
   * @throws {@link ArgumentError} if the count is out of its limits
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { Counter } from "bitflake/counter";
   *
   * const seats = new Counter({ backend: memory(), name: "seats" });
   * await seats.nextMany(3); // => [ 1n, 2n, 3n ]
   * ```
   */
  async nextMany(count: number): Promise<bigint[]> {
    assertWhole("count", count, 1, MAX_COUNT);
    if (this.#supply !== undefined) return Promise.all(Array.from({ length: count }, () => this.next()));
    const { first, last } = await this.#reserve(BigInt(count));
    // Where the counter ends, it gives what there is.
    if (last - first + 1n < count) throw new CounterExhaustedError(this.name);
    return Array.from({ length: count }, (_, i) => first + BigInt(i));
  }

  async #reserve(count: bigint, asking?: CallOptions): Promise<Range> {
    const ask = (highest: bigint) => this.#store({ count, floor: this.#floor, highest }, asking);
    const outcome = await this.#guard.pass(ask);
    if (outcome === "backwards") throw new CounterBackwardsError(this.name, this.#guard.highest);
    if (outcome === "exhausted") throw new CounterExhaustedError(this.name);
    return outcome;
  }
}

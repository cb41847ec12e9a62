// Counter: strictly increasing values from a store.

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
import { counterPort } from "./openPort.ts";
import type { CounterPort } from "./port.ts";
import { RollbackGuard } from "./rollbackGuard.ts";
import { MAX_VALUE, type ValueRange } from "./rule.ts";

/** The largest block. A counter has 2^32 of them. */
const MAX_BLOCK = 2 ** 31;

/** The most values of one call. */
const MAX_COUNT = 10_000;

/** Options of a {@link Counter}. Unknown options are refused. */
export interface CounterOptions {
  /** The store. SQL needs its table: see `setup` of `bitflake/backend`. */
  readonly backend: Backend;
  /**
   * The counter's name: 1 to 100 characters of one line, without braces. Counters with one name in one store are one
   * counter, in all processes.
   */
  readonly name: string;
  /**
   * How many values are reserved at once, from 1 to 2^31. Default 1: each value is one call to the store. With more, most
   * values come from memory. The counters of several processes then take turns by the block, and the values that a
   * process has not used when it ends are lost. A copy of the process (SnapStart, CRIU) continues with the same block:
   * create the counter after the copy, or leave this at 1.
   */
  readonly block?: number | undefined;
  /** The smallest value, from 0n to 2^63 - 1, even if the store's counter is lower. Default 1n. */
  readonly floor?: bigint | undefined;
}

/**
 * A counter in a store, shared by all processes that use the store: unique bigints from 1, or from `floor`, up to
 * 2^63 - 1, exact in all digits.
 *
 * - **One at a time** (`block: 1`). Each value is larger than every value that any process got before the call.
 * - **By the block.** Values are unique among all processes, and increase within one Counter. The next block is fetched
 *   in the background when half of the current one is used, and calls are served in their order.
 * - **Gaps.** A value is lost when a call fails after the store has counted. When a process ends, up to a block and a
 *   half is lost. A lost value is never issued again.
 * - **The end.** After 2^63 - 1 a call throws {@link CounterExhaustedError}; nothing wraps.
 * - **Lost data.** If the store's counter is below the highest value that this Counter has had, calls throw
 *   {@link CounterBackwardsError} and change nothing until the store's counter has been raised: one value from a Counter
 *   with a `floor` above everything that was issued does that. A new process cannot detect the loss, and without such a
 *   floor it repeats values.
 *
 * The counter is as durable as its store. A Redis with `appendfsync everysec` can lose the last second, one without
 * persistence loses everything, one that evicts keys can evict the counter, and a failover loses what the replica had
 * not received: docs/stores.md describes the setup.
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
  /** The counter's name in the store. */
  declare readonly name: string;
  /** How many values are reserved at once. */
  declare readonly block: number;

  readonly #floor: bigint;
  readonly #port: CounterPort;
  readonly #guard: RollbackGuard = new RollbackGuard();
  readonly #buffer: BlockBuffer | undefined;

  /**
   * Creates a counter. It does not call the store yet.
   *
   * @param options `backend` and `name`; `block`, default 1; `floor`, default 1n
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown, or the backend's `prefix` makes the table's
   *   name too long
   */
  constructor(options: CounterOptions) {
    assertKnownOptions(options, ["backend", "name", "block", "floor"]);
    const { backend, name, block = 1, floor = 1n } = options;
    if (typeof floor !== "bigint" || floor < 0n || floor > MAX_VALUE) {
      throw new ArgumentError("floor", "a bigint from 0 to 2^63 - 1", floor);
    }
    this.backend = assertBackend(backend);
    this.name = assertName("name", name);
    this.block = assertWhole("block", block, 1, MAX_BLOCK);
    this.#floor = floor;
    this.#port = counterPort(backend, name);
    this.#buffer =
      block === 1 ? undefined : new BlockBuffer((limits) => this.#reserve(BigInt(block), limits));
  }

  /**
   * Issues the next value. Calls may overlap: by the block they get their values in the order of the calls, one at a time
   * in the order in which the store receives them.
   *
   * A call that throws has issued nothing. The next call calls the store again.
   *
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response
   * @throws {@link CounterBackwardsError} if the store's counter is below a value that this Counter has issued
   * @throws {@link CounterExhaustedError} if no value is left
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
    return this.#buffer?.next() ?? this.#reserve(1n).then(({ first }) => first);
  }

  /**
   * Issues several values, in order. One at a time (`block: 1`) they have no gap between them, and are one call to the
   * store. By the block they are the values that as many calls of {@link Counter.next} would return.
   *
   * @param count 1 to 10,000
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response
   * @throws {@link CounterBackwardsError} if the store's counter is below a value that this Counter has issued
   * @throws {@link CounterExhaustedError} if fewer than `count` values are left; these are then lost
   * @throws {@link ArgumentError} if the count is out of range
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { Counter } from "bitflake/counter";
   *
   * const seats = new Counter({ backend: memory(), name: "seats" });
   * await seats.nextValues(3); // => [ 1n, 2n, 3n ]
   * ```
   */
  async nextValues(count: number): Promise<bigint[]> {
    assertWhole("count", count, 1, MAX_COUNT);
    if (this.#buffer !== undefined) return Promise.all(Array.from({ length: count }, () => this.next()));
    const { first, last } = await this.#reserve(BigInt(count));
    // At its end a counter grants fewer.
    if (last - first + 1n < count) throw new CounterExhaustedError(this.name);
    return Array.from({ length: count }, (_, i) => first + BigInt(i));
  }

  /**
   * Issues several values, in order.
   *
   * @deprecated Use {@link Counter.nextValues}.
   */
  nextMany(count: number): Promise<bigint[]> {
    return this.nextValues(count);
  }

  async #reserve(count: bigint, options?: CallOptions): Promise<ValueRange> {
    const result = await this.#guard.reserve((highest) =>
      this.#port.reserve({ count, floor: this.#floor, highest }, options),
    );
    if (result === "backwards") throw new CounterBackwardsError(this.name, this.#guard.highest);
    if (result === "exhausted") throw new CounterExhaustedError(this.name);
    return result;
  }
}

// SnowflakeGenerator: the operations on one set of options. makeGenerator creates one from a preset.

import { LayoutError } from "../errors.ts";
import { assertObject } from "../validate.ts";
import { arrayFor, fill, makeIds, writeRun } from "./batch.ts";
import { claimRunsAsync } from "./batchAsync.ts";
import { type Capacity, capacityOf } from "./capacity.ts";
import { createDecoder, type DecodedId, type Decoder, decodeWith } from "./decode.ts";
import { encodeWith, type IdFields } from "./encode.ts";
import type { IdSource } from "./idSource.ts";
import { LocalSource } from "./localSource.ts";
import { type GeneratorOptions, mergeOptions } from "./options.ts";
import type { PresetName, Widths } from "./presets.ts";
import { type IdRange, rangeOf } from "./range.ts";
import { resolveGeneratorSettings, type Settings } from "./settings.ts";
import { warnOfSharedNode } from "./sharedNode.ts";

/**
 * What a generator is made of. A generator that is constructed from parts takes them as they are: that is how
 * `bitflake/lease` and `bitflake/threads` give it a source of their own. Internal: no public entry point exports it.
 */
export class GeneratorParts {
  declare readonly settings: Settings;
  declare readonly source: IdSource;

  constructor(settings: Settings, source: IdSource) {
    this.settings = settings;
    this.source = source;
  }
}

/** Returns the parts of a generator whose last ID is in the ledger of this realm. */
function localParts(settings: Settings): GeneratorParts {
  if (!settings.isNodeChosen) warnOfSharedNode();
  return new GeneratorParts(settings, new LocalSource(settings));
}

/**
 * Makes Snowflake IDs: integers that carry when and where they were made, and strictly increase.
 *
 * - **Rollback.** If the clock steps back by at most `maxBackwardMs`, IDs keep coming from what is left of the last
 *   tick; by more, it is a {@link ClockBackwardsError} until the clock is back within that.
 * - **Exhaustion.** When a tick's sequence is used up, `onExhausted` decides: wait, throw or borrow.
 * - **Stall.** A wait on a clock that stands still ends in a {@link ClockStalledError}; it never hangs.
 * - **Shared state.** Generators of one identity (widths of timestamp, node and sequence; epoch; tick length; node; clock
 *   function) share one ledger entry in a realm (a thread, or one global object in it), so building one per call repeats
 *   nothing. Worker threads and processes need node IDs of their own: on Node, a worker of `node:cluster`, a process of PM2 or
 *   one in a Kubernetes pod emits a warning with the code `BITFLAKE_SHARED_NODE_ID` when it builds its first generator without
 *   `datacenterId` and `machineId`. Deno and Bun have no such warning. Each realm emits it once.
 *
 * A synchronous call that throws leaves the generator as it was.
 *
 * @example
 * ```ts
 * import { SnowflakeGenerator } from "bitflake";
 *
 * const generator = new SnowflakeGenerator({
 *   timestampBits: 42,
 *   datacenterBits: 0,
 *   machineBits: 9,
 *   sequenceBits: 12,
 *   machineId: 300,
 * });
 * const first = generator.nextId();
 * generator.nextId() > first; // => true
 * generator.decode(first).machineId; // => 300
 * ```
 */
export class SnowflakeGenerator {
  /** The bit widths, usable as a preset. */
  declare readonly layout: Widths;
  /** The moment of tick 0, in milliseconds since 1970. */
  declare readonly epochMs: number;
  /** How many milliseconds a tick lasts. */
  declare readonly tickMs: number;
  readonly #settings: Settings;
  readonly #source: IdSource;
  #decoder: Decoder | undefined;

  /**
   * @param options widths default to those of `PRESET_MINIMAL`; see {@link GeneratorOptions} for the rest
   * @throws {@link LayoutError} if the widths do not make a layout
   * @throws {@link ArgumentError} if another option is wrong or unknown
   * @throws {@link EpochError} if the epoch is in the future of the system's clock. A custom clock is not read before the
   *   first ID
   * @throws {@link UnsupportedError} if `globalThis` and `WeakMap` are frozen, so that copies of the package cannot share
   *   state
   */
  constructor(options?: GeneratorOptions);
  /** @internal */
  constructor(parts: GeneratorParts);
  constructor(options: GeneratorOptions | GeneratorParts = {}) {
    const { settings, source } =
      options instanceof GeneratorParts
        ? options
        : localParts(resolveGeneratorSettings(mergeOptions(assertObject("options", options))));
    this.layout = Object.freeze(settings.layout);
    this.epochMs = settings.epochMs;
    this.tickMs = settings.tickMs;
    this.#settings = settings;
    this.#source = source;
  }

  /** The datacenter that is stamped into the next ID. On a lease of both node fields it changes with the grant. */
  get datacenterId(): number {
    return this.#source.node.datacenterId;
  }

  /** The machine that is stamped into the next ID. On a lease it changes with the grant. */
  get machineId(): number {
    return this.#source.node.machineId;
  }

  /**
   * Makes the next ID.
   *
   * @returns an ID larger than every one before it
   * @throws {@link ClockBackwardsError} if the clock stepped back by more than `maxBackwardMs`
   * @throws {@link SequenceExhaustedError} if the tick is full under `"throw"`, or the next is over 2 s away
   * @throws {@link ClockStalledError} if the tick is full and the clock stands still
   * @throws {@link TimestampOverflowError} if the ID needs a tick that the timestamp field cannot hold, or that begins after
   *   the end of Date
   * @throws {@link EpochError} if the clock is before the epoch
   * @throws `LeaseExpiredError` of `bitflake/lease`, if the generator is that of a lease, which has ended or was released
   * @throws {@link ArgumentError} if the clock returns no finite number; if the tick lies between the first and the
   *   last tick (both included) of another generator of this node, with as many node bits and as many sequence bits, but
   *   another `tickMs` or `epochMs`, or 53 instead of 63 bits; if a `SharedGenerator` of this thread has taken over the
   *   identity; or if this generator's custom clock has replaced `Date.now` since, and the identity already had a generator on the
   *   system's clock
   *
   * @example
   * ```ts
   * import { makeGenerator } from "bitflake";
   *
   * const generator = makeGenerator("twitter", { datacenterId: 1, machineId: 7 });
   * typeof generator.nextId(); // => 'bigint'
   * ```
   */
  nextId(): bigint {
    return this.#source.nextId();
  }

  /**
   * Makes many IDs at once: faster than single calls from a few dozen IDs on, several times faster from hundreds on. It
   * waits at most 2 s, and throws at once if that cannot be enough. Where there is no `performance.now()`, a custom clock
   * that hardly moves can make it wait for 2^27 readings.
   *
   * @param count how many: 0 to 16,777,216
   * @returns increasing IDs; if it throws, none was made
   * @throws {@link ArgumentError} if `count` is not a whole number in range
   * @throws {@link SequenceExhaustedError} if they do not fit into the tick under `"throw"`, or would take over 2 s
   * @throws whatever {@link nextId} throws
   *
   * @example
   * ```ts
   * import { makeGenerator } from "bitflake";
   *
   * makeGenerator("twitter").nextIds(3).length; // => 3
   * ```
   */
  nextIds(count: number): bigint[] {
    return makeIds(count, this.#source);
  }

  /**
   * Fills a typed array with IDs: no allocation per ID, and one clock reading per run of a tick.
   *
   * @param target the array to fill; IDs are positive, so signed or unsigned makes no difference
   * @returns the same array; if it throws, neither array nor generator has changed
   * @throws {@link ArgumentError} if `target` is no BigUint64Array or BigInt64Array
   * @throws whatever {@link nextId} throws
   *
   * @example
   * ```ts
   * import { makeGenerator } from "bitflake";
   *
   * const ids = makeGenerator("high_throughput").fill(new BigInt64Array(1000));
   * ids[999] > ids[0]; // => true
   * ```
   */
  fill<T extends BigUint64Array | BigInt64Array>(target: T): T {
    return fill(target, this.#source);
  }

  /**
   * Makes the next ID, and sleeps on a timer where {@link nextId} would spin: the event loop goes on, and a
   * runtime that moves its clock only between turns of the event loop can move it.
   *
   * @returns a promise of an ID
   * @throws whatever {@link nextId} throws, as a rejection, but without the 2 s limit
   * @throws {@link UnsupportedError} if it has to wait where the runtime has no timers, such as a Cloudflare Worker at module
   *   scope
   *
   * @example
   * ```ts
   * import { makeGenerator } from "bitflake";
   *
   * const generator = makeGenerator("large_cluster", { machineId: 12 });
   * const ids = await Promise.all(Array.from({ length: 200 }, () => generator.nextIdAsync()));
   * new Set(ids).size; // => 200
   * ```
   */
  async nextIdAsync(): Promise<bigint> {
    let id = 0n;
    await claimRunsAsync(this.#source, 1, ({ first }) => {
      id = first;
    });
    return id;
  }

  /**
   * Makes many IDs, and sleeps on a timer where {@link nextIds} would spin or throw: for more IDs than two seconds allow.
   * It takes the IDs that each tick has left, so other calls get IDs in between, and there may be gaps.
   *
   * @param count how many: 0 to 16,777,216
   * @returns a promise of increasing IDs; if it rejects, those that it had taken so far are lost, and never made again
   * @throws {@link ArgumentError} if `count` is not a whole number in range, as a rejection
   * @throws whatever {@link nextIdAsync} throws, as a rejection
   *
   * @example
   * ```ts
   * import { makeGenerator } from "bitflake";
   *
   * // 64 IDs a millisecond
   * const ids = await makeGenerator("large_cluster", { machineId: 14 }).nextIdsAsync(500);
   * new Set(ids).size; // => 500
   * ```
   */
  async nextIdsAsync(count: number): Promise<bigint[]> {
    const ids = arrayFor(count);
    let at = 0;
    await claimRunsAsync(this.#source, count, (run) => {
      at = writeRun(ids, at, run);
    });
    return ids;
  }

  /**
   * Makes the next ID as a number, for layouts of 53 bits, where every ID is an exact one.
   *
   * @throws {@link LayoutError} if the layout has 63 bits
   * @throws whatever {@link nextId} throws
   *
   * @example
   * ```ts
   * import { makeGenerator } from "bitflake";
   *
   * const id = makeGenerator("safe_integer", { machineId: 3 }).nextNumber();
   * Number.isSafeInteger(id); // => true
   * ```
   */
  nextNumber(): number {
    const bits = this.layout.timestampBits + this.#settings.timestampShift;
    if (bits !== 53) throw new LayoutError("layout", "53 bits", bits);
    return Number(this.nextId());
  }

  /**
   * Returns an endless iterator of IDs. A step may throw whatever {@link nextId} throws; the next step tries again.
   *
   * @example
   * ```ts
   * import { makeGenerator } from "bitflake";
   *
   * const taken: bigint[] = [];
   * for (const id of makeGenerator("twitter").stream()) {
   *   taken.push(id);
   *   if (taken.length === 3) break;
   * }
   * taken.length; // => 3
   * ```
   */
  stream(): IterableIterator<bigint> {
    // Not a generator function, because the first error would end it. The prototype is that of every built-in iterator:
    // it has Symbol.iterator, and take() and map() in runtimes with iterator helpers.
    const iteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([].values()));
    const next = () => ({ done: false, value: this.nextId() });
    return { __proto__: iteratorPrototype, next } as unknown as IterableIterator<bigint>;
  }

  /**
   * Returns the fields of an ID with this generator's layout, epoch and tick length, whichever node made it.
   *
   * @param id a bigint, a canonical decimal string or a safe integer
   * @throws {@link InvalidIdError} if it is not an ID, or its tick is after the last one of the layout (`maxTick`)
   *
   * @example
   * ```ts
   * import { makeGenerator } from "bitflake";
   *
   * const generator = makeGenerator("twitter", { datacenterId: 2, machineId: 9 });
   * const { datacenterId, machineId } = generator.decode(generator.nextId());
   * [datacenterId, machineId]; // => [ 2, 9 ]
   * ```
   */
  decode(id: bigint | string | number): DecodedId {
    this.#decoder ??= createDecoder(this.#settings);
    return decodeWith(this.#decoder, id);
  }

  /**
   * Puts an ID together from its fields: the inverse of {@link decode}. It does not make an ID that is new: nothing is
   * recorded, and the same fields give the same ID. For rows that exist already, and for limits of queries.
   *
   * @param fields the time, and what else is not as this generator has it; see {@link IdFields}
   * @throws {@link ArgumentError} if a field is missing, wrong or unknown, or does not fit the layout
   *
   * @example
   * ```ts
   * import { makeGenerator } from "bitflake";
   *
   * const generator = makeGenerator("twitter", { datacenterId: 1, machineId: 7 });
   * const id = generator.encode({ timestampMs: Date.UTC(2026, 0, 1), sequence: 5 });
   * const { generatedAt, machineId, sequence } = generator.decode(id);
   * [generatedAt, machineId, sequence]; // => [ '2026-01-01T00:00:00.000Z', 7, 5 ]
   * ```
   */
  encode(fields: IdFields): bigint {
    return encodeWith(this.#settings, fields, this);
  }

  /**
   * Returns how much this generator's layout holds.
   *
   * @example
   * ```ts
   * import { makeGenerator } from "bitflake";
   *
   * makeGenerator("twitter").capacity().idsPerTick; // => 4096
   * ```
   */
  capacity(): Capacity {
    return capacityOf(this.#settings);
  }

  /**
   * Returns the smallest and largest ID whose tick begins in `[from, to)`, of any node: for `WHERE id BETWEEN min AND max`.
   * If no tick begins there, `max` is `min - 1n`, and no ID is between.
   *
   * @param from the first moment, in milliseconds since 1970 or as a Date
   * @param to the first moment after it
   * @throws {@link ArgumentError} if one is no whole number or valid Date, or `to` is before `from`
   *
   * @example
   * ```ts
   * import { makeGenerator } from "bitflake";
   *
   * const generator = makeGenerator("twitter");
   * const { min, max } = generator.range(new Date("2026-01-01"), new Date("2026-02-01"));
   * generator.decode(min).generatedAt; // => '2026-01-01T00:00:00.000Z'
   * generator.decode(max).generatedAt; // => '2026-01-31T23:59:59.999Z'
   * ```
   */
  range(from: number | Date, to: number | Date): IdRange {
    return rangeOf(this.#settings, from, to);
  }
}

/**
 * Makes a generator from a preset.
 *
 * @param preset the name of a preset, a `PRESET_…` constant, or widths and options of your own; default `"minimal"`
 * @param overrides further options, or other values for the preset's own
 * @throws {@link LayoutError} if the widths do not make a layout
 * @throws {@link ArgumentError} if the preset or an option is wrong or unknown
 * @throws {@link EpochError} if the epoch is in the future of the system's clock. A custom clock is not read before the
 *   first ID
 * @throws {@link UnsupportedError} if `globalThis` and `WeakMap` are frozen, so that copies of the package cannot share
 *   state
 *
 * @example
 * ```ts
 * import { makeGenerator, PRESET_SINGLE_DC } from "bitflake";
 *
 * makeGenerator("twitter", { datacenterId: 1, machineId: 7 }).machineId; // => 7
 * makeGenerator(PRESET_SINGLE_DC, { machineId: 1023 }).layout.machineBits; // => 10
 * ```
 */
export function makeGenerator(
  preset: PresetName | GeneratorOptions = "minimal",
  overrides: GeneratorOptions = {},
): SnowflakeGenerator {
  const settings = resolveGeneratorSettings(mergeOptions(preset, assertObject("options", overrides)));
  return new SnowflakeGenerator(localParts(settings));
}

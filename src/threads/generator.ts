// SharedGenerator: a SnowflakeGenerator whose state is in memory that threads share.

import {
  ArgumentError,
  assertObject,
  fill,
  type GeneratorOptions,
  many,
  mergeOptions,
  type Preset,
  type PresetName,
  SnowflakeGenerator,
  warnOfSharedNode,
} from "../internal.ts";
import { SharedIssuer } from "./issuer.ts";
import { openMemory, VERSION } from "./memory.ts";

/** What another thread needs to join: send it as it is, by `postMessage` or as `workerData`. */
export interface SharedHandle {
  /** The version of the memory's form; {@link SharedGenerator.attach} refuses any but its own. */
  readonly version: number;
  /** The state itself. */
  readonly memory: SharedArrayBuffer;
  /** The generator's options, but for the clock, for no function can be sent. */
  readonly options: GeneratorOptions;
  /** Whether the generator has a clock of its own, which each thread then has to bring. */
  readonly ownClock: boolean;
}

/**
 * A {@link SnowflakeGenerator} that many threads use as one: the same options, the same clock rules, one node ID for
 * all of them. Its state is one 64-bit word in a SharedArrayBuffer, and each ID one compare-and-set on it: there is no
 * lock, so a thread that dies holds nobody up. It runs in worker threads of Node, Deno and Bun, and in browsers on
 * pages that are cross-origin isolated.
 *
 * Make one, and {@link SharedGenerator.attach} to its handle in the other threads. In a thread that has one, another
 * of the same identity shares its memory, and a SnowflakeGenerator of that identity makes no more IDs: each call is
 * an {@link ArgumentError}. Two that are *made* in two threads know nothing of each other, and would repeat IDs.
 *
 * @example
 * ```ts
 * import { SharedGenerator } from "bitflake/threads";
 *
 * const shared = new SharedGenerator("twitter", { machineId: 12 });
 * // In the worker, which gets shared.handle as its workerData or in a message:
 * const attached = SharedGenerator.attach(structuredClone(shared.handle));
 *
 * const first = shared.nextId();
 * attached.nextId() > first; // => true
 * ```
 */
export class SharedGenerator extends SnowflakeGenerator {
  /** What another thread needs to join. */
  declare readonly handle: SharedHandle;
  readonly #issuer: SharedIssuer;

  /**
   * @param preset the name of a preset, a `PRESET_…` constant, or widths and options of your own; default `"minimal"`
   * @param options further options, or other values for the preset's own
   * @throws {@link LayoutError} if the widths do not make a layout
   * @throws {@link ArgumentError} if the preset or an option is wrong or unknown
   * @throws {@link EpochError} if the epoch is in the future
   * @throws {@link UnsupportedError} if there is no SharedArrayBuffer here, or a `crypto` that does not return random
   *   bytes
   */
  constructor(preset?: PresetName | Preset | GeneratorOptions, options?: GeneratorOptions);
  /** @internal */
  constructor(
    preset: GeneratorOptions,
    options: GeneratorOptions,
    memory: unknown,
    lend?: (issuer: SharedIssuer) => void,
  );
  constructor(
    preset: PresetName | Preset | GeneratorOptions = "minimal",
    options: GeneratorOptions = {},
    memory?: unknown,
    lend?: (issuer: SharedIssuer) => void,
  ) {
    const given = mergeOptions(assertObject("options", options), mergeOptions(preset));
    let issuer!: SharedIssuer;
    super(given, (settings) => {
      // Not for a generator that joins another, nor for one on a lease.
      if (memory === undefined && !lend && !settings.isNodeGiven) warnOfSharedNode();
      const opened = memory === undefined ? memory : openMemory(memory, settings);
      issuer = new SharedIssuer(settings, opened, lend !== undefined);
      return issuer;
    });
    this.#issuer = issuer;
    lend?.(issuer);
    if (issuer.memory.isLeased) this.#showNode();
    const { clock, ...sent } = { ...given, epochMs: this.epochMs };
    this.handle = Object.freeze({
      version: VERSION,
      memory: issuer.memory.buffer,
      options: Object.freeze(sent),
      ownClock: clock !== undefined,
    });
  }

  /** Says which node it stamps, for that may become another, in whichever thread the lease is. */
  #showNode(): void {
    const { memory } = this.#issuer;
    const machines = 2 ** this.layout.machineBits;
    // Without a prototype: what is on a polluted Object.prototype would be part of the descriptor.
    const show = (get: () => number) =>
      ({ __proto__: null, get, enumerable: true, configurable: true }) as PropertyDescriptor;
    Object.defineProperties(this, {
      datacenterId: show(() => Math.floor(memory.node / machines)),
      machineId: show(() => memory.node % machines),
    });
  }

  /**
   * Joins a generator of another thread.
   *
   * @param handle the other generator's {@link SharedGenerator.handle}, as it arrived
   * @param clock a function, the clock to read in this thread. It must tell the same time as the others' do: those
   *   behind the one that is farthest ahead have, to it, stepped back. Default: `Date.now`, unless the generator has a
   *   clock of its own; then there is no default
   * @throws {@link ArgumentError} if the handle is none, is of another version of this package, or does not fit its
   *   memory; if the clock is missing or no function; if this thread already has a generator of the same identity
   *   with a memory of its own
   *
   * @example
   * ```ts
   * import { SharedGenerator } from "bitflake/threads";
   *
   * const { handle } = new SharedGenerator("single_dc", { machineId: 13 });
   * SharedGenerator.attach(handle).machineId; // => 13
   * ```
   */
  static attach(handle: SharedHandle, clock?: () => number): SharedGenerator {
    const { version, memory, options, ownClock } = assertObject("handle", handle);
    if (version !== VERSION) throw new ArgumentError("handle.version", `${VERSION}`, version);
    if (ownClock && clock === undefined) {
      throw new ArgumentError("clock", "given, for the generator has one of its own", clock);
    }
    return join(assertObject("handle.options", options), { clock }, memory ?? null);
  }

  /**
   * Makes many IDs at once, as {@link SnowflakeGenerator.nextIds} does. Other threads go on meanwhile, so there may be
   * gaps; and if it throws, what it had claimed so far is lost. It claims nothing where it is known at the beginning that
   * the IDs take too long.
   *
   * @param count how many: 0 to 16,777,216
   * @throws {@link ArgumentError} if `count` is not a whole number in range
   * @throws whatever {@link nextId} throws
   */
  override nextIds(count: number): bigint[] {
    return many(count, (length) => this.#issuer.runs(length));
  }

  /**
   * Fills a typed array with IDs, as {@link SnowflakeGenerator.fill} does. Other threads go on meanwhile, so there may
   * be gaps; and if it throws, the array is as it was, but what it had claimed so far is lost.
   *
   * @param target the array to fill
   * @throws {@link ArgumentError} if `target` is no BigUint64Array or BigInt64Array
   * @throws whatever {@link nextId} throws
   */
  override fill<T extends BigUint64Array | BigInt64Array>(target: T): T {
    return fill(target, (length) => this.#issuer.runs(length));
  }
}

/** Not within the class: one that names itself is built as `_SharedGenerator`, and stack traces say so. */
function join(preset: GeneratorOptions, options: GeneratorOptions, memory: unknown): SharedGenerator {
  return new SharedGenerator(preset, options, memory);
}

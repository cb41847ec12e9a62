// SharedGenerator: a SnowflakeGenerator whose state is in memory that threads share.

import {
  ArgumentError,
  assertObject,
  type GeneratorOptions,
  GeneratorParts,
  isSystemClock,
  mergeOptions,
  type PresetName,
  resolveGeneratorSettings,
  type Settings,
  SnowflakeGenerator,
  warnOfSharedNode,
} from "../internal.ts";
import { openMemory, VERSION } from "./memory.ts";
import { SharedSource } from "./sharedSource.ts";

/** What another thread needs to join: send it as it is, by `postMessage` or as `workerData`. */
export interface SharedHandle {
  /** The version of the memory's form; {@link SharedGenerator.attach} refuses any but its own. */
  readonly version: number;
  /** The state itself. */
  readonly memory: SharedArrayBuffer;
  /** The generator's options without the clock, because no function can be sent. */
  readonly options: GeneratorOptions;
  /** Whether the generator has a custom clock. Then each thread must pass one to {@link SharedGenerator.attach}. */
  readonly ownClock: boolean;
}

/** The parts of a generator whose source is memory that threads share. */
class SharedParts extends GeneratorParts {
  declare readonly source: SharedSource;
}

/**
 * A {@link SnowflakeGenerator} that many threads use as one: the same options, the same clock rules, one node ID for
 * all of them. Its state is one 64-bit word in a SharedArrayBuffer, and each ID is one compare-and-set on it. There is no
 * lock, so a thread that dies does not block the others. It runs in worker threads of Node, Deno and Bun, and in browsers on
 * pages that are cross-origin isolated.
 *
 * Make one, and {@link SharedGenerator.attach} to its handle in the other threads. In a thread that has one, another
 * of the same identity shares its memory, and a SnowflakeGenerator of that identity makes no more IDs: each call is
 * an {@link ArgumentError}. Two that are *made* in two threads are independent of each other, and would repeat IDs.
 *
 * Other threads make IDs while a batch (`nextIds`, `fill`) is at work, so there may be gaps between its IDs. If it throws
 * midway, the IDs claimed so far are lost. If the first reading shows that it would take too long, it claims none.
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

  /**
   * @param preset the name of a preset, a `PRESET_…` constant, or widths and options of your own; default `"minimal"`
   * @param options further options, or other values for the preset's own
   * @throws {@link LayoutError} if the widths do not make a layout
   * @throws {@link ArgumentError} if the preset or an option is wrong or unknown
   * @throws {@link EpochError} if the epoch is in the future of the system's clock
   * @throws {@link UnsupportedError} if there is no SharedArrayBuffer here, a `crypto` that does not return random bytes, or
   *   a frozen `globalThis` and `WeakMap`
   */
  constructor(preset?: PresetName | GeneratorOptions, options?: GeneratorOptions);
  /** @internal */
  constructor(parts: SharedParts);
  constructor(
    preset: PresetName | GeneratorOptions | SharedParts = "minimal",
    options: GeneratorOptions = {},
  ) {
    const parts = preset instanceof SharedParts ? preset : newParts(preset, options);
    super(parts);
    this.handle = handleOf(parts);
  }

  /**
   * Creates a generator that issues IDs only under grants, with the source that takes them.
   *
   * @internal
   */
  static underGrants(settings: Settings): { generator: SharedGenerator; source: SharedSource } {
    const source = new SharedSource(settings, undefined, true);
    return { generator: construct(new SharedParts(settings, source)), source };
  }

  /**
   * Joins a generator of another thread.
   *
   * @param handle the other generator's {@link SharedGenerator.handle}, as it arrived
   * @param clock a function, the clock to read in this thread. It must show the same time as the clocks of the others,
   *   because a clock behind the one that is farthest ahead counts as one that stepped back. Default: `Date.now`, unless
   *   the generator has a custom clock; then there is no default
   * @throws {@link ArgumentError} if the handle is no handle, is of another version of this package, or does not fit its
   *   memory; if the clock is missing or no function; if this thread already has a generator of the same identity
   *   with a memory of its own; if the generator was ended, because its custom clock has replaced `Date.now` in a thread
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
      throw new ArgumentError("clock", "given, because the generator has one of its own", clock);
    }
    const settings = resolveGeneratorSettings(
      mergeOptions(assertObject("handle.options", options), { clock }),
    );
    const source = new SharedSource(settings, openMemory(memory, settings));
    return construct(new SharedParts(settings, source));
  }
}

/** Not within the class: a class that names itself is built as `_SharedGenerator`, and stack traces say so. */
function construct(parts: SharedParts): SharedGenerator {
  return new SharedGenerator(parts);
}

function newParts(preset: PresetName | GeneratorOptions, options: GeneratorOptions): SharedParts {
  const settings = resolveGeneratorSettings(mergeOptions(preset, assertObject("options", options)));
  if (!settings.isNodeChosen) warnOfSharedNode();
  return new SharedParts(settings, new SharedSource(settings));
}

function handleOf({ settings, source }: SharedParts): SharedHandle {
  const { epochMs, tickMs, maxBackwardMs, maxBorrowMs, onExhausted, sequenceStart } = settings;
  const { datacenterId, machineId } = settings;
  const options: GeneratorOptions = {
    ...settings.layout,
    ...(settings.isNodeChosen && { datacenterId, machineId }),
    epochMs,
    tickMs,
    maxBackwardMs,
    maxBorrowMs,
    onExhausted,
    sequenceStart,
  };
  return Object.freeze({
    version: VERSION,
    memory: source.memory.buffer,
    options: Object.freeze(options),
    ownClock: !isSystemClock(settings.clock),
  });
}

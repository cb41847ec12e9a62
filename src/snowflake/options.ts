// What a caller may configure, with defaults: presets and overrides are gathered here, and unknown names refused.

import { assertObject, assertOneOf, readField } from "../validate.ts";
import { PRESET_MINIMAL, PRESETS, type Preset, type PresetName, type Widths } from "./presets.ts";

/** Options of a generator. Each may be left out; an unknown name is refused, so that no typo means 0. */
export interface GeneratorOptions extends Partial<Widths> {
  /** Which datacenter this is. Default 0; must fit `datacenterBits`. */
  readonly datacenterId?: number | undefined;
  /** Which machine of the datacenter this is. Default 0; must fit `machineBits`. */
  readonly machineId?: number | undefined;
  /**
   * The moment of tick 0, in milliseconds since 1970 or as a Date. Default 2020-01-01 UTC, or the preset's; not in the
   * future.
   */
  readonly epochMs?: number | Date | undefined;
  /** How many milliseconds a tick lasts, the unit of the timestamp field. Default 1. */
  readonly tickMs?: number | undefined;
  /**
   * How far the clock may step back, in milliseconds, before it is a {@link ClockBackwardsError}. Default 10.
   * Up to there, IDs keep coming from what is left of the last tick.
   */
  readonly maxBackwardMs?: number | undefined;
  /**
   * What happens when a tick has no sequence number left. Default `"wait"`.
   * - `"wait"`: spin until the next tick ({@link SnowflakeGenerator.nextIdAsync} sleeps instead).
   * - `"throw"`: {@link SequenceExhaustedError}.
   * - `"borrow"`: take the next tick ahead of the clock, by at most `maxBorrowMs`; then wait.
   */
  readonly onExhausted?: "wait" | "throw" | "borrow" | undefined;
  /** How far ahead of the clock `"borrow"` may run, in milliseconds. Default 1000. */
  readonly maxBorrowMs?: number | undefined;
  /**
   * Where each tick's sequence starts. Default 0. With `"random"` it starts anywhere in the lower half, so that
   * a quiet system makes odd and even IDs alike and `id % shards` stays even, at the price of up to half a tick.
   */
  readonly sequenceStart?: 0 | "random" | undefined;
  /**
   * The clock: a function that returns milliseconds since 1970. Default `Date.now`, looked up at each call. It is part
   * of a generator's identity: two generators of one node must be given the same function, or they repeat IDs.
   */
  readonly clock?: (() => number) | undefined;
}

/** The options whose default is not known yet when options are gathered. */
type Open = "datacenterId" | "machineId" | "clock";

/** Every option by name; each value still as the caller gave it. */
export type Given = {
  readonly [K in Exclude<keyof GeneratorOptions, Open>]-?: Exclude<GeneratorOptions[K], undefined>;
} & Pick<GeneratorOptions, Open>;

/** What each option is when it is left out. */
export function defaults(): Given & { readonly epochMs: number } {
  return {
    ...PRESET_MINIMAL,
    // 0, once it is known whether somebody chose it.
    datacenterId: undefined,
    machineId: undefined,
    epochMs: 1_577_836_800_000,
    tickMs: 1,
    maxBackwardMs: 10,
    onExhausted: "wait",
    maxBorrowMs: 1000,
    sequenceStart: 0,
    clock: undefined, // The system clock; left out here, so that reading an ID need not load one.
  };
}

/** Puts options, or the preset of a name, over what is given already; refuses names that do not exist. */
export function mergeOptions(
  options: PresetName | Preset | GeneratorOptions,
  base: Given = defaults(),
): Given {
  const given: Record<string, unknown> = { ...base };
  const own: GeneratorOptions =
    typeof options === "string"
      ? PRESETS[assertOneOf("preset", options, Object.keys(PRESETS)) as PresetName]
      : assertObject("preset", options);
  // By the names that there are as well, so that what an object inherits or computes counts.
  for (const name of Object.keys({ ...base, ...own })) {
    const value = readField(own, assertOneOf("option", name, Object.keys(base)));
    if (value !== undefined) given[name] = value;
  }
  return given as unknown as Given;
}

// The options of a generator and their defaults. mergeOptions puts presets and overrides together.

import { assertObject, assertOneOf, readField } from "../validate.ts";
import { PRESET_MINIMAL, PRESETS, type PresetName, type Widths } from "./presets.ts";

/** Options of a generator. Each may be left out. An unknown name is refused, so that a misspelt one is not ignored. */
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
   * The first sequence number of each tick. Default 0. A generator that makes less than one ID in a tick then makes only
   * IDs with sequence 0, and `id % shards` is always 0 if `shards` is a power of two up to 2^`sequenceBits`. With `"random"`
   * each tick starts anywhere in the lower half of the sequence, at the price of up to half of a tick's sequence numbers.
   */
  readonly sequenceStart?: 0 | "random" | undefined;
  /**
   * The clock: a function that returns milliseconds since 1970. Default `Date.now`, looked up at each call. It is part
   * of a generator's identity: two generators of one node must be given the same function, or they repeat IDs.
   */
  readonly clock?: (() => number) | undefined;
}

/** Returns what each option is when it is left out. */
export function defaults(): GeneratorOptions {
  return {
    ...PRESET_MINIMAL,
    // `resolveGeneratorSettings` turns undefined into 0 and notes that no node was chosen.
    datacenterId: undefined,
    machineId: undefined,
    epochMs: 1_577_836_800_000,
    tickMs: 1,
    maxBackwardMs: 10,
    onExhausted: "wait",
    maxBorrowMs: 1000,
    sequenceStart: 0,
    clock: undefined, // The system clock, left out here so that `decode` does not bundle it.
  };
}

/**
 * Merges options, later ones over earlier ones and all of them over the defaults. A string is the name of a preset.
 *
 * @returns an object that has each option as a property of its own, with a value that is not validated yet
 * @throws {@link ArgumentError} if a layer is no preset and no object, or has an unknown name
 */
export function mergeOptions(...layers: readonly (PresetName | GeneratorOptions)[]): GeneratorOptions {
  const merged: Record<string, unknown> = { ...defaults() };
  const names = Object.keys(merged);
  for (const layer of layers) {
    if (typeof layer === "string") {
      Object.assign(merged, PRESETS[assertOneOf("preset", layer, Object.keys(PRESETS) as PresetName[])]);
      continue;
    }
    const options = assertObject("preset", layer, "the name of a preset or an object of options");
    for (const name of Object.keys(options)) assertOneOf("option", name, names);
    // Reads each known name, and not only the object's own properties, so that inherited ones and getters count as well.
    for (const name of names) {
      const value = readField(options, name);
      if (value !== undefined) merged[name] = value;
    }
  }
  return merged;
}

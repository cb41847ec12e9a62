// deterministic: a generator whose IDs are the same in each run.

import {
  ArgumentError,
  assertKnownOptions,
  defaults,
  type GeneratorOptions,
  mergeOptions,
  type PresetName,
  SnowflakeGenerator,
} from "../internal.ts";
import { CLOCK_OPTIONS, type TestClock, type TestClockOptions, testClock } from "./clock.ts";

/**
 * Options of {@link deterministic}: those of its clock and those of a generator, except `clock` and `sequenceStart`. An unknown
 * name is refused.
 */
export interface DeterministicOptions extends Omit<GeneratorOptions, "clock" | "sequenceStart"> {
  /** The time of the first ID, in milliseconds since 1970 or as a Date. Default 2026-01-01 UTC. */
  readonly start?: TestClockOptions["start"];
  /**
   * How far each reading moves the clock, in milliseconds. Default 1: each call of `nextId()` is a new millisecond. With 0 all IDs
   * have one time and count up, until the test moves the clock.
   */
  readonly step?: TestClockOptions["step"];
  /** Widths and options of the generator, as for `makeGenerator`. Default `"minimal"`. */
  readonly preset?: PresetName | GeneratorOptions | undefined;
}

/** A generator whose IDs are the same in each run. Created by {@link deterministic}. */
export interface DeterministicGenerator extends SnowflakeGenerator {
  /** Its clock, which the test may move. */
  readonly clock: TestClock;
}

/**
 * Creates a generator for tests whose IDs are the same in each run: snapshots and fixtures can contain them. Each call starts again
 * with the same IDs, so **do not use it outside of tests: it repeats IDs on purpose**.
 *
 * The IDs depend on the calls and on their order. Asynchronous calls that run at the same time share the IDs out in the order in
 * which they get to run.
 *
 * @param options `start`, default 2026-01-01 UTC; `step`, default 1; `preset`, default `"minimal"`; and further options of a
 *   generator
 * @throws {@link LayoutError} if the widths do not make a layout
 * @throws {@link ArgumentError} if an option is wrong or unknown, or `preset` has a `clock` or a random `sequenceStart`
 *
 * @example
 * ```ts
 * import { deterministic } from "bitflake/testing";
 *
 * const ids = deterministic({ preset: "twitter", machineId: 7 });
 * ids.nextId(); // => 794354201395228672n
 * ids.nextId(); // => 794354201399422976n
 * deterministic({ preset: "twitter", machineId: 7 }).nextId(); // => 794354201395228672n
 * ```
 */
export function deterministic(options: DeterministicOptions = {}): DeterministicGenerator {
  const { clock: _, sequenceStart: __, ...names } = defaults();
  assertKnownOptions(options, [...CLOCK_OPTIONS, "preset", ...Object.keys(names)]);
  const { start, step = 1, preset = "minimal", ...own } = options;
  const merged = mergeOptions(preset, own);
  if (merged.clock !== undefined) {
    throw new ArgumentError("preset.clock", "left out: start and step set the clock", merged.clock);
  }
  if (merged.sequenceStart === "random") {
    throw new ArgumentError("preset.sequenceStart", "0, so that each run has the same IDs", "random");
  }
  const clock = testClock({ start, step });
  // A node, so that no test run in a Kubernetes pod or under PM2 is warned of a shared one.
  const { machineId = 0 } = merged;
  return Object.assign(new SnowflakeGenerator({ ...merged, machineId, clock }), { clock });
}

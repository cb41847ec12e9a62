// testClock: a clock that a test moves.

import { assertKnownOptions, assertMoment, assertWhole } from "../internal.ts";

/** The default start, after the epoch of every preset. */
const START = new Date("2026-01-01");

/** The names of the options. */
export const CLOCK_OPTIONS: readonly (keyof TestClockOptions)[] = ["start", "step"];

/** Options of {@link testClock}. An unknown name is refused. */
export interface TestClockOptions {
  /** The first reading, in milliseconds since 1970 or as a Date. Default 2026-01-01 UTC. */
  readonly start?: number | Date | undefined;
  /** How far each reading moves the clock, in milliseconds. Default 0: only the test moves it. */
  readonly step?: number | undefined;
}

/** A clock that a test moves. Call it to read it. */
export interface TestClock {
  (): number;
  /** The next reading, in milliseconds since 1970. A test may set it, also to an earlier time. */
  nowMs: number;
  /**
   * Moves the clock.
   *
   * @param ms whole milliseconds; negative ones move it back
   * @throws {@link ArgumentError} if it is not a whole number
   */
  advance(ms: number): void;
}

/**
 * Creates a clock for the option `clock` of a generator or a store. It stands still until the test moves it, unless it has a
 * `step`. Each clock is an identity of its own: generators on two test clocks make the same IDs.
 *
 * @param options `start`, default 2026-01-01 UTC; `step`, default 0
 * @throws {@link ArgumentError} if an option is wrong or unknown
 *
 * @example
 * ```ts
 * import { makeGenerator } from "bitflake";
 * import { testClock } from "bitflake/testing";
 *
 * const clock = testClock({ start: new Date("2026-05-01") });
 * const generator = makeGenerator("twitter", { clock });
 * generator.nextId();
 * clock.advance(60_000);
 * generator.decode(generator.nextId()).generatedAt; // => '2026-05-01T00:01:00.000Z'
 * ```
 */
export function testClock(options: TestClockOptions = {}): TestClock {
  assertKnownOptions(options, CLOCK_OPTIONS);
  const { start = START, step = 0 } = options;
  const stepMs = assertWhole("step", step, 0, 8.64e15);
  const clock = () => {
    const { nowMs } = clock;
    clock.nowMs += stepMs;
    return nowMs;
  };
  clock.nowMs = assertMoment("start", start);
  clock.advance = (ms: number) => {
    clock.nowMs += assertWhole("ms", ms, -8.64e15, 8.64e15);
  };
  return clock;
}

// bitflake/testing: tools for tests. Deterministic generators, a clock and a store that a test moves, reset, and the conformance suite
// for ports of one's own.

export type { CellPort, MemoryPort } from "../backend/ports.ts";
export {
  ArgumentError,
  BackendError,
  type BrokenRule,
  ClockBackwardsError,
  ClockStalledError,
  ConformanceError,
  EpochError,
  type GeneratorOptions,
  InvalidIdError,
  LayoutError,
  type PresetName,
  SequenceExhaustedError,
  SnowflakeGenerator,
  TimestampOverflowError,
  UnsupportedError,
} from "../internal.ts";
export { type TestClock, type TestClockOptions, testClock } from "./clock.ts";
export {
  type ConformanceCase,
  type ConformanceOptions,
  type ConformanceReport,
  conformanceCases,
  runConformance,
} from "./conformance/conformance.ts";
export { type DeterministicGenerator, type DeterministicOptions, deterministic } from "./deterministic.ts";
export { reset } from "./reset.ts";
export { type TestStore, type TestStoreOptions, testStore } from "./store.ts";

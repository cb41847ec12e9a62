// bitflake/threads: one generator shared by many worker threads.

// The types of what it takes and throws; as values they are in "bitflake".
export type {
  ArgumentError,
  ClockBackwardsError,
  ClockStalledError,
  EpochError,
  GeneratorOptions,
  InvalidIdError,
  LayoutError,
  Preset,
  PresetName,
  SequenceExhaustedError,
  SnowflakeGenerator,
  TimestampOverflowError,
  UnsupportedError,
} from "../core.ts";
export { SharedGenerator, type SharedHandle } from "./generator.ts";

// bitflake/threads: one generator shared by many worker threads.

export {
  ArgumentError,
  ClockBackwardsError,
  ClockStalledError,
  EpochError,
  type GeneratorOptions,
  InvalidIdError,
  LayoutError,
  LeaseExpiredError,
  type Preset,
  type PresetName,
  SequenceExhaustedError,
  SnowflakeGenerator,
  TimestampOverflowError,
  UnsupportedError,
} from "../internal.ts";
export { SharedGenerator, type SharedHandle } from "./generator.ts";

// The front door: everything that `import … from "bitflake"` gives.

export {
  ArgumentError,
  BitflakeError,
  ClockBackwardsError,
  ClockStalledError,
  EpochError,
  type ErrorCode,
  InvalidIdError,
  LayoutError,
  SequenceExhaustedError,
  TimestampOverflowError,
  UnsupportedError,
} from "./errors.ts";
export { type Capacity, capacity } from "./snowflake/capacity.ts";
export { type DecodedId, decode } from "./snowflake/decode.ts";
export { type EnvOptions, machineIdFromHostname, makeGeneratorFromEnv } from "./snowflake/env.ts";
export { makeGenerator, SnowflakeGenerator } from "./snowflake/generator.ts";
export type { GeneratorOptions } from "./snowflake/options.ts";
export { isId, parseId } from "./snowflake/parse.ts";
export {
  PRESET_HIGH_THROUGHPUT,
  PRESET_LARGE_CLUSTER,
  PRESET_MINIMAL,
  PRESET_SAFE_INTEGER,
  PRESET_SINGLE_DC,
  PRESET_TWITTER,
  type Preset,
  type PresetName,
  type Widths,
} from "./snowflake/presets.ts";
export type { IdRange } from "./snowflake/range.ts";
export { nextId, nextIds } from "./snowflake/shortcut.ts";
export { randomString } from "./wrappers/random.ts";
export { timestampId } from "./wrappers/timestamp.ts";
export { uuid, uuidv7 } from "./wrappers/uuid.ts";

// lib/ids.ts
import { makeGeneratorFromEnv, type SnowflakeGenerator } from "bitflake";

let made: SnowflakeGenerator | undefined;

export function ids(): SnowflakeGenerator {
  made ??= makeGeneratorFromEnv("twitter", { required: true });
  return made;
}

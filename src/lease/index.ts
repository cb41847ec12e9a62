// bitflake/lease: node IDs leased from a backend.

// The types of what it takes and throws; as values they are in "bitflake".
export type { Backend } from "../backend/ports.ts";
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
export {
  BackendError,
  ClockSkewError,
  LeaseExpiredError,
  NamespaceError,
  NoNodeAvailableError,
} from "../core.ts";
export { type HeldNode, inspect, type NamespaceReport } from "./inspect.ts";
export type { Lease, LeaseStatus } from "./lease.ts";
export { leaseNode } from "./leaseNode.ts";
export type { LeaseOptions } from "./options.ts";
export type { NodeFields } from "./space.ts";

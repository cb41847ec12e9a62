// bitflake/lease: node IDs leased from a backend.

export type { AsyncDisposal } from "../asyncDispose.ts";
export type { Backend } from "../backend/ports.ts";
export {
  ArgumentError,
  BackendError,
  ClockBackwardsError,
  ClockSkewError,
  ClockStalledError,
  EpochError,
  type GeneratorOptions,
  InvalidIdError,
  LayoutError,
  LeaseExpiredError,
  LeaseFenceError,
  NamespaceError,
  type NodeFields,
  NoNodeAvailableError,
  type Preset,
  type PresetName,
  SequenceExhaustedError,
  SnowflakeGenerator,
  StoreCutOffError,
  TimestampOverflowError,
  UnsupportedError,
} from "../internal.ts";
export { type HeldNode, inspect, type NamespaceReport } from "./inspect.ts";
export type { Lease, LeaseStatus } from "./lease.ts";
export { leaseNode } from "./leaseNode.ts";
export type { LeaseOptions } from "./options.ts";

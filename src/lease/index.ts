// bitflake/lease: node IDs leased from a backend.

// The types of what it takes and throws; as values these are in "bitflake", "bitflake/backend" and "bitflake/threads".
export type { Backend } from "../backend/ports.ts";
export type {
  ArgumentError,
  EpochError,
  GeneratorOptions,
  LayoutError,
  Preset,
  PresetName,
  SnowflakeGenerator,
} from "../core.ts";
export {
  BackendError,
  ClockSkewError,
  LeaseExpiredError,
  NamespaceError,
  NoNodeAvailableError,
} from "../core.ts";
export type { SharedGenerator } from "../threads/index.ts";
export { type HeldNode, inspect, type NamespaceReport } from "./inspect.ts";
export type { Lease, LeaseStatus } from "./lease.ts";
export { leaseNode } from "./leaseNode.ts";
export type { LeaseOptions } from "./options.ts";
export type { NodeFields } from "./space.ts";

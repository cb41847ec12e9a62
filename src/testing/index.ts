// bitflake/testing: tools for tests. So far the conformance suite for ports of one's own.

export type { CellPort } from "../backend/ports.ts";
export { ArgumentError, BackendError, type BrokenRule, ConformanceError } from "../internal.ts";
export {
  type ConformanceCase,
  type ConformanceOptions,
  type ConformanceReport,
  conformanceCases,
  runConformance,
} from "./conformance/conformance.ts";

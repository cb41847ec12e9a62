// bitflake/explain: the formats that an ID may have, and faults of generators in the IDs that they made.

export { ArgumentError, InvalidIdError, LayoutError } from "../internal.ts";
export { Audit, type AuditedNode, type AuditHistogram, type AuditReport } from "./audit.ts";
export type { AuditOptions } from "./auditOptions.ts";
export { type DrawnReport, drawHistogram } from "./drawHistogram.ts";
export { type ExplainOptions, type Explanation, explain } from "./explain.ts";
export { FINDING_KINDS, type Finding, type FindingKind } from "./findings.ts";
export type { IdFormatName } from "./guess.ts";

// IDs with faults, and their audits.

import { encode, type PresetName } from "bitflake";
import { Audit, type AuditOptions, type AuditReport } from "bitflake/explain";

export const nowMs = Date.UTC(2026, 10, 28);
export const START = Date.UTC(2026, 9, 1);

/** An ID of preset twitter, by its time after the start, node and sequence. */
export const id = (ms: number, machineId = 0, sequence = 0) =>
  encode({ timestampMs: START + ms, datacenterId: 0, machineId, sequence }, "twitter");

export function auditOf(
  ids: readonly bigint[],
  options: AuditOptions = {},
  preset: PresetName = "twitter",
): AuditReport {
  const audit = new Audit(preset, { nowMs, ...options });
  for (const one of ids) audit.add(one);
  return audit.report();
}

export const range = (count: number) => Array.from({ length: count }, (_, i) => i);

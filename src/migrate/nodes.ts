// Node sets: the nodes that a side of a migration uses, as ranges of node numbers.

import { ArgumentError, assertObject, assertOneOf, assertWhole, readField } from "../internal.ts";
import type { IdRange } from "./idSet.ts";

/**
 * Nodes of a layout:
 * - a number: one node, as a number over the datacenter and machine fields together;
 * - `[first, last]`: these nodes and all between them;
 * - `{ datacenterId, machineId }`: one machine of a datacenter, or without `machineId` all of its machines.
 */
export type NodeEntry =
  | number
  | readonly [first: number, last: number]
  | {
      /** The datacenter field. */
      readonly datacenterId: number;
      /** The machine field. Default: every machine. */
      readonly machineId?: number | undefined;
    };

/** The widths of the node fields. */
interface NodeWidths {
  readonly datacenterBits: number;
  readonly machineBits: number;
}

/** Asserts that a value is a number that so many bits hold, and that a JavaScript number holds exactly. */
function assertFits(field: string, value: unknown, bits: number, least = 0n): bigint {
  const most = Math.min(2 ** bits - 1, Number.MAX_SAFE_INTEGER);
  return BigInt(assertWhole(field, value, Number(least), most, ` (${bits} bits)`));
}

/** Returns the nodes of an entry as a range, validated. */
function resolveNodes(field: string, entry: NodeEntry, widths: NodeWidths): IdRange {
  const { datacenterBits, machineBits } = widths;
  const nodeBits = datacenterBits + machineBits;
  if (Array.isArray(entry) && entry.length === 2) {
    const first = assertFits(`${field}[0]`, entry[0], nodeBits);
    return [first, assertFits(`${field}[1]`, entry[1], nodeBits, first)];
  }
  if (typeof entry === "number") {
    const node = assertFits(field, entry, nodeBits);
    return [node, node];
  }
  const fields = assertObject(field, entry, "a node, [first, last] or { datacenterId, machineId }");
  for (const name of Object.keys(fields)) assertOneOf(field, name, ["datacenterId", "machineId"]);
  const datacenterId = readField(fields, "datacenterId");
  const machineId = readField(fields, "machineId");
  const size = BigInt(machineBits);
  const first = assertFits(`${field}.datacenterId`, datacenterId, datacenterBits) << size;
  if (machineId === undefined) return [first, first + (1n << size) - 1n];
  const node = first + assertFits(`${field}.machineId`, machineId, machineBits);
  return [node, node];
}

/** Returns the nodes of a list in ascending ranges that do not touch; without a list, all nodes of the layout. */
export function resolveNodeSet(
  field: string,
  entries: readonly NodeEntry[] | undefined,
  widths: NodeWidths,
): readonly IdRange[] {
  if (entries === undefined) {
    return [[0n, (1n << BigInt(widths.datacenterBits + widths.machineBits)) - 1n]];
  }
  if (!Array.isArray(entries) || entries.length === 0) {
    throw new ArgumentError(field, "a list of at least one node", entries);
  }
  // Array.from, because map() leaves out holes.
  const ranges = Array.from(entries, (entry, index) =>
    resolveNodes(`${field}[${index}]`, entry, widths),
  ).sort(([a], [b]) => (a < b ? -1 : 1));
  const merged: [bigint, bigint][] = [];
  for (const [first, last] of ranges) {
    const before = merged.at(-1);
    if (before && first <= before[1] + 1n) {
      if (last > before[1]) before[1] = last;
    } else merged.push([first, last]);
  }
  return merged;
}

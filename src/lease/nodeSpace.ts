// NodeSpace: the nodes that a holder may lease, and the shape of the IDs that a namespace is for.

import { LayoutError, type NodeFields, type Settings } from "../internal.ts";
import type { NodeSpace } from "./rule.ts";

/** The most bits of both node fields. Node numbers then stay exact in every store. */
const MAX_NODE_BITS = 32;

/** Splits a node into its datacenter and machine field. */
export function nodeFields(node: number, machineBits: number): NodeFields {
  return { datacenterId: Math.floor(node / 2 ** machineBits), machineId: node % 2 ** machineBits };
}

/**
 * Returns the shape of a namespace: the layout, epoch and tick of its IDs, and whether one field or both are leased, as a
 * string that a store compares with the stored one.
 */
export function shapeOf(
  { layout, epochMs, tickMs }: Pick<Settings, "layout" | "epochMs" | "tickMs">,
  isOneField: boolean,
): string {
  const { timestampBits, datacenterBits, machineBits, sequenceBits } = layout;
  const widths = [timestampBits, datacenterBits, machineBits, sequenceBits].join(".");
  return `${widths} epoch ${epochMs} tick ${tickMs} ${isOneField ? "machineId" : "both fields"} leased`;
}

/** Parses the part of a shape that is needed to report the nodes of a namespace. */
export function parseShape(
  shape: string,
): { epochMs: number; tickMs: number; machineBits: number } | undefined {
  const match = /^\d+\.\d+\.(\d+)\.\d+ epoch (-?\d+) tick (\d+) /.exec(shape);
  if (!match) return undefined;
  const [machineBits = 0, epochMs = 0, tickMs = 1] = match.slice(1).map(Number);
  return { machineBits, epochMs, tickMs };
}

/**
 * Creates the space of a holder: the machines of one datacenter, or all nodes. The shape says which, because holders that
 * disagree about it could be granted the same node: see `longestFreeNode` in `rule.ts`.
 *
 * @param isDatacenterFixed whether `datacenterId` was given
 */
export function makeNodeSpace(
  settings: Pick<Settings, "layout" | "epochMs" | "tickMs" | "datacenterId">,
  isDatacenterFixed: boolean,
): NodeSpace {
  const { layout, epochMs, tickMs, datacenterId } = settings;
  const { datacenterBits, machineBits } = layout;
  const nodeBits = datacenterBits + machineBits;
  if (nodeBits > MAX_NODE_BITS) {
    throw new LayoutError(
      "layout",
      `one with at most ${MAX_NODE_BITS} datacenter and machine bits to lease`,
      nodeBits,
    );
  }
  const isOneField = isDatacenterFixed && datacenterBits > 0;
  const bits = isOneField ? machineBits : nodeBits;
  if (bits < 1) {
    const fields = isOneField ? "machine" : "datacenter or machine";
    throw new LayoutError("layout", `one with at least 1 ${fields} bit to lease`, bits);
  }
  return {
    shape: shapeOf(settings, isOneField),
    first: isOneField ? datacenterId * 2 ** machineBits : 0,
    count: 2 ** bits,
    epochMs,
    tickMs,
  };
}

// The brute force that the prover is compared with: it counts through every reading, node and sequence number of a side.

import type { NodeEntry, Scheme, SchemeSide } from "../../src/migrate/index.ts";

/** A side whose options are all set, with an epoch and moments that are numbers. */
export interface FullSide extends SchemeSide {
  readonly scheme: Scheme & { readonly epochMs: number; readonly tickMs: number };
  readonly nodes: readonly NodeEntry[];
  readonly since: number;
  readonly until: number;
}

/** Returns the nodes of a list, in no order. */
function nodesOf(entries: readonly NodeEntry[], machineBits: number): Set<number> {
  const nodes = new Set<number>();
  for (const entry of entries) {
    if (typeof entry === "number") nodes.add(entry);
    else if ("datacenterId" in entry) {
      const { datacenterId, machineId } = entry;
      for (let machine = 0; machine < 2 ** machineBits; machine++) {
        if (machineId === undefined || machine === machineId)
          nodes.add(datacenterId * 2 ** machineBits + machine);
      }
    } else for (let node = entry[0]; node <= entry[1]; node++) nodes.add(node);
  }
  return nodes;
}

/** Returns every ID that the generators of a side make, if their clocks are off by up to `maxSkewMs`. */
export function idsOf(side: FullSide, maxSkewMs: number): Set<number> {
  const { scheme, nodes, since, until } = side;
  const { timestampBits, datacenterBits = 0, machineBits = 0, sequenceBits = 0, epochMs, tickMs } = scheme;
  const ids = new Set<number>();
  const ticks = new Set<number>();
  for (let reading = since - maxSkewMs; reading < until + maxSkewMs; reading++) {
    const tick = Math.floor((reading - epochMs) / tickMs);
    if (tick >= 0 && tick < 2 ** timestampBits) ticks.add(tick);
  }
  const nodeSize = 2 ** (datacenterBits + machineBits);
  const sequenceSize = 2 ** sequenceBits;
  for (const tick of ticks) {
    for (const node of nodesOf(nodes, machineBits)) {
      for (let sequence = 0; sequence < sequenceSize; sequence++) {
        ids.add(
          scheme.isSequenceFirst
            ? (tick * sequenceSize + sequence) * nodeSize + node
            : (tick * nodeSize + node) * sequenceSize + sequence,
        );
      }
    }
  }
  return ids;
}

/** The facts of a verdict. */
export interface Facts {
  readonly disjoint: boolean;
  readonly ordered: boolean;
  /** The smallest common ID. */
  readonly common: number | undefined;
}

/** Compares two sets of IDs. */
export function compare(old: ReadonlySet<number>, fresh: ReadonlySet<number>): Facts {
  let common: number | undefined;
  let largestOld = -1;
  let smallestNew = Number.POSITIVE_INFINITY;
  for (const id of old) if (id > largestOld) largestOld = id;
  for (const id of fresh) {
    if (id < smallestNew) smallestNew = id;
    if (old.has(id) && (common === undefined || id < common)) common = id;
  }
  return { disjoint: common === undefined, ordered: smallestNew > largestOld, common };
}

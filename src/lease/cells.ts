// Leases on any store with compare-and-set: runs the rule itself. Each node has a cell of its own, so holders of different
// nodes never compete. A namespace also has the cell "shape", and for each space a cell "free-" with its
// first node, which cellClaim.ts explains.

import { callStore } from "../backend/call.ts";
import { Cells, cellKey, listCells, type SeenCell, seeCell, timeAt } from "../backend/cells.ts";
import type { CellPort } from "../backend/ports.ts";
import { ArgumentError } from "../internal.ts";
import { claimNode } from "./cellClaim.ts";
import { formatNode, type NamespaceCells, stateOf, stateOfNode } from "./cellState.ts";
import { acquireCallOptions, type LeasePort, type NamespaceSnapshot } from "./port.ts";
import { type LeaseAnswer, release, renew } from "./rule.ts";

export function cellLeasePort(port: CellPort, name: string): LeasePort {
  if (!port.list)
    throw new ArgumentError("backend", "a store that can list its keys, which leases need", port);
  const cells = new Cells(port);
  const keyOf = (part: string | number) => cellKey(port, "lease", name, `${part}`);

  /** Reads all cells of the namespace, each at a moment of its own. */
  async function readAll(operation: string): Promise<NamespaceCells> {
    const [shape, listed] = await Promise.all([
      seeCell(port, operation, keyOf("shape")),
      listCells(port, operation, keyOf("")),
    ]);
    const nodes = new Map<number, SeenCell>();
    const start = keyOf("").length;
    for (const seen of listed) {
      const part = seen.cell.key.slice(start);
      if (/^\d+$/.test(part)) nodes.set(Number(part), seen);
    }
    return { shape, nodes };
  }

  return {
    acquire(terms, request, nowMs, options) {
      const operation = "lease: acquire";
      const run = async (leftMs: () => number): Promise<LeaseAnswer> => {
        const store = { port, operation, keyOf, readAll, leftMs, background: options?.background ?? false };
        const { answer, granted } = await claimNode(store, terms, request, nowMs);
        if (granted) cells.remember(granted.key, granted.seen);
        return answer;
      };
      const parse = (answer: unknown) => answer as LeaseAnswer;
      return callStore(port, operation, run, parse, acquireCallOptions(options));
    },

    renew(terms, proof, nowMs, options) {
      const rule = (value: string | undefined, storeMs: number) => {
        const state = stateOfNode(terms.shape, proof.node, value);
        const [next, answer] = renew(state, terms, proof, nowMs, { ms: storeMs, historyId: "" });
        const node = answer.outcome === "granted" ? next?.nodes.get(proof.node) : undefined;
        return { value: node && formatNode(node), result: answer };
      };
      return cells.step("lease: renew", keyOf(proof.node), rule, { ...options, isRemembered: true });
    },

    async release({ shape }, proof, nextTick) {
      const rule = (value: string | undefined) => {
        const state = stateOfNode(shape, proof.node, value);
        const next = release(state, proof, nextTick);
        const node = next === state ? undefined : next.nodes.get(proof.node);
        return { value: node && formatNode(node), result: true };
      };
      await cells.step("lease: release", keyOf(proof.node), rule);
    },

    read() {
      const operation = "lease: read";
      const run = async (): Promise<NamespaceSnapshot> => {
        const { shape, nodes } = await readAll(operation);
        const { value } = shape.cell;
        return {
          state: value === undefined ? undefined : stateOf(operation, value, nodes),
          storeMs: timeAt(shape),
        };
      };
      return callStore(port, operation, run, (answer) => answer as NamespaceSnapshot);
    },
  };
}

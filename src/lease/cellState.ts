// State of a namespace whose nodes have a cell each, and the value of such a cell.

import { type SeenCell, unexpected } from "../backend/cells.ts";
import { emptyNamespace, type NamespaceState, type NodeState } from "./rule.ts";

/** The cells of a namespace as this process has seen them. */
export interface NamespaceCells {
  readonly shape: SeenCell;
  /** By node. A node without a cell was never granted. */
  readonly nodes: ReadonlyMap<number, SeenCell>;
}

/**
 * Returns the state of a namespace. It has no history, because cells report none.
 *
 * @throws {@link BackendError} if a cell has a value that is not the state of a node
 */
export function stateOf(
  operation: string,
  shape: string,
  cells: ReadonlyMap<number, SeenCell>,
): NamespaceState {
  const nodes = new Map<number, NodeState>();
  for (const [node, { cell }] of cells) {
    if (cell.value === undefined) continue;
    try {
      nodes.set(node, parseNode(cell.value));
    } catch (cause) {
      throw unexpected(operation, cause);
    }
  }
  return { ...emptyNamespace(shape), nodes };
}

/** Returns a state with one node. */
export function stateOfNode(shape: string, node: number, value: string | undefined): NamespaceState {
  const nodes = new Map<number, NodeState>();
  if (value !== undefined) nodes.set(node, parseNode(value));
  return { ...emptyNamespace(shape), nodes };
}

export function formatNode({ owner, from, until, generation, nonce }: NodeState): string {
  return JSON.stringify([owner, from, until, generation, nonce]);
}

function parseNode(value: string): NodeState {
  const [owner, from, until, generation, nonce] = JSON.parse(value) as readonly unknown[];
  const isValid =
    (owner === null || typeof owner === "string") &&
    [from, until, generation].every(Number.isSafeInteger) &&
    typeof nonce === "string";
  if (!isValid) throw new Error("not the state of a node");
  return { owner, from, until, generation, nonce } as NodeState;
}

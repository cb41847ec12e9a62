// inspect: reports who holds which node of a lease namespace.

import { assertName } from "../backend/names.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import { clockOf } from "../backend/storeClock.ts";
import { BackendError, type NodeFields } from "../internal.ts";
import { nodeFields, parseShape } from "./nodeSpace.ts";
import { leasePort } from "./openPort.ts";
import { tickAt } from "./rule.ts";

/** A node with a holder that has not released it. */
export interface HeldNode extends NodeFields {
  /** The node, as a number over both fields. */
  readonly node: number;
  /** The name that the holder gave itself; empty if it gave none. */
  readonly holder: string;
  /** The owner of the grant in the store: a random token, drawn for each lease, and the holder's name. */
  readonly owner: string;
  /** When the lease began, by the holder's clock. */
  readonly from: Date;
  /** When the lease ends unless it is renewed. */
  readonly until: Date;
  /** Whether the lease has not ended yet, by `storeTime`. */
  readonly isCurrent: boolean;
}

/** The nodes of a namespace in a store. */
export interface NamespaceReport {
  /** The namespace: IDs are unique among leases of one name. */
  readonly name: string;
  /**
   * The namespace: IDs are unique among leases of one name.
   *
   * @deprecated Use {@link NamespaceReport.name}.
   */
  readonly namespace: string;
  /** The layout, epoch and tick of the IDs and the leased fields, as a string; `undefined` if the store does not know the namespace. */
  readonly shape: string | undefined;
  /** The store's time; this process's if the store has no clock. */
  readonly storeTime: Date;
  /** Whose time `storeTime` is: the store's, or this process's (`"client"`) because the store has no clock. */
  readonly clock: "store" | "client";
  /** How many different nodes have ever been leased. */
  readonly used: number;
  /** The nodes that were not released, in ascending order. */
  readonly held: readonly HeldNode[];
}

/**
 * Lists who holds which node of a namespace. It changes nothing.
 *
 * @param backend the store
 * @param name the namespace, default `"default"`
 * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response
 * @throws {@link ArgumentError} if the backend or the name is invalid
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { inspect, leaseNode } from "bitflake/lease";
 *
 * const backend = memory();
 * const lease = await leaseNode({ backend, name: "orders", holder: "pod-7" });
 * const { held } = await inspect(backend, "orders");
 * held.map(({ node, holder }) => `${node} ${holder}`); // => [ '0 pod-7' ]
 * await lease.release();
 * ```
 */
export async function inspect(backend: Backend, name = "default"): Promise<NamespaceReport> {
  const port = leasePort(assertBackend(backend), assertName("name", name));
  const { state, storeMs } = await port.read();
  const report = { name, namespace: name, storeTime: new Date(storeMs), clock: clockOf(backend) };
  if (!state) return { ...report, shape: undefined, used: 0, held: [] };
  const shape = parseShape(state.shape);
  if (!shape) {
    throw new BackendError("lease: read", "answer", "unexpected shape of the namespace", {
      cause: state.shape,
    });
  }
  const dateOf = (tick: number) => new Date(shape.epochMs + tick * shape.tickMs);
  const held: HeldNode[] = [];
  for (const [node, { owner, from, until }] of state.nodes) {
    if (owner === null) continue;
    held.push({
      node,
      ...nodeFields(node, shape.machineBits),
      holder: owner.replace(/^\S+ ?/, ""),
      owner,
      from: dateOf(from),
      until: dateOf(until),
      isCurrent: until > tickAt(shape, storeMs),
    });
  }
  held.sort((a, b) => a.node - b.node);
  return { ...report, shape: state.shape, used: state.nodes.size, held };
}

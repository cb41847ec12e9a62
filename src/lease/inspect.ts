// Who holds what: the book of a namespace, for people.

import { assertName } from "../backend/names.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Backend } from "../backend/ports.ts";
import { BackendError } from "../internal.ts";
import { nodeFields, type NodeFields, parseShape } from "./nodeSpace.ts";
import { leasePort } from "./port.ts";
import { tickAt } from "./rule.ts";

/** A node that someone holds, or held when it crashed. */
export interface HeldNode extends NodeFields {
  /** The node, as a number over both fields. */
  readonly node: number;
  /** The name that the holder gave itself; empty if it gave none. */
  readonly holder: string;
  /** The name that bitflake gave the holder: another one for each lease. */
  readonly owner: string;
  /** When the lease began, by the holder's clock. */
  readonly from: Date;
  /** When it ends unless it is renewed. */
  readonly until: Date;
  /** Whether that is still to come, by the store's clock. */
  readonly isCurrent: boolean;
}

/** What a store keeps of a namespace. */
export interface NamespaceReport {
  /** The namespace. */
  readonly namespace: string;
  /** The layout, epoch and tick of its IDs, as text; `undefined` if no node was ever leased in it. */
  readonly shape: string | undefined;
  /** The store's time. */
  readonly storeTime: Date;
  /** How many nodes have been leased since the beginning. */
  readonly used: number;
  /** Those that were not given back, by number. */
  readonly held: readonly HeldNode[];
}

/**
 * Lists who holds what in a namespace. It changes nothing.
 *
 * @param backend the store
 * @param namespace default `"default"`
 * @throws {@link BackendError} if the store is down, too slow, or answers nonsense
 * @throws {@link ArgumentError} if the backend is none, or the namespace no name
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { inspect, leaseNode } from "bitflake/lease";
 *
 * const backend = memory();
 * const lease = await leaseNode({ backend, namespace: "orders", holder: "pod-7" });
 * const { held } = await inspect(backend, "orders");
 * held.map(({ node, holder }) => `${node} ${holder}`); // => [ '0 pod-7' ]
 * await lease.release();
 * ```
 */
export async function inspect(backend: Backend, namespace = "default"): Promise<NamespaceReport> {
  const { book, storeMs } = await leasePort(
    assertBackend(backend),
    assertName("namespace", namespace),
  ).read();
  const storeTime = new Date(storeMs);
  if (!book) return { namespace, shape: undefined, storeTime, used: 0, held: [] };
  const terms = parseShape(book.shape);
  if (!terms)
    throw new BackendError("lease: read", "answer", "the namespace has a shape that is none", {
      cause: book.shape,
    });
  const held: HeldNode[] = [];
  for (const [node, { owner, from, until }] of book.nodes) {
    if (owner === null) continue;
    held.push({
      node,
      ...nodeFields(node, terms.machineBits),
      holder: owner.replace(/^\S+ ?/, ""),
      owner,
      from: new Date(terms.epochMs + from * terms.tickMs),
      until: new Date(terms.epochMs + until * terms.tickMs),
      isCurrent: until > tickAt(terms, storeMs),
    });
  }
  held.sort((a, b) => a.node - b.node);
  return { namespace, shape: book.shape, storeTime, used: book.nodes.size, held };
}

// Cells of the model: the values of cells, and what the rule makes of one, with every possible reading of both clocks.

import {
  type ChooseNode,
  emptyNamespace,
  type GrantProof,
  type LeaseAnswer,
  type LeaseRequest,
  type LeaseTerms,
  type NamespaceState,
  type NodeState,
} from "../../../src/lease/rule.ts";
import type { Grant } from "../../../src/snowflake/grant.ts";
import { codeOfProof } from "./holderSteps.ts";
import { type Bounds, type LeaseRule, modelTerms } from "./store.ts";

/** The value of a node's cell. Equal values are one object, so that what the rule makes of them is computed once. */
export interface Value {
  /** `undefined` if the cell has no value. */
  readonly node: NodeState | undefined;
  /** A character for the whole value except its owner and nonce. */
  readonly code: string;
  readonly name: string;
  readonly writes: Map<string, readonly Write[]>;
}

/** The cell of a node. The cells of nodes are a state of the store, by node. */
export interface Cell {
  readonly value: Value;
  /** 0 if there is no value. */
  readonly version: number;
}

/** What a holder wants of a cell, without its time, which may be any. Equal operations of a holder are one object. */
export type Operation = (
  | { readonly kind: "acquire"; readonly request: LeaseRequest }
  | { readonly kind: "renew"; readonly proof: GrantProof }
  | { readonly kind: "release"; readonly proof: GrantProof; readonly nextTick: number }
) & {
  /** Encodes it, without its owner's name. */
  readonly code: string;
  readonly owner: string;
  readonly title: string;
};

export function acquireOf(request: LeaseRequest): Operation {
  return { kind: "acquire", request, code: "a", owner: request.owner, title: "acquire" };
}

export function renewOf(proof: GrantProof): Operation {
  const title = `renew the ${["first", "second", "third"][proof.generation]} time`;
  return { kind: "renew", proof, code: `r${codeOfProof(proof)}`, owner: proof.owner, title };
}

export function releaseOf(release: { readonly proof: GrantProof; readonly nextTick: number }): Operation {
  const { proof, nextTick } = release;
  const title = `release of node ${proof.node}, next tick ${nextTick}`;
  return {
    kind: "release",
    proof,
    nextTick,
    code: `g${nextTick}${codeOfProof(proof)}`,
    owner: proof.owner,
    title,
  };
}

/** A value that the rule writes. */
export interface Write {
  readonly value: Value;
  /** The grant of the answer, if it grants. */
  readonly grant: Grant | undefined;
  readonly description: string;
}

/** Nodes and their cells as a holder has read them, each at a moment of its own. */
export type Snapshot = ReadonlyMap<number, Cell>;

/** The lease rule on cells. */
export class CellRule {
  readonly nothing: Value;
  readonly #rule: LeaseRule;
  readonly #terms: LeaseTerms;
  readonly #ticks: number;
  readonly #values = new Map<string, Value>();
  readonly #codes = new Map<string, string>();
  readonly #targets = new Map<string, ReadonlySet<number>>();

  constructor(rule: LeaseRule, bounds: Bounds) {
    this.#rule = rule;
    this.#terms = modelTerms(bounds);
    this.#ticks = bounds.ticks;
    this.nothing = this.#valueOf(undefined);
  }

  /**
   * Returns the different values that the rule writes to a node's cell, for all clocks.
   *
   * @param value the value that the holder has read
   * @param least the earliest time that a clock shows
   */
  writes(operation: Operation, node: number, value: Value, least: number): readonly Write[] {
    const name = `${operation.owner}${operation.code}${node} ${least}`;
    const known = value.writes.get(name);
    if (known) return known;
    const writes = new Map<string, Write>();
    const nodes = new Map(value.node && [[node, value.node]]);
    for (const [description, kept, grant] of this.#steps(operation, node, nodes, least)) {
      const result = grant ? `: node ${node} from ${grant.from} until ${grant.until}` : "";
      const written = this.#valueOf(kept);
      const key = written.code + result;
      if (!writes.has(key)) writes.set(key, { value: written, grant, description: description + result });
    }
    const all = [...writes.values()];
    value.writes.set(name, all);
    return all;
  }

  /**
   * Returns the nodes that an acquire may swap after it has read a snapshot.
   *
   * @throws Error if the rule writes to a node what it would not write if it had read the node's cell alone
   */
  targets(operation: Operation, snapshot: Snapshot): ReadonlySet<number> {
    let name = operation.owner;
    for (const [node, { value }] of snapshot) name += ` ${node} ${value.name}`;
    const known = this.#targets.get(name);
    if (known) return known;
    const targets = new Set<number>();
    const nodes = new Map<number, NodeState>();
    for (const [node, { value }] of snapshot) if (value.node) nodes.set(node, value.node);
    for (const chosen of snapshot.keys()) {
      for (const [description, kept, grant] of this.#steps(operation, chosen, nodes, 0)) {
        const { node } = grant as Grant;
        const own = (snapshot.get(node) as Cell).value;
        const value = this.#valueOf(kept);
        if (!this.writes(operation, node, own, 0).some((write) => write.value === value))
          throw new Error(`${description}: what the rule writes to node ${node} depends on other nodes`);
        targets.add(node);
      }
    }
    this.#targets.set(name, targets);
    return targets;
  }

  /** Applies the rule to nodes by all clocks. Yields each state that it writes. */
  *#steps(
    operation: Operation,
    node: number,
    nodes: ReadonlyMap<number, NodeState>,
    least: number,
  ): Iterable<[description: string, written: NodeState, grant?: Grant]> {
    const { acquire, renew, release } = this.#rule;
    const state: NamespaceState = { ...emptyNamespace(this.#terms.shape), nodes };
    if (operation.kind === "release") {
      const { proof, nextTick } = operation;
      const next = release(state, proof, nextTick);
      const kept = next === state ? undefined : next.nodes.get(node);
      if (kept) yield [operation.title, kept];
      return;
    }
    // All nodes, one after the other, are chosen. A store of cells reports no history.
    const choose: ChooseNode = (known) => ({ node, until: known.get(node)?.until ?? -1 });
    for (let now = least; now < this.#ticks; now++) {
      for (let ms = least; ms < this.#ticks; ms++) {
        const store = { ms, historyId: "" };
        const [next, answer]: readonly [NamespaceState | undefined, LeaseAnswer] =
          operation.kind === "acquire"
            ? acquire(state, this.#terms, operation.request, now, store, choose)
            : renew(state, this.#terms, operation.proof, now, store);
        if (answer.outcome !== "granted") continue;
        const kept = next?.nodes.get(answer.node) as NodeState;
        yield [`${operation.title} at ${now}, store at ${ms}`, kept, answer];
      }
    }
  }

  #valueOf(node: NodeState | undefined): Value {
    let anonymous = "";
    // Of a released node only the end matters.
    if (node) {
      const { owner, from, until, generation } = node;
      anonymous = owner === null ? `${until}` : `${from} ${until} ${generation}`;
    }
    const name = node?.owner ? `${anonymous} ${node.owner} ${node.nonce}` : anonymous;
    const known = this.#values.get(name);
    if (known) return known;
    const code = this.#codes.get(anonymous) ?? String.fromCharCode(this.#codes.size);
    this.#codes.set(anonymous, code);
    const value = { node, code, name, writes: new Map() };
    this.#values.set(name, value);
    return value;
  }
}

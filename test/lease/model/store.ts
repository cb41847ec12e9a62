// Store of the model: runs the rule on each message, with every possible reading of both clocks.

import type {
  acquire,
  GrantProof,
  LeaseAnswer,
  LeaseRequest,
  LeaseTerms,
  NamespaceState,
  NodeState,
  release,
  renew,
} from "../../../src/lease/rule.ts";

/** The steps of the rule, or of a mutant. */
export interface LeaseRule {
  readonly acquire: typeof acquire;
  readonly renew: typeof renew;
  readonly release: typeof release;
}

/** Bounds of the model. Clocks show the ticks from 0 to `ticks - 1`. */
export interface Bounds {
  readonly holders: number;
  readonly nodes: number;
  readonly ticks: number;
  /** How often a holder renews a grant. */
  readonly renewals: number;
  /** How many holders are copied. Default 0. */
  readonly copies?: number;
  /** How often the store goes back to an earlier state. Default 0. */
  readonly rollbacks?: number;
}

/** A message of a holder, without its time, which may be any. */
export type Message =
  | { readonly kind: "acquire"; readonly request: LeaseRequest }
  | { readonly kind: "renew"; readonly proof: GrantProof }
  | { readonly kind: "release"; readonly proof: GrantProof; readonly nextTick: number };

/** A possible outcome of a message. */
export interface Outcome {
  readonly store: StoreState;
  /** The grant of the answer, if it grants. */
  readonly grant: Extract<LeaseAnswer, { outcome: "granted" }> | undefined;
  readonly description: string;
}

/** A state of the store. Equal states are one object, so that their outcomes are computed once. */
export interface StoreState {
  readonly state: NamespaceState | undefined;
  /** A character for the whole state except the owners and nonces of nodes. */
  readonly code: string;
  readonly outcomes: Map<string, readonly Outcome[]>;
}

/** Returns the state of a node; `undefined` if it was never granted. */
export function nodeState({ state }: StoreState, node: number): NodeState | undefined {
  return state?.nodes.get(node);
}

/** The latest end of any grant, in ticks after the store's time, as the fence assumes. */
const MAX_REACH_TICKS = 1;

/** Returns the terms of all holders. */
export function modelTerms({ nodes }: Bounds): LeaseTerms {
  return {
    shape: "any",
    first: 0,
    count: nodes,
    epochMs: 0,
    tickMs: 1,
    // A longer grant is the same as one by a clock that is further ahead.
    ttlTicks: 1,
    // No holder is refused for its skew. A refused holder does nothing, and so does no harm.
    maxSkewMs: Number.POSITIVE_INFINITY,
    maxSkewTicks: 0,
    maxReachTicks: MAX_REACH_TICKS,
    usesFence: true,
  };
}

/** The states of the store. */
export class StoreStates {
  readonly first: StoreState;
  readonly #rule: LeaseRule;
  readonly #terms: LeaseTerms;
  readonly #ticks: number;
  readonly #known = new Map<string, StoreState>();
  readonly #codes = new Map<string, string>();

  constructor(rule: LeaseRule, bounds: Bounds) {
    this.#rule = rule;
    this.#ticks = bounds.ticks;
    this.#terms = modelTerms(bounds);
    this.first = this.#stateOf(undefined);
  }

  /**
   * Returns the outcomes of a message for all clocks, without those that change and grant nothing.
   *
   * @param historyId the store's history ID, which its state may not have yet
   * @param reached the latest end of all grants, 0 if the store never went back. After a rollback the store's clock shows
   *   at least `reached - MAX_REACH_TICKS`, because no grant ends more than `MAX_REACH_TICKS` ticks after the store's time
   */
  outcomes(store: StoreState, message: Message, historyId: string, reached: number): readonly Outcome[] {
    const least =
      store.state && store.state.historyId !== historyId ? Math.max(0, reached - MAX_REACH_TICKS) : 0;
    const name = JSON.stringify([message, historyId, least]);
    const known = store.outcomes.get(name);
    if (known) return known;
    const outcomes = new Map<string, Outcome>();
    for (const [description, state, answer] of this.#answers(store.state, message, historyId, least)) {
      const next = this.#stateOf(state);
      const grant = answer?.outcome === "granted" ? answer : undefined;
      if (next === store && !grant) continue;
      const result = grant ? `: node ${grant.node} from ${grant.from} until ${grant.until}` : "";
      const key = nameOf(state) + result;
      const fenced = answer?.outcome === "fenced" ? `: none before ${answer.until}` : "";
      if (!outcomes.has(key))
        outcomes.set(key, { store: next, grant, description: `${description}${result}${fenced}` });
    }
    const all = [...outcomes.values()];
    store.outcomes.set(name, all);
    return all;
  }

  *#answers(
    state: NamespaceState | undefined,
    message: Message,
    historyId: string,
    least: number,
  ): Iterable<[string, NamespaceState | undefined, LeaseAnswer?]> {
    const { acquire, renew, release } = this.#rule;
    const { kind } = message;
    if (kind === "release") {
      const { proof, nextTick } = message;
      if (state)
        yield [`release of node ${proof.node}, next tick ${nextTick}`, release(state, proof, nextTick)];
      return;
    }
    const what = kind === "acquire" ? kind : `renew the ${ordinal(message.proof.generation)}`;
    for (let now = 0; now < this.#ticks; now++) {
      for (let ms = least; ms < this.#ticks; ms++) {
        const store = { ms, historyId };
        const step =
          kind === "acquire"
            ? acquire(state, this.#terms, message.request, now, store)
            : renew(state, this.#terms, message.proof, now, store);
        yield [`${what} at ${now}, store at ${ms}`, ...step];
      }
    }
  }

  #stateOf(state: NamespaceState | undefined): StoreState {
    const name = nameOf(state);
    const known = this.#known.get(name);
    if (known) return known;
    const anonymous = name.replace(/"o:[^"]*"/g, "");
    const code = this.#codes.get(anonymous) ?? String.fromCharCode(this.#codes.size);
    this.#codes.set(anonymous, code);
    const store = { state, code, outcomes: new Map() };
    this.#known.set(name, store);
    return store;
  }
}

/** Returns the ordinal of a renewal. */
function ordinal(generation: number): string {
  return ["first time", "second time", "third time"][generation] ?? `time ${generation + 1}`;
}

/**
 * Returns a name of a state. Nodes are first used in ascending order, and keep their place. Of a released node only the end
 * matters.
 */
function nameOf(state: NamespaceState | undefined): string {
  if (!state) return "";
  const nodes = [...state.nodes].map(([node, { owner, from, until, generation, nonce }]) =>
    owner === null ? [node, "o:", until] : [node, `o:${owner} ${nonce}`, from, until, generation],
  );
  return JSON.stringify([state.historyId, state.fence, state.staleUntil, nodes]);
}

// Store of the model: runs the protocol on each message, with every possible reading of both clocks.

import type {
  acquire,
  LeaseAnswer,
  LeaseClaim,
  LeaseRequest,
  NamespaceState,
  NodeSpace,
  NodeState,
  release,
  renew,
} from "../../../src/lease/rule.ts";

/** The steps of a protocol. */
export interface Protocol {
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
  | { readonly kind: "renew"; readonly claim: LeaseClaim }
  | { readonly kind: "release"; readonly claim: LeaseClaim; readonly unused: number };

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

/** The number of ticks after the store's time at which a grant ends at the latest, as the fence assumes. */
const REACH = 1;

/** The states of the store. */
export class StoreStates {
  readonly first: StoreState;
  readonly #protocol: Protocol;
  readonly #space: NodeSpace;
  readonly #ticks: number;
  readonly #known = new Map<string, StoreState>();
  readonly #codes = new Map<string, string>();

  constructor(protocol: Protocol, { nodes, ticks }: Bounds) {
    this.#protocol = protocol;
    this.#ticks = ticks;
    this.#space = {
      shape: "any",
      first: 0,
      count: nodes,
      epochMs: 0,
      tickMs: 1,
      // A longer grant is the same as one by a clock that is further ahead.
      ttlTicks: 1,
      // No holder is refused for its skew. A refused holder does nothing, and so does no harm.
      maxSkewMs: Number.POSITIVE_INFINITY,
      reach: REACH,
      isFenced: true,
    };
    this.first = this.#stateOf(undefined);
  }

  /**
   * Returns the outcomes of a message for all clocks, without those that change and grant nothing.
   *
   * @param history the store's history, which its state may not have yet
   * @param reached the latest end of all grants, 0 if the store never went back. After a rollback the store's clock shows
   *   at least `reached - REACH`, because no grant ends more than `REACH` ticks after the store's time
   */
  outcomes(store: StoreState, message: Message, history: string, reached: number): readonly Outcome[] {
    const least = store.state && store.state.history !== history ? Math.max(0, reached - REACH) : 0;
    const name = JSON.stringify([message, history, least]);
    const known = store.outcomes.get(name);
    if (known) return known;
    const outcomes = new Map<string, Outcome>();
    for (const [description, state, answer] of this.#answers(store.state, message, history, least)) {
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
    history: string,
    least: number,
  ): Iterable<[string, NamespaceState | undefined, LeaseAnswer?]> {
    const { acquire, renew, release } = this.#protocol;
    const { kind } = message;
    if (kind === "release") {
      const { claim, unused } = message;
      if (state)
        yield [`release of node ${claim.node}, unused from ${unused}`, release(state, claim, unused)];
      return;
    }
    const what = kind === "acquire" ? kind : `renew the ${ordinal(message.claim.generation)}`;
    for (let now = 0; now < this.#ticks; now++) {
      for (let ms = least; ms < this.#ticks; ms++) {
        const store = { ms, history };
        const step =
          kind === "acquire"
            ? acquire(state, this.#space, message.request, now, store)
            : renew(state, this.#space, message.claim, now, store);
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
  return JSON.stringify([state.history, state.fence, state.staleUntil, nodes]);
}

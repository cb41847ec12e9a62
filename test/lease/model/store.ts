// The store that the checker puts between its holders. It runs the protocol on each message, by all clocks there can be.

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

/** The steps that are checked. */
export interface Protocol {
  readonly acquire: typeof acquire;
  readonly renew: typeof renew;
  readonly release: typeof release;
}

/** How much there is to explore. Clocks show the ticks from 0 to `ticks - 1`. */
export interface Bounds {
  readonly holders: number;
  readonly nodes: number;
  readonly ticks: number;
  /** How often a holder begins to renew a grant. */
  readonly renewals: number;
  /** How many holders are copied. Default 0. */
  readonly copies?: number;
  /** How often the store goes back to what it kept before. Default 0. */
  readonly returns?: number;
}

/** What a holder sends, but for its time: that is whatever its clock showed. */
export type Message =
  | { readonly asks: "acquire"; readonly ask: LeaseRequest }
  | { readonly asks: "renew"; readonly claim: LeaseClaim }
  | { readonly asks: "release"; readonly claim: LeaseClaim; readonly unused: number };

/** What a message may lead to. */
export interface Outcome {
  readonly store: Store;
  /** What the answer grants, if it does. */
  readonly grant: Extract<LeaseAnswer, { outcome: "granted" }> | undefined;
  readonly told: string;
}

/** A state of the store. There is one object for each, so that what follows from it is worked out once. */
export interface Store {
  readonly book: NamespaceState | undefined;
  /** A character for all that it keeps, but for whose the nodes are and by which request. */
  readonly terms: string;
  readonly outcomes: Map<string, readonly Outcome[]>;
}

/** What the store keeps of a node; `undefined` if it never was anyone's. */
export function holdingOf({ book }: Store, node: number): NodeState | undefined {
  return book?.nodes.get(node);
}

/** How many ticks after the store's time a grant ends at most, as far as the store is trusted in that. */
const REACH = 1;

/** The states of the store. */
export class Stores {
  readonly first: Store;
  readonly #protocol: Protocol;
  readonly #space: NodeSpace;
  readonly #ticks: number;
  readonly #known = new Map<string, Store>();
  readonly #terms = new Map<string, string>();

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
      // No one is refused for a clock. Who is, does nothing: it is the others that may do harm.
      maxSkewMs: Number.POSITIVE_INFINITY,
      reach: REACH,
      isFenced: true,
    };
    this.first = this.#stateOf(undefined);
  }

  /**
   * What may come of a message, by different clocks. An outcome that changes and grants nothing is none.
   *
   * @param history the store's history, which its book may not know yet
   * @param reached the end of the last grant that the store may have forgotten, if it went back. By its clock no such
   *   grant reaches further than `REACH`: that is what the fence is claimed to cover
   */
  outcomes(store: Store, message: Message, history: string, reached: number): readonly Outcome[] {
    const least = store.book && store.book.history !== history ? Math.max(0, reached - REACH) : 0;
    const name = JSON.stringify([message, history, least]);
    const known = store.outcomes.get(name);
    if (known) return known;
    const outcomes = new Map<string, Outcome>();
    for (const [when, book, answer] of this.#answers(store.book, message, history, least)) {
      const next = this.#stateOf(book);
      const grant = answer?.outcome === "granted" ? answer : undefined;
      if (next === store && !grant) continue;
      const result = grant ? `: node ${grant.node} from ${grant.from} until ${grant.until}` : "";
      const key = nameOf(book) + result;
      const fenced = answer?.outcome === "fenced" ? `: none before ${answer.until}` : "";
      if (!outcomes.has(key)) outcomes.set(key, { store: next, grant, told: `${when}${result}${fenced}` });
    }
    const all = [...outcomes.values()];
    store.outcomes.set(name, all);
    return all;
  }

  *#answers(
    book: NamespaceState | undefined,
    message: Message,
    history: string,
    least: number,
  ): Iterable<[string, NamespaceState | undefined, LeaseAnswer?]> {
    const { acquire, renew, release } = this.#protocol;
    const { asks } = message;
    if (asks === "release") {
      const { claim, unused } = message;
      if (book) yield [`release of node ${claim.node}, unused from ${unused}`, release(book, claim, unused)];
      return;
    }
    const what = asks === "acquire" ? asks : `renew the ${ordinal(message.claim.generation)}`;
    for (let now = 0; now < this.#ticks; now++) {
      for (let ms = least; ms < this.#ticks; ms++) {
        const store = { ms, history };
        const step =
          asks === "acquire"
            ? acquire(book, this.#space, message.ask, now, store)
            : renew(book, this.#space, message.claim, now, store);
        yield [`${what} at ${now}, store at ${ms}`, ...step];
      }
    }
  }

  #stateOf(book: NamespaceState | undefined): Store {
    const name = nameOf(book);
    const known = this.#known.get(name);
    if (known) return known;
    const given = name.replace(/"o:[^"]*"/g, "");
    const terms = this.#terms.get(given) ?? String.fromCharCode(this.#terms.size);
    this.#terms.set(given, terms);
    const store = { book, terms, outcomes: new Map() };
    this.#known.set(name, store);
    return store;
  }
}

/** Which renewal of a grant it is. */
function ordinal(generation: number): string {
  return ["first time", "second time", "third time"][generation] ?? `time ${generation + 1}`;
}

/**
 * A book in short. Nodes are taken into use in their order, and stay where they are. Of a node that was given back, only
 * its end matters.
 */
function nameOf(book: NamespaceState | undefined): string {
  if (!book) return "";
  const nodes = [...book.nodes].map(([node, { owner, from, until, generation, nonce }]) =>
    owner === null ? [node, "o:", until] : [node, `o:${owner} ${nonce}`, from, until, generation],
  );
  return JSON.stringify([book.history, book.fence, book.stale, nodes]);
}

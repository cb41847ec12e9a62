// The store that the checker puts between its holders. It runs the protocol on each message, by all clocks there can be.

import type { Answer, acquire, Book, release, renew, Space } from "../../../src/lease/protocol.ts";

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
}

/** What a holder sends, but for its time: that is whatever its clock showed. */
export type Message =
  | { readonly asks: "acquire"; readonly owner: string }
  | { readonly asks: "renew"; readonly owner: string; readonly node: number }
  | { readonly asks: "release"; readonly owner: string; readonly node: number; readonly unused: number };

/** What a message may lead to. */
export interface Outcome {
  readonly store: Store;
  /** What the answer grants, if it does. */
  readonly grant: Extract<Answer, { outcome: "granted" }> | undefined;
  readonly told: string;
}

/** A state of the store. There is one object for each, so that what follows from it is worked out once. */
export interface Store {
  readonly book: Book | undefined;
  /** A character for all that it keeps, but for whose the nodes are. */
  readonly terms: string;
  readonly outcomes: Map<string, readonly Outcome[]>;
}

/** Whose a node is; `undefined` if it never was anyone's. */
export function ownerOf({ book }: Store, node: number): string | null | undefined {
  return book?.nodes.get(node)?.owner;
}

/** The states of the store. */
export class Stores {
  readonly first: Store;
  readonly #protocol: Protocol;
  readonly #space: Space;
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
    };
    this.first = this.#stateOf(undefined);
  }

  /** What may come of a message, by different clocks. An outcome that changes and grants nothing is none. */
  outcomes(store: Store, message: Message): readonly Outcome[] {
    const { asks, owner } = message;
    const name =
      asks +
      owner +
      (asks === "acquire" ? "" : message.node) +
      (asks === "release" ? `,${message.unused}` : "");
    const known = store.outcomes.get(name);
    if (known) return known;
    const outcomes = new Map<string, Outcome>();
    for (const [when, book, answer] of this.#answers(store.book, message)) {
      const next = this.#stateOf(book);
      const grant = answer?.outcome === "granted" ? answer : undefined;
      if (next === store && !grant) continue;
      const result = grant ? `: node ${grant.node} from ${grant.from} until ${grant.until}` : "";
      const key = nameOf(book) + result;
      if (!outcomes.has(key)) outcomes.set(key, { store: next, grant, told: `${when}${result}` });
    }
    const all = [...outcomes.values()];
    store.outcomes.set(name, all);
    return all;
  }

  *#answers(book: Book | undefined, message: Message): Iterable<[string, Book | undefined, Answer?]> {
    const { acquire, renew, release } = this.#protocol;
    const { asks, owner } = message;
    if (asks === "release") {
      const { node, unused } = message;
      if (book) yield [`release of node ${node}, unused from ${unused}`, release(book, owner, node, unused)];
      return;
    }
    for (let now = 0; now < this.#ticks; now++) {
      for (let storeNow = 0; storeNow < this.#ticks; storeNow++) {
        const step =
          asks === "acquire"
            ? acquire(book, this.#space, owner, now, storeNow)
            : renew(book, this.#space, owner, message.node, now, storeNow);
        yield [`${asks} at ${now}, store at ${storeNow}`, ...step];
      }
    }
  }

  #stateOf(book: Book | undefined): Store {
    const name = nameOf(book);
    const known = this.#known.get(name);
    if (known) return known;
    const given = name.replace(/"\w+"|null/g, "");
    const terms = this.#terms.get(given) ?? String.fromCharCode(this.#terms.size);
    this.#terms.set(given, terms);
    const store = { book, terms, outcomes: new Map() };
    this.#known.set(name, store);
    return store;
  }
}

/** A book in short. Nodes are taken into use in their order, and stay where they are. */
function nameOf(book: Book | undefined): string {
  return [...(book?.nodes ?? [])]
    .map(([node, { owner, from, until }]) => JSON.stringify([node, owner, from, until]))
    .join();
}

// Protocols with something wrong in them, and some that are only different.

import * as protocol from "../../../src/lease/protocol.ts";
import { type Conduct, honest } from "./conduct.ts";
import type { Protocol } from "./store.ts";

type Book = protocol.Book;
type Holding = protocol.Holding;
type Acquire = Protocol["acquire"];
type Renew = Protocol["renew"];

export interface Mutant {
  /** What is wrong. */
  readonly title: string;
  readonly protocol: Protocol;
  readonly conduct: Conduct;
}

function mutant(title: string, steps: Partial<Protocol>, conduct: Partial<Conduct> = {}): Mutant {
  const { acquire, renew, release } = protocol;
  return { title, protocol: { acquire, renew, release, ...steps }, conduct: { ...honest, ...conduct } };
}

/** What a step is made to believe of a node. */
type Belief = (holding: Holding, owner: string) => Holding;

const isMine = (holding: Holding, owner: string) => holding.owner === owner;
const asMine: Belief = (holding, owner) => ({ ...holding, owner });
const asPassed: Belief = (holding) => ({ ...holding, until: -1 });

function written(book: Book, node: number, holding: Holding): Book {
  return { ...book, nodes: new Map(book.nodes).set(node, holding) };
}

function believing(book: Book, owner: string, belief: Belief): Book {
  return {
    ...book,
    nodes: new Map([...book.nodes].map(([node, holding]) => [node, belief(holding, owner)])),
  };
}

/** The book with nothing new in it but the node that was granted. */
function outcomeOf(book: Book, [next, answer]: ReturnType<Acquire>): ReturnType<Acquire> {
  const holding = answer.outcome === "granted" ? next?.nodes.get(answer.node) : undefined;
  return [holding && answer.outcome === "granted" ? written(book, answer.node, holding) : book, answer];
}

/** An acquire that believes something of the nodes. */
function acquireIf(belief: Belief): Acquire {
  return (book, space, owner, nowMs, storeMs) => {
    const believed = book && believing(book, owner, belief);
    const step = protocol.acquire(believed, space, owner, nowMs, storeMs);
    return book ? outcomeOf(book, step) : step;
  };
}

/** A renew that believes something of the nodes. */
function renewIf(belief: Belief): Renew {
  return (book, space, owner, node, nowMs, storeMs) => {
    const believed = book && believing(book, owner, belief);
    const step = protocol.renew(believed, space, owner, node, nowMs, storeMs);
    return book ? outcomeOf(book, step) : step;
  };
}

/** An acquire whose grants begin elsewhere. `before` is what the store kept of the node. */
function acquireFrom(
  begin: (from: number, before: Holding, owner: string, nowMs: number) => number,
): Acquire {
  return (book, space, owner, nowMs, storeMs) => {
    const step = protocol.acquire(book, space, owner, nowMs, storeMs);
    const [next, answer] = step;
    const before = answer.outcome === "granted" ? book?.nodes.get(answer.node) : undefined;
    if (!next || !before || answer.outcome !== "granted") return step;
    const { node, until } = answer;
    const from = begin(answer.from, before, owner, nowMs);
    return [written(next, node, { owner, from, until }), { ...answer, from }];
  };
}

/** Each lets two holders stamp the same tick of a node. */
export const broken: readonly Mutant[] = [
  mutant("a renewal does not ask whose the node is", { renew: renewIf(asMine) }),
  mutant("a release does not ask whose the node is", {
    release: (book, owner, node, unused) => {
      const holding = book.nodes.get(node);
      return holding
        ? protocol.release(written(book, node, asMine(holding, owner)), owner, node, unused)
        : book;
    },
  }),
  mutant("a grant begins before the one before it ends", {
    acquire: acquireFrom((from, before, owner) =>
      isMine(before, owner) ? from : Math.min(from, before.until - 1),
    ),
  }),
  mutant(
    "a holder stamps the tick at which its grant ends",
    {},
    { covers: ({ from, until }, tick) => tick >= from && tick <= until },
  ),
  mutant("a renewal brings the end of a grant nearer", { renew: renewIf(asPassed) }),

  mutant("a node is granted anew while its grant lasts", {
    acquire: acquireIf((holding, owner) => (isMine(holding, owner) ? holding : asPassed(holding, owner))),
  }),
  mutant("a grant that is asked for again begins at the time of asking", {
    acquire: acquireFrom((from, before, owner, nowMs) => (isMine(before, owner) ? nowMs : from)),
  }),
  mutant("a grant that is asked for again ends earlier", {
    acquire: acquireIf((holding, owner) => (isMine(holding, owner) ? asPassed(holding, owner) : holding)),
  }),
  mutant("a release gives back ticks from before the grant", {
    release: (book, owner, node, unused) => {
      const holding = book.nodes.get(node);
      if (!holding || !isMine(holding, owner)) return book;
      return written(book, node, { ...holding, owner: null, until: Math.min(holding.until, unused) });
    },
  }),
  mutant(
    "a holder gives back the last tick that it stamped",
    {},
    { unusedOf: ({ from }, last) => Math.max(from, last) },
  ),
  mutant("a holder goes on to stamp when it has given back", {}, { goesOn: true }),
  mutant("a holder asks for its next grant under the same name", {}, { staysItself: true }),
  mutant("a holder takes a renewal of a later grant for one of the grant it has", {}, { isOf: () => true }),
];

/** None does harm: what they leave out is there for other reasons. */
export const harmless: readonly Mutant[] = [
  // As in a database, when two messages of a holder are carried out at the same moment.
  mutant("a holder that asks again is given another node", {
    acquire: acquireIf((holding, owner) =>
      isMine(holding, owner) ? { ...holding, owner: "other" } : holding,
    ),
  }),
  mutant("a node is granted anew when its grant has passed by the store's clock alone", {
    acquire: (book, space, owner, nowMs, storeMs) =>
      protocol.acquire(book, space, owner, Math.max(nowMs, storeMs), storeMs),
  }),
  mutant("a release leaves the node to its owner", {
    release: (book, owner, node, unused) => {
      const next = protocol.release(book, owner, node, unused);
      const holding = next.nodes.get(node);
      return holding && next !== book ? written(next, node, asMine(holding, owner)) : next;
    },
  }),
];

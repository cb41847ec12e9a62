// Protocols with something wrong in them, and some that are only different.

import * as protocol from "../../../src/lease/rule.ts";
import { type Conduct, honest } from "./conduct.ts";
import type { Bounds, Protocol } from "./store.ts";

type Book = protocol.NamespaceState;
type Holding = protocol.NodeState;
type Claim = protocol.LeaseClaim;
type Acquire = Protocol["acquire"];
type Renew = Protocol["renew"];
type Release = Protocol["release"];

export interface Mutant {
  /** What is wrong. */
  readonly title: string;
  readonly protocol: Protocol;
  readonly conduct: Conduct;
  /** What there must be for it to do harm, besides holders and a store. */
  readonly bounds: Partial<Bounds>;
}

function mutant(
  title: string,
  steps: Partial<Protocol>,
  conduct: Partial<Conduct> = {},
  bounds: Partial<Bounds> = {},
): Mutant {
  const { acquire, renew, release } = protocol;
  const own = { acquire, renew, release, ...steps };
  return { title, protocol: own, conduct: { ...honest, ...conduct }, bounds };
}

/** Where holders are copied. */
const COPIED = { holders: 2, copies: 1 };

/** Where the store goes back. */
const RETURNED = { holders: 2, returns: 1 };

/** What a step is made to believe of a node. */
type Belief<Request> = (holding: Holding, request: Request) => Holding;

const isMine = (holding: Holding, { owner, nonce }: protocol.LeaseRequest) =>
  holding.owner === owner && holding.nonce === nonce;
/** As if the last that happened to the node were what the claim is about. */
const asClaimed: Belief<Claim> = (holding, { owner, generation, grantNonce }) => ({
  ...holding,
  ...{ owner, generation, nonce: grantNonce },
});
const asPassed = (holding: Holding) => ({ ...holding, until: -1 });
const asShort = (holding: Holding) => ({ ...holding, until: 1 });

function written(book: Book, node: number, holding: Holding): Book {
  return { ...book, nodes: new Map(book.nodes).set(node, holding) };
}

function believing<Request>(book: Book, request: Request, belief: Belief<Request>): Book {
  return {
    ...book,
    nodes: new Map([...book.nodes].map(([node, holding]) => [node, belief(holding, request)])),
  };
}

/** The book with nothing new in it but its history and the node that was granted. */
function outcomeOf(book: Book, [next, answer]: ReturnType<Acquire>): ReturnType<Acquire> {
  const holding = answer.outcome === "granted" ? next?.nodes.get(answer.node) : undefined;
  const noticed = next ? { ...next, nodes: book.nodes } : book;
  return [holding && answer.outcome === "granted" ? written(noticed, answer.node, holding) : noticed, answer];
}

/** An acquire that believes something of the nodes. */
function acquireIf(belief: Belief<protocol.LeaseRequest>): Acquire {
  return (book, space, ask, nowMs, store) => {
    const step = protocol.acquire(book && believing(book, ask, belief), space, ask, nowMs, store);
    return book ? outcomeOf(book, step) : step;
  };
}

/** A renew that believes something of the nodes. */
function renewIf(belief: Belief<Claim>): Renew {
  return (book, space, claim, nowMs, store) => {
    const step = protocol.renew(book && believing(book, claim, belief), space, claim, nowMs, store);
    return book ? outcomeOf(book, step) : step;
  };
}

/** A release that believes something of its node. */
function releaseIf(belief: Belief<Claim>): Release {
  return (book, claim, unused) => {
    const holding = book.nodes.get(claim.node);
    if (!holding) return book;
    const believed = written(book, claim.node, belief(holding, claim));
    const next = protocol.release(believed, claim, unused);
    return next === believed ? book : next;
  };
}

/** A belief about nodes of the claim's owner alone. */
function ofOwner(belief: Belief<Claim>): Belief<Claim> {
  return (holding, claim) => (holding.owner === claim.owner ? belief(holding, claim) : holding);
}

const withoutGeneration = ofOwner((holding, { generation, grantNonce, nonce }) =>
  // A nonce that it does not know may be one from before the store went back.
  holding.nonce === grantNonce || holding.nonce === nonce
    ? { ...holding, generation: generation + Number(holding.nonce === nonce) }
    : { ...holding, generation: generation - 1 },
);

const withoutNonce = ofOwner((holding, { generation, grantNonce, nonce }) => ({
  ...holding,
  nonce: holding.generation === generation ? grantNonce : nonce,
}));

/** An acquire whose grants begin elsewhere. `before` is what the store kept of the node. */
function acquireFrom(
  begin: (from: number, before: Holding, ask: protocol.LeaseRequest, nowMs: number) => number,
): Acquire {
  return (book, space, ask, nowMs, store) => {
    const step = protocol.acquire(book, space, ask, nowMs, store);
    const [next, answer] = step;
    const before = answer.outcome === "granted" ? book?.nodes.get(answer.node) : undefined;
    if (!next || !before || answer.outcome !== "granted") return step;
    const { node } = answer;
    const from = begin(answer.from, before, ask, nowMs);
    return [written(next, node, { ...(next.nodes.get(node) as Holding), from }), { ...answer, from }];
  };
}

/** An acquire in a store whose fence is elsewhere. */
function acquireWithFence(fence: (book: Book, raised: Book) => number): Acquire {
  return (book, space, ask, nowMs, store) => {
    const [raised] = protocol.renew(
      book,
      space,
      { ...ask, node: -1, generation: 0, grantNonce: "" },
      nowMs,
      store,
    );
    const moved = book && raised && { ...raised, fence: fence(book, raised) };
    return protocol.acquire(moved, space, ask, nowMs, store);
  };
}

/** Each lets two holders stamp the same tick of a node. */
export const broken: readonly Mutant[] = [
  mutant("a renewal does not ask whose the node is", { renew: renewIf(asClaimed) }),
  mutant("a release does not ask whose the node is", { release: releaseIf(asClaimed) }),
  mutant("a grant begins before the one before it ends", {
    acquire: acquireFrom((from, before, ask) =>
      isMine(before, ask) ? from : Math.min(from, before.until - 1),
    ),
  }),
  mutant(
    "a holder stamps the tick at which its grant ends",
    {},
    { covers: ({ from, until }, tick) => tick >= from && tick <= until },
  ),
  mutant("a renewal brings the end of a grant nearer", { renew: renewIf(asShort) }),

  mutant("a node is granted anew while its grant lasts", {
    acquire: acquireIf((holding, ask) => (isMine(holding, ask) ? holding : asPassed(holding))),
  }),
  mutant("a grant that is asked for again begins at the time of asking", {
    acquire: acquireFrom((from, before, ask, nowMs) => (isMine(before, ask) ? nowMs : from)),
  }),
  mutant("a grant that is asked for again ends earlier", {
    acquire: acquireIf((holding, ask) => (isMine(holding, ask) ? asPassed(holding) : holding)),
  }),
  mutant("a release gives back ticks from before the grant", {
    release: (book, claim, unused) => {
      const next = protocol.release(book, claim, unused);
      const holding = next.nodes.get(claim.node);
      return holding && next !== book ? written(next, claim.node, { ...holding, until: unused }) : book;
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

  mutant("a renewal does not tell generations apart", { renew: renewIf(withoutGeneration) }, {}, COPIED),
  mutant("a renewal does not tell nonces apart", { renew: renewIf(withoutNonce) }, {}, COPIED),
  mutant("a release does not tell generations apart", { release: releaseIf(withoutGeneration) }, {}, COPIED),
  mutant("a release does not tell nonces apart", { release: releaseIf(withoutNonce) }, {}, COPIED),
  mutant("a new grant does not heed the fence", { acquire: acquireWithFence(() => 0) }, {}, RETURNED),
  mutant(
    "a new grant begins a tick before the fence",
    { acquire: acquireWithFence((_, { fence }) => Math.max(0, fence - 1)) },
    {},
    RETURNED,
  ),
  mutant(
    "a new grant in a store that went back raises no fence",
    { acquire: acquireWithFence(({ fence }) => fence) },
    {},
    RETURNED,
  ),
  mutant(
    "a renewal in a store that went back raises no fence",
    {
      renew: (book, space, claim, nowMs, store) => {
        const [next, answer] = protocol.renew(book, space, claim, nowMs, store);
        return [next && book && { ...next, fence: book.fence }, answer];
      },
    },
    {},
    RETURNED,
  ),
  mutant(
    "a renewal in a store that went back does not ask whether the grant had ended",
    {
      renew: (book, space, claim, nowMs, store) => {
        const [noticed] = protocol.renew(book, space, { ...claim, node: -1 }, nowMs, store);
        const [next, answer] = protocol.renew(
          noticed && { ...noticed, stale: 0 },
          space,
          claim,
          nowMs,
          store,
        );
        return [next && noticed && { ...next, stale: noticed.stale }, answer];
      },
    },
    {},
    RETURNED,
  ),
  mutant(
    "a grant that is asked for again in a store that went back may have ended",
    {
      acquire: (book, space, ask, nowMs, store) => {
        const [noticed] = protocol.renew(
          book,
          space,
          { ...ask, node: -1, generation: 0, grantNonce: "" },
          nowMs,
          store,
        );
        const [next, answer] = protocol.acquire(
          noticed && { ...noticed, stale: 0 },
          space,
          ask,
          nowMs,
          store,
        );
        return [next && noticed && { ...next, stale: noticed.stale }, answer];
      },
    },
    {},
    RETURNED,
  ),
];

/** None does harm: what they leave out is there for other reasons. */
export const harmless: readonly Mutant[] = [
  // As in a database, when two messages of a holder are carried out at the same moment.
  mutant("a holder that asks again is given another node", {
    acquire: acquireIf((holding, ask) => (isMine(holding, ask) ? { ...holding, owner: "other" } : holding)),
  }),
  mutant("a node is granted anew when its grant has passed by the store's clock alone", {
    acquire: (book, space, ask, nowMs, store) =>
      protocol.acquire(book, space, ask, Math.max(nowMs, store.ms), store),
  }),
  mutant("a release leaves the node to its owner", {
    release: (book, claim, unused) => {
      const next = protocol.release(book, claim, unused);
      const holding = next.nodes.get(claim.node);
      return holding && next !== book ? written(next, claim.node, { ...holding, owner: claim.owner }) : next;
    },
  }),
  // It ends leases that need not end.
  mutant(
    "a renewal is refused in a store that went back behind it",
    {
      renew: renewIf(
        ofOwner((holding, { generation }) =>
          holding.generation < generation ? { ...holding, owner: null } : holding,
        ),
      ),
    },
    {},
    { ...RETURNED, nodes: 1, ticks: 2 },
  ),
];

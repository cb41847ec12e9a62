// Mutants of the rule: harmful ones, and some that differ without harm.

import * as rule from "../../../src/lease/rule.ts";
import { correctHolder, type HolderBehavior } from "./holder.ts";
import type { Bounds, LeaseRule } from "./store.ts";

type State = rule.NamespaceState;
type Node = rule.NodeState;
type Proof = rule.GrantProof;
type Acquire = LeaseRule["acquire"];
type Renew = LeaseRule["renew"];
type Release = LeaseRule["release"];

export interface Mutant {
  /** The fault. */
  readonly title: string;
  readonly rule: LeaseRule;
  readonly behavior: HolderBehavior;
  /** The bounds in which it does harm, if not the default ones. */
  readonly bounds: Partial<Bounds>;
}

function mutant(
  title: string,
  steps: Partial<LeaseRule>,
  behavior: Partial<HolderBehavior> = {},
  bounds: Partial<Bounds> = {},
): Mutant {
  const { acquire, renew, release } = rule;
  const own = { acquire, renew, release, ...steps };
  return { title, rule: own, behavior: { ...correctHolder, ...behavior }, bounds };
}

/** Bounds with copies of holders. */
const COPIED = { holders: 2, copies: 1 };

/** Bounds with a store that goes back. */
const ROLLED_BACK = { holders: 2, rollbacks: 1 };

/** How a mutant misreads a node: returns the state that the step sees. */
type Belief<Request> = (kept: Node, request: Request) => Node;

const isMine = (kept: Node, { owner, nonce }: rule.LeaseRequest) =>
  kept.owner === owner && kept.nonce === nonce;
/** As if the proof were about the node's current grant. */
const asCurrent: Belief<Proof> = (kept, { owner, generation, grantNonce }) => ({
  ...kept,
  ...{ owner, generation, nonce: grantNonce },
});
const asEnded = (kept: Node) => ({ ...kept, until: -1 });
const asShort = (kept: Node) => ({ ...kept, until: 1 });

function withNode(state: State, node: number, kept: Node): State {
  return { ...state, nodes: new Map(state.nodes).set(node, kept) };
}

function believing<Request>(state: State, request: Request, belief: Belief<Request>): State {
  return {
    ...state,
    nodes: new Map([...state.nodes].map(([node, kept]) => [node, belief(kept, request)])),
  };
}

/** Returns the state with only its history and the granted node changed. */
function outcomeOf(state: State, [next, answer]: ReturnType<Acquire>): ReturnType<Acquire> {
  const kept = answer.outcome === "granted" ? next?.nodes.get(answer.node) : undefined;
  const noticed = next ? { ...next, nodes: state.nodes } : state;
  return [kept && answer.outcome === "granted" ? withNode(noticed, answer.node, kept) : noticed, answer];
}

/** Creates an acquire that sees other states of nodes. */
function acquireIf(belief: Belief<rule.LeaseRequest>): Acquire {
  return (state, terms, request, ...rest) => {
    const step = rule.acquire(state && believing(state, request, belief), terms, request, ...rest);
    return state ? outcomeOf(state, step) : step;
  };
}

/** Creates a renew that sees other states of nodes. */
function renewIf(belief: Belief<Proof>): Renew {
  return (state, terms, proof, nowMs, store) => {
    const step = rule.renew(state && believing(state, proof, belief), terms, proof, nowMs, store);
    return state ? outcomeOf(state, step) : step;
  };
}

/** Creates a release that sees another state of its node. */
function releaseIf(belief: Belief<Proof>): Release {
  return (state, proof, nextTick) => {
    const kept = state.nodes.get(proof.node);
    if (!kept) return state;
    const believed = withNode(state, proof.node, belief(kept, proof));
    const next = rule.release(believed, proof, nextTick);
    return next === believed ? state : next;
  };
}

/** Limits a belief to nodes of the proof's owner. */
function ofOwner(belief: Belief<Proof>): Belief<Proof> {
  return (kept, proof) => (kept.owner === proof.owner ? belief(kept, proof) : kept);
}

const withoutGeneration = ofOwner((kept, { generation, grantNonce, nonce }) =>
  // A nonce that it does not know may be one from before the store went back.
  kept.nonce === grantNonce || kept.nonce === nonce
    ? { ...kept, generation: generation + Number(kept.nonce === nonce) }
    : { ...kept, generation: generation - 1 },
);

const withoutNonce = ofOwner((kept, { generation, grantNonce, nonce }) => ({
  ...kept,
  nonce: kept.generation === generation ? grantNonce : nonce,
}));

/** Creates an acquire whose grants begin at another tick. `before` is the node's state before the grant. */
function acquireFrom(
  begin: (from: number, before: Node, request: rule.LeaseRequest, nowMs: number) => number,
): Acquire {
  return (state, terms, request, nowMs, ...rest) => {
    const step = rule.acquire(state, terms, request, nowMs, ...rest);
    const [next, answer] = step;
    const before = answer.outcome === "granted" ? state?.nodes.get(answer.node) : undefined;
    if (!next || !before || answer.outcome !== "granted") return step;
    const { node } = answer;
    const from = begin(answer.from, before, request, nowMs);
    return [withNode(next, node, { ...(next.nodes.get(node) as Node), from }), { ...answer, from }];
  };
}

/** Creates an acquire that sees another fence. */
function acquireWithFence(fence: (state: State, raised: State) => number): Acquire {
  return (state, terms, request, nowMs, store) => {
    const [raised] = rule.renew(
      state,
      terms,
      { ...request, node: -1, generation: 0, grantNonce: "" },
      nowMs,
      store,
    );
    const moved = state && raised && { ...raised, fence: fence(state, raised) };
    return rule.acquire(moved, terms, request, nowMs, store);
  };
}

/** Mutants that let two holders stamp the same tick of a node. */
export const harmfulMutants: readonly Mutant[] = [
  mutant("a renewal does not check the owner", { renew: renewIf(asCurrent) }),
  mutant("a release does not check the owner", { release: releaseIf(asCurrent) }),
  mutant("a grant begins before the one before it ends", {
    acquire: acquireFrom((from, before, request) =>
      isMine(before, request) ? from : Math.min(from, before.until - 1),
    ),
  }),
  mutant(
    "a holder stamps the tick at which its grant ends",
    {},
    { covers: ({ from, until }, tick) => tick >= from && tick <= until },
  ),
  mutant("a renewal moves the end of a grant back", { renew: renewIf(asShort) }),

  mutant("a node is granted while its grant lasts", {
    acquire: acquireIf((kept, request) => (isMine(kept, request) ? kept : asEnded(kept))),
  }),
  mutant("a repeated request gets a grant that begins at its time", {
    acquire: acquireFrom((from, before, request, nowMs) => (isMine(before, request) ? nowMs : from)),
  }),
  mutant("a repeated request gets a grant that ends earlier", {
    acquire: acquireIf((kept, request) => (isMine(kept, request) ? asEnded(kept) : kept)),
  }),
  mutant("a release returns ticks from before the grant", {
    release: (state, proof, nextTick) => {
      const next = rule.release(state, proof, nextTick);
      const kept = next.nodes.get(proof.node);
      return kept && next !== state ? withNode(next, proof.node, { ...kept, until: nextTick }) : state;
    },
  }),
  mutant(
    "a holder returns the last tick that it stamped",
    {},
    { nextTickOf: ({ from }, last) => Math.max(from, last) },
  ),
  mutant("a holder stamps after its release", {}, { stampsAfterRelease: true }),
  mutant("a holder acquires its next grant under the same owner", {}, { reusesOwner: true }),
  mutant("a holder accepts an answer about a later grant", {}, { isSameGrant: () => true }),

  mutant("a renewal does not check the generation", { renew: renewIf(withoutGeneration) }, {}, COPIED),
  mutant("a renewal does not check the nonce", { renew: renewIf(withoutNonce) }, {}, COPIED),
  mutant("a release does not check the generation", { release: releaseIf(withoutGeneration) }, {}, COPIED),
  mutant("a release does not check the nonce", { release: releaseIf(withoutNonce) }, {}, COPIED),
  mutant("a new grant ignores the fence", { acquire: acquireWithFence(() => 0) }, {}, ROLLED_BACK),
  mutant(
    "a new grant begins a tick before the fence",
    { acquire: acquireWithFence((_, { fence }) => Math.max(0, fence - 1)) },
    {},
    ROLLED_BACK,
  ),
  mutant(
    "a new grant in a store that went back raises no fence",
    { acquire: acquireWithFence(({ fence }) => fence) },
    {},
    ROLLED_BACK,
  ),
  mutant(
    "a renewal in a store that went back raises no fence",
    {
      renew: (state, terms, proof, nowMs, store) => {
        const [next, answer] = rule.renew(state, terms, proof, nowMs, store);
        return [next && state && { ...next, fence: state.fence }, answer];
      },
    },
    {},
    ROLLED_BACK,
  ),
  mutant(
    "a renewal in a store that went back does not check whether the grant had ended",
    {
      renew: (state, terms, proof, nowMs, store) => {
        const [noticed] = rule.renew(state, terms, { ...proof, node: -1 }, nowMs, store);
        const [next, answer] = rule.renew(
          noticed && { ...noticed, staleUntil: 0 },
          terms,
          proof,
          nowMs,
          store,
        );
        return [next && noticed && { ...next, staleUntil: noticed.staleUntil }, answer];
      },
    },
    {},
    ROLLED_BACK,
  ),
  mutant(
    "a repeated request in a store that went back gets a grant that had ended",
    {
      acquire: (state, terms, request, nowMs, store) => {
        const [noticed] = rule.renew(
          state,
          terms,
          { ...request, node: -1, generation: 0, grantNonce: "" },
          nowMs,
          store,
        );
        const [next, answer] = rule.acquire(
          noticed && { ...noticed, staleUntil: 0 },
          terms,
          request,
          nowMs,
          store,
        );
        return [next && noticed && { ...next, staleUntil: noticed.staleUntil }, answer];
      },
    },
    {},
    ROLLED_BACK,
  ),
];

/** Mutants without harm: what they leave out is there for other reasons. */
export const harmlessMutants: readonly Mutant[] = [
  // As in a database that executes two messages of a holder at the same time.
  mutant("a repeated request gets another node", {
    acquire: acquireIf((kept, request) => (isMine(kept, request) ? { ...kept, owner: "other" } : kept)),
  }),
  mutant("a node is granted when its grant has ended by the store's clock alone", {
    acquire: (state, terms, request, nowMs, store, choose) =>
      rule.acquire(state, terms, request, Math.max(nowMs, store.ms), store, choose),
  }),
  mutant("a release keeps the owner", {
    release: (state, proof, nextTick) => {
      const next = rule.release(state, proof, nextTick);
      const kept = next.nodes.get(proof.node);
      return kept && next !== state ? withNode(next, proof.node, { ...kept, owner: proof.owner }) : next;
    },
  }),
  // It ends leases needlessly.
  mutant(
    "a renewal is refused in a store that went back to before it",
    {
      renew: renewIf(
        ofOwner((kept, { generation }) => (kept.generation < generation ? { ...kept, owner: null } : kept)),
      ),
    },
    {},
    { ...ROLLED_BACK, nodes: 1, ticks: 2 },
  ),
];

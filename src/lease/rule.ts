// Lease rule, as pure steps on the state that a store keeps. Memory and stores of cells run these steps; Redis and SQL
// implement the same steps in their own language. Time is counted in ticks of the IDs.
//
// A grant is the right to stamp the ticks of a node from `from` up to, but not including, `until`. Invariants:
// 1. No overlap: a new grant of a node begins at or after the `until` of the grant before it.
// 2. Ownership: only the holder of the grant moves a node's `until`, and while it holds the node, only forward.
// 3. Release: it sets `until` to the tick after the last one that the holder stamped, and the holder stamps no more. That
//    tick may be later than the stored `until`, if the store forgot the last renewal.
// 4. Same grant: a renewal counts only if its answer has the `from` of the grant that it was sent for.
// Uniqueness therefore needs an atomic store, and no clocks that agree: `maxSkewMs` keeps wrong times out of IDs, and bounds
// how long a wrong clock takes a node away from others. Event 6 alone depends on it.
//
// Two events are outside the holder's control:
// 5. Copies: a process may be copied while it holds a grant. Each renewal presents the generation of the grant and the
//    nonce of the request that wrote it, and replaces both. So of two copies, the second to renew has lost.
// 6. Rollback: a store may restart or fail over without its last writes. If the store reports the ID of its history, a
//    change of it raises a fence: a tick at or after the end of every forgotten grant, before which no new grant begins.
//    A grant whose `until` is not after `staleUntil`, the latest tick at which a forgotten grant may have begun, is not
//    renewed, because another holder may have had the node since. Both ticks are right if the clocks of holders, and of the
//    old and the new store, differ by at most `maxSkewMs`.
//
// Three checks exist only in the Redis scripts. A Redis that is cut off from its replicas grants and renews nothing
// (`cutOff`). The first grant of a namespace waits until leases of the request's own terms from before a recent restart have
// ended, by the server's uptime. It also waits in a Redis that has a previous replication ID, because the namespace may be
// missing there: the server was promoted without having received it, or was started from an older RDB file. An AOF brings no
// previous ID; there the uptime counts.

import type { Grant } from "../internal.ts";

/** State of a node in the store. */
export interface NodeState {
  /** The owner of the grant, `null` after a release. */
  readonly owner: string | null;
  /** The first tick of the last grant. */
  readonly from: number;
  /** The first tick after the last grant. */
  readonly until: number;
  /** How often the grant has been renewed. */
  readonly generation: number;
  /** The nonce of the request that granted or last renewed it. */
  readonly nonce: string;
}

/** State of a namespace in the store. A node that was never granted is not in it. */
export interface NamespaceState {
  /** The layout, epoch, tick and leased fields of the IDs. */
  readonly shape: string;
  readonly nodes: ReadonlyMap<number, NodeState>;
  /** The history ID of the store at the last step of a holder with a fence; `""` before the first. */
  readonly historyId: string;
  /** A tick: no new grant begins before it, and every forgotten grant ends by it. */
  readonly fence: number;
  /**
   * The latest tick at which a forgotten grant may have begun. A grant is stale, and not renewed, if its `until` is not after
   * it.
   */
  readonly staleUntil: number;
  /** The largest `maxReachTicks` of all holders. */
  readonly longestReachTicks: number;
}

/** The nodes that a holder may be granted, and the ticks of their IDs. */
export interface NodeSpace {
  readonly shape: string;
  /** The smallest node, and the number of nodes. */
  readonly first: number;
  readonly count: number;
  readonly epochMs: number;
  readonly tickMs: number;
}

/** Terms of a holder's grants: its nodes, and for how long and when it is granted one. All its requests have the same. */
export interface LeaseTerms extends NodeSpace {
  /** The shortest duration of a grant, in ticks. */
  readonly ttlTicks: number;
  /** The largest accepted difference between the clocks of holder and store. */
  readonly maxSkewMs: number;
  /** The same in ticks, rounded up. */
  readonly maxSkewTicks: number;
  /**
   * The latest end of any grant, in ticks after the store's time: `ttlTicks`, and `maxSkewMs` twice, once for each
   * clock that may be ahead of the store's: the holder's, and that of the primary which the store has replaced.
   */
  readonly maxReachTicks: number;
  /** Whether the fence applies to this holder: the store may lose acknowledged writes. */
  readonly usesFence: boolean;
}

/** A request for a node. If it is sent again, it gets the same grant; from a store of cells perhaps another node. */
export interface LeaseRequest {
  /** A random token, drawn for the acquire and used for no other grant, and the holder's label. */
  readonly owner: string;
  /** A random token of this request, which keeps it when it is sent again. */
  readonly nonce: string;
}

/**
 * A request to renew or release a grant, with the facts that prove it is the holder's. A release has the `nonce` of the last
 * renewal if no answer has granted it, because an attempt without an answer may have been executed; else `""`.
 */
export interface GrantProof extends LeaseRequest {
  readonly node: number;
  /** The generation of the grant as the holder knows it, and the nonce that was written with it. */
  readonly generation: number;
  readonly grantNonce: string;
}

/** Facts about the store during a step. */
export interface StoreFacts {
  /** Its time. */
  readonly ms: number;
  /** The ID of its history, which changes when it may have lost writes; `""` if it reports none. */
  readonly historyId: string;
}

/** An answer of the store. `storeMs` is the store's time. */
export type LeaseAnswer =
  | ({ readonly outcome: "granted"; readonly storeMs: number } & Grant)
  | { readonly outcome: "taken"; readonly soonest: number; readonly storeMs: number }
  | { readonly outcome: "fenced"; readonly until: number; readonly storeMs: number }
  | { readonly outcome: "lost" | "skew"; readonly storeMs: number }
  /** A Redis without its replicas; `seenMs` is when one last acknowledged. */
  | { readonly outcome: "cutOff"; readonly seenMs: number; readonly storeMs: number }
  | { readonly outcome: "shape"; readonly shape: string };

/** The next state, and the answer. A refusal leaves the nodes unchanged. */
type Step = readonly [NamespaceState | undefined, LeaseAnswer];

/** Returns the tick of a time. */
export function tickAt(space: Pick<NodeSpace, "epochMs" | "tickMs">, ms: number): number {
  return Math.floor((Math.floor(ms) - space.epochMs) / space.tickMs);
}

function isSkewed({ maxSkewMs }: LeaseTerms, nowMs: number, storeMs: number): boolean {
  return Math.abs(nowMs - storeMs) > maxSkewMs;
}

/** Returns the state with one node replaced. */
function withNode(state: NamespaceState, node: number, next: NodeState): NamespaceState {
  return { ...state, nodes: new Map(state.nodes).set(node, next) };
}

/**
 * Writes a grant. Its end is the later of the two clocks' times plus `ttlTicks`, so that it lasts `ttlTicks` by both
 * clocks, and is never earlier than the end before (invariant 2).
 */
function grant(
  state: NamespaceState,
  terms: LeaseTerms,
  node: number,
  next: Omit<NodeState, "until">,
  nowMs: number,
  storeMs: number,
): Step {
  const ttlEnd = tickAt(terms, Math.max(nowMs, storeMs)) + terms.ttlTicks;
  const until = Math.max(state.nodes.get(node)?.until ?? ttlEnd, ttlEnd);
  return [
    withNode(state, node, { ...next, until }),
    { outcome: "granted", node, from: next.from, until, storeMs },
  ];
}

/** Returns whether the store may have forgotten a later grant of this node to another holder (event 6). */
function isStale({ staleUntil }: NamespaceState, { usesFence }: LeaseTerms, { until }: NodeState): boolean {
  return usesFence && until <= staleUntil;
}

/** Returns the state with the store's history ID, and with the fence raised if it has changed (event 6). */
function noticeHistory(state: NamespaceState, terms: LeaseTerms, store: StoreFacts): NamespaceState {
  const { historyId } = store;
  if (!terms.usesFence || historyId === "" || state.historyId === historyId) return state;
  if (state.historyId === "") return { ...state, historyId };
  const now = tickAt(terms, store.ms);
  const fence = now + Math.max(state.longestReachTicks, terms.maxReachTicks);
  // The previous primary granted by its own clock, which may have been ahead of this one.
  const staleUntil = now + terms.maxSkewTicks;
  return {
    ...state,
    historyId,
    fence: Math.max(state.fence, fence),
    staleUntil: Math.max(state.staleUntil, staleUntil),
  };
}

/** Returns the state of a namespace before its first grant. */
export function emptyNamespace(shape: string): NamespaceState {
  return { shape, nodes: new Map(), historyId: "", fence: 0, staleUntil: 0, longestReachTicks: 0 };
}

/**
 * Grants a node. A request that arrives a second time gets the same node again, because its first answer was lost.
 *
 * @param nowMs the requester's time
 * @param choose chooses the node
 */
export function acquire(
  before: NamespaceState | undefined,
  terms: LeaseTerms,
  { owner, nonce }: LeaseRequest,
  nowMs: number,
  store: StoreFacts,
  choose: ChooseNode = longestFreeNode,
): Step {
  const storeMs = store.ms;
  const known = before ?? emptyNamespace(terms.shape);
  if (known.shape !== terms.shape) return [before, { outcome: "shape", shape: known.shape }];
  if (isSkewed(terms, nowMs, storeMs)) return [before, { outcome: "skew", storeMs }];
  const longestReachTicks = Math.max(known.longestReachTicks, terms.maxReachTicks);
  const state = { ...noticeHistory(known, terms, store), longestReachTicks };
  const stateIfRefused = before && state;
  const own = [...state.nodes].find(
    ([, node]) => node.owner === owner && node.nonce === nonce && !isStale(state, terms, node),
  );
  if (own) {
    const [node, held] = own;
    return grant(state, terms, node, { ...held, generation: 0 }, nowMs, storeMs);
  }
  // A node is free when its grant has ended by both clocks: by the requester's, so that the new grant does not begin inside
  // the old one; by the store's, so that a requester whose clock is ahead does not take a node that could still be renewed.
  const reachedByBoth = Math.max(tickAt(terms, Math.min(nowMs, storeMs)), -1); // One of them may be before the epoch.
  // 0 is a fence that was never raised.
  if (terms.usesFence && state.fence > Math.max(reachedByBoth, 0)) {
    return [stateIfRefused, { outcome: "fenced", until: state.fence, storeMs }];
  }
  const { node, until } = choose(state.nodes, terms, reachedByBoth);
  if (until > reachedByBoth) return [stateIfRefused, { outcome: "taken", soonest: until, storeMs }];
  const from = Math.max(until, tickAt(terms, nowMs));
  return grant(state, terms, node, { owner, from, generation: 0, nonce }, nowMs, storeMs);
}

/** A node that may be granted, and the first tick after its last grant; -1 if it was never granted. */
interface Candidate {
  readonly node: number;
  readonly until: number;
}

/**
 * Chooses the node of an acquire.
 *
 * @param tick a node is free if its last grant ended at this tick or before
 * @returns a free node; if there is none, the one whose grant ends first
 */
export type ChooseNode = (nodes: ReadonlyMap<number, NodeState>, space: NodeSpace, tick: number) => Candidate;

/**
 * Chooses the node that has been free for longest: the time between two grants of a node helps if a clock is wrong or the store
 * was restored.
 */
export const longestFreeNode: ChooseNode = (nodes, { first, count }) => {
  let best: Candidate | undefined;
  let used = 0;
  for (const [node, { until }] of nodes) {
    if (node < first || node >= first + count) continue;
    used++;
    if (!best || until < best.until || (until === best.until && node < best.node)) best = { node, until };
  }
  // The spaces of a namespace are equal or have no node in common, because it has one shape. The nodes of each are first used
  // in ascending order, so this node was never granted.
  return !best || used < count ? { node: first + used, until: -1 } : best;
};

/** How many random nodes {@link anyFreeNode} looks at before it searches. */
const DRAWS = 8;

/**
 * Returns a function that chooses a random free node, so that holders which choose at the same time by the same state rarely
 * choose the same one.
 *
 * @param random returns a number from 0 up to, but not including, 1
 */
export function anyFreeNode(random: () => number): ChooseNode {
  return (nodes, { first, count }, tick) => {
    const candidate = (index: number): Candidate => {
      const node = first + index;
      return { node, until: nodes.get(node)?.until ?? -1 };
    };
    for (let draw = 0; draw < DRAWS; draw++) {
      const drawn = candidate(Math.floor(random() * count));
      if (drawn.until <= tick) return drawn;
    }
    // Few nodes are free: the first one from a random one on.
    const start = Math.floor(random() * count);
    let soonest = candidate(start);
    for (let step = 0; step < count && soonest.until > tick; step++) {
      const next = candidate((start + step) % count);
      if (next.until < soonest.until) soonest = next;
    }
    return soonest;
  };
}

/**
 * Returns whether a proof is about the node's current grant (event 5): generation and nonce are those that the
 * holder knows; or this very request wrote them, and its answer was lost; or the store went back to before the holder's
 * last renewal.
 */
function isCurrent(
  node: NodeState | undefined,
  { owner, generation, grantNonce, nonce }: GrantProof,
): node is NodeState {
  if (node?.owner !== owner) return false;
  if (node.generation === generation) return node.nonce === grantNonce;
  if (node.generation === generation + 1) return node.nonce === nonce;
  return node.generation < generation;
}

/** Extends a grant, if the holder still owns it. */
export function renew(
  before: NamespaceState | undefined,
  terms: LeaseTerms,
  proof: GrantProof,
  nowMs: number,
  store: StoreFacts,
): Step {
  const storeMs = store.ms;
  const state = before && noticeHistory(before, terms, store);
  const node = state?.nodes.get(proof.node);
  if (!state || !isCurrent(node, proof) || isStale(state, terms, node)) {
    return [state, { outcome: "lost", storeMs }];
  }
  if (isSkewed(terms, nowMs, storeMs)) return [state, { outcome: "skew", storeMs }];
  const { nonce } = proof;
  const next = { ...node, generation: proof.generation + 1, nonce };
  return grant(state, terms, proof.node, next, nowMs, storeMs);
}

/**
 * Releases a node, if the holder still owns it (invariant 3).
 *
 * @param proof its `nonce` is that of a renewal that was sent and that no answer has granted, `""` if there is none
 * @param nextTick the tick after the last one that the holder stamped; it stamps no more
 */
export function release(state: NamespaceState, proof: GrantProof, nextTick: number): NamespaceState {
  const node = state.nodes.get(proof.node);
  if (!isCurrent(node, proof)) return state;
  return withNode(state, proof.node, { ...node, owner: null, until: Math.max(nextTick, node.from) });
}

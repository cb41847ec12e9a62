// Lease protocol, as pure steps on the state that a store keeps. Memory runs these steps; Redis and SQL implement the
// same steps in their own language. Time is counted in ticks of the IDs.
//
// A grant is the right to stamp the ticks of a node from `from` up to, but not including, `until`. Invariants:
// 1. No overlap: a new grant of a node begins at or after the `until` of the grant before it.
// 2. Ownership: only the owner moves a node's `until`, and while the owner holds the node, only forward.
// 3. Release: it pulls `until` back to the first tick that the owner has not stamped, and the owner stamps no more.
// 4. Same grant: a renewal counts only if its answer has the `from` of the grant that it was sent for.
// Uniqueness therefore needs an atomic store, and nothing of any clock.
//
// Two events are outside the holder's control:
// 5. Copies: a process may be copied while it holds a grant. Each renewal presents the generation of the grant and the
//    nonce of the request that wrote it, and replaces both. So of two copies, the second to renew has lost.
// 6. Rollback: a store may restart or fail over without its last writes. If the store reports its history, a change of
//    it raises a fence: a tick at or after the end of every forgotten grant, before which no new grant begins. A grant
//    that had ended when the store went back is not renewed, because another holder may have had the node since.
//
// Three checks exist only in the Redis scripts: a Redis that is cut off from its replicas grants nothing (`cutOff`); the first grant of a name waits for leases from before a recent restart, by the server's uptime;
// and it waits in a Redis that replicated another primary before, because the name may not have reached it.

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
  /** The layout, epoch and tick of the IDs. */
  readonly shape: string;
  readonly nodes: ReadonlyMap<number, NodeState>;
  /** The last known history of the store, `""` if it reports none. */
  readonly history: string;
  /** A tick: no new grant begins before it, and every forgotten grant ends by it. */
  readonly fence: number;
  /** The latest tick at which a forgotten grant may have begun: a grant with `until` at or before it is no longer renewed. */
  readonly staleUntil: number;
  /** The largest `reach` of all holders. */
  readonly longestReach: number;
}

/** The nodes that a holder may be granted, and the settings of its grants. */
export interface NodeSpace {
  readonly shape: string;
  /** The smallest node, and the number of nodes. */
  readonly first: number;
  readonly count: number;
  readonly epochMs: number;
  readonly tickMs: number;
  /** The shortest duration of a grant, in ticks. */
  readonly ttlTicks: number;
  /** The largest accepted difference between the clocks of holder and store. */
  readonly maxSkewMs: number;
  /**
   * How many ticks after the store's time a grant may end, if the holder's clock is ahead by the most allowed, and so was
   * the clock of the previous primary.
   */
  readonly reach: number;
  /** Whether the store may lose acknowledged writes. */
  readonly isFenced: boolean;
}

/** A request for a node. If it is sent again, it gets the same grant. */
export interface LeaseRequest {
  /** A name that no other holder has, and that is not used again for another grant. */
  readonly owner: string;
  readonly nonce: string;
}

/** A request to renew or release a grant. */
export interface LeaseClaim extends LeaseRequest {
  readonly node: number;
  /** The generation of the grant as the holder knows it, and the nonce that was written with it. */
  readonly generation: number;
  readonly grantNonce: string;
}

/** The clock and the history of the store during a step. */
export interface StoreReading {
  readonly ms: number;
  /** `""` if the store reports none. */
  readonly history: string;
}

/** An answer of the store. `storeMs` is the store's time. */
export type LeaseAnswer =
  | ({ readonly outcome: "granted"; readonly storeMs: number } & Grant)
  | { readonly outcome: "taken"; readonly soonest: number; readonly storeMs: number }
  | { readonly outcome: "fenced"; readonly until: number; readonly storeMs: number }
  | { readonly outcome: "lost" | "skew"; readonly storeMs: number }
  /** A Redis without its replicas; `seenMs` is when one was last connected. */
  | { readonly outcome: "cutOff"; readonly seenMs: number; readonly storeMs: number }
  | { readonly outcome: "shape"; readonly shape: string };

/** The next state, and the answer. A refusal leaves the nodes unchanged. */
type Step = readonly [NamespaceState | undefined, LeaseAnswer];

/** Returns the tick of a time. */
export function tickAt(space: Pick<NodeSpace, "epochMs" | "tickMs">, ms: number): number {
  return Math.floor((Math.floor(ms) - space.epochMs) / space.tickMs);
}

function isSkewed(space: NodeSpace, nowMs: number, storeMs: number): boolean {
  return Math.abs(nowMs - storeMs) > space.maxSkewMs;
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
  space: NodeSpace,
  node: number,
  next: Omit<NodeState, "until">,
  nowMs: number,
  storeMs: number,
): Step {
  const end = tickAt(space, Math.max(nowMs, storeMs)) + space.ttlTicks;
  const until = Math.max(state.nodes.get(node)?.until ?? end, end);
  return [
    withNode(state, node, { ...next, until }),
    { outcome: "granted", node, from: next.from, until, storeMs },
  ];
}

/** Returns whether the store may have granted the node to another holder since it ended, and have forgotten it (invariant 6). */
function isStale({ staleUntil }: NamespaceState, { isFenced }: NodeSpace, { until }: NodeState): boolean {
  return isFenced && until <= staleUntil;
}

/** Returns the state with the store's history, and with the fence raised if the history has changed (invariant 6). */
function noticeHistory(state: NamespaceState, space: NodeSpace, store: StoreReading): NamespaceState {
  const { history } = store;
  if (!space.isFenced || history === "" || state.history === history) return state;
  if (state.history === "") return { ...state, history };
  const now = tickAt(space, store.ms);
  // This is `maxSkewMs` in ticks: the previous primary granted by its own clock, which may be ahead of this one by that.
  const skewTicks = Math.ceil((space.reach - space.ttlTicks) / 2);
  const staleUntil = now + skewTicks;
  const fence = now + Math.max(state.longestReach, space.reach);
  return {
    ...state,
    history,
    fence: Math.max(state.fence, fence),
    staleUntil: Math.max(state.staleUntil, staleUntil),
  };
}

/**
 * Grants a node. A request that arrives a second time gets the same node again, because its first answer was lost.
 *
 * Of the free nodes it takes the one that has been free for longest, which maximizes the gap after a skewed clock or a
 * restored store.
 *
 * @param nowMs the holder's time
 */
export function acquire(
  before: NamespaceState | undefined,
  space: NodeSpace,
  { owner, nonce }: LeaseRequest,
  nowMs: number,
  store: StoreReading,
): Step {
  const storeMs = store.ms;
  const known = before ?? {
    shape: space.shape,
    nodes: new Map<number, NodeState>(),
    history: "",
    fence: 0,
    staleUntil: 0,
    longestReach: 0,
  };
  if (known.shape !== space.shape) return [before, { outcome: "shape", shape: known.shape }];
  if (isSkewed(space, nowMs, storeMs)) return [before, { outcome: "skew", storeMs }];
  const longestReach = Math.max(known.longestReach, space.reach);
  const state = { ...noticeHistory(known, space, store), longestReach };
  const stateIfRefused = before && state;
  const own = [...state.nodes].find(
    ([, node]) => node.owner === owner && node.nonce === nonce && !isStale(state, space, node),
  );
  if (own) return grant(state, space, ...own, nowMs, storeMs);
  // A node is free when its grant has ended by both clocks: by the requester's, so that the new grant does not begin inside
  // the old one; by the store's, because the old holder may still stamp.
  const reachedByBoth = Math.max(tickAt(space, Math.min(nowMs, storeMs)), -1); // One of them may be before the epoch.
  if (space.isFenced && state.fence > Math.max(reachedByBoth, 0)) {
    return [stateIfRefused, { outcome: "fenced", until: state.fence, storeMs }];
  }
  let best: { node: number; until: number } | undefined;
  let used = 0;
  for (const [node, { until }] of state.nodes) {
    if (node < space.first || node >= space.first + space.count) continue;
    used++;
    if (!best || until < best.until || (until === best.until && node < best.node)) best = { node, until };
  }
  // Nodes are first used in ascending order, so this node was never granted.
  if (!best || used < space.count) best = { node: space.first + used, until: -1 };
  if (best.until > reachedByBoth) return [stateIfRefused, { outcome: "taken", soonest: best.until, storeMs }];
  const from = Math.max(best.until, tickAt(space, nowMs));
  return grant(state, space, best.node, { owner, from, generation: 0, nonce }, nowMs, storeMs);
}

/**
 * Returns whether a claim is about the node's current grant (invariant 5): generation and nonce are those that the holder knows;
 * or this very request wrote them, and its answer was lost; or the store went back behind the holder's last renewal.
 */
function isCurrent(
  node: NodeState | undefined,
  { owner, generation, grantNonce, nonce }: LeaseClaim,
): node is NodeState {
  if (node?.owner !== owner) return false;
  if (node.generation === generation) return node.nonce === grantNonce;
  if (node.generation === generation + 1) return node.nonce === nonce;
  return node.generation < generation;
}

/** Extends a grant, if the holder still owns it. */
export function renew(
  before: NamespaceState | undefined,
  space: NodeSpace,
  claim: LeaseClaim,
  nowMs: number,
  store: StoreReading,
): Step {
  const storeMs = store.ms;
  const state = before && noticeHistory(before, space, store);
  const node = state?.nodes.get(claim.node);
  if (!state || !isCurrent(node, claim) || isStale(state, space, node)) {
    return [state, { outcome: "lost", storeMs }];
  }
  if (isSkewed(space, nowMs, storeMs)) return [state, { outcome: "skew", storeMs }];
  const { nonce } = claim;
  const next = { ...node, generation: claim.generation + 1, nonce };
  return grant(state, space, claim.node, next, nowMs, storeMs);
}

/**
 * Releases a node, if the holder still owns it (invariant 3).
 *
 * @param claim its `nonce` is that of a renewal whose answer was lost
 * @param firstUnstamped the first tick that the holder has not stamped and will not stamp
 */
export function release(state: NamespaceState, claim: LeaseClaim, firstUnstamped: number): NamespaceState {
  const node = state.nodes.get(claim.node);
  if (!isCurrent(node, claim)) return state;
  return withNode(state, claim.node, { ...node, owner: null, until: Math.max(firstUnstamped, node.from) });
}

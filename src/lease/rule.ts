// The protocol of leases, as pure steps on what a store keeps: memory runs these, Redis and SQL say the same in their
// own language. Time is counted in the ticks of the IDs.
//
// A grant is the right to stamp a node's ticks from `from` on and before `until`. Two grants of a node never overlap:
// - a node is granted anew only from a tick that is not before the `until` of the grant before;
// - only its owner moves a node's `until`, and while the node is held, only forward;
// - a release pulls it back to the first tick that the owner has not stamped, and the owner stamps no more;
// - a renewal counts only if its answer has the `from` of the grant that it was sent for.
// So uniqueness asks for the store's atomicity, and for nothing of any clock.
//
// Two things are not in a holder's hands:
// - A process may be copied while it holds a grant. Each renewal presents the generation of the grant and the nonce of
//   the request that wrote it, and replaces both. So of two copies the second to renew has lost.
// - A store may go back: restart, or fail over to a replica, without its last writes. Where it tells its history, a
//   change of that raises a fence: a tick that no forgotten grant reaches, and that no new grant begins before. And a
//   grant that had ended when the store went back is not renewed: another may have had the node since.

import type { Grant } from "../internal.ts";

/** What a store keeps of a node. */
export interface NodeState {
  /** Whose the node is, `null` after a release. */
  readonly owner: string | null;
  /** The first tick of the last grant. */
  readonly from: number;
  /** The first tick that it does not cover. */
  readonly until: number;
  /** How often the grant has been renewed. */
  readonly generation: number;
  /** The nonce of the request that granted it or renewed it last. */
  readonly nonce: string;
}

/** What a store keeps of a namespace. Nodes that were never granted are not in it. */
export interface NamespaceState {
  /** The layout, epoch and tick that its IDs have. */
  readonly shape: string;
  readonly nodes: ReadonlyMap<number, NodeState>;
  /** The history of the store, as far as it is known here: `""` if it tells none. */
  readonly history: string;
  /** The first tick of new grants. Grants that the store may have forgotten end before it. */
  readonly fence: number;
  /** The tick at which the store may have given its last grant that it has forgotten: who had ended then has lost. */
  readonly stale: number;
  /** The largest reach of a holder: no grant ends later than so many ticks after the store's time. */
  readonly longest: number;
}

/** What holders of one space have in common. */
export interface NodeSpace {
  readonly shape: string;
  /** The smallest of the nodes that are leased, and how many they are. */
  readonly first: number;
  readonly count: number;
  readonly epochMs: number;
  readonly tickMs: number;
  /** How many ticks a grant lasts, at least. */
  readonly ttlTicks: number;
  /** How far the clocks of holder and store may be apart. */
  readonly maxSkewMs: number;
  /** How many ticks after the store's time a grant may end, with all skew there may be. */
  readonly reach: number;
  /** Whether the store is taken for one that may go back. */
  readonly isFenced: boolean;
}

/** A request for a node. Sent again, it gets the same grant. */
export interface LeaseRequest {
  /** A name for this one holder, until it has stamped. */
  readonly owner: string;
  readonly nonce: string;
}

/** A request about a grant that is held. */
export interface LeaseClaim extends LeaseRequest {
  readonly node: number;
  /** The generation of the grant that the holder has, and the nonce that was written with it. */
  readonly generation: number;
  readonly grantNonce: string;
}

/** What a store is by itself, at the moment of a step. */
export interface StoreReading {
  readonly ms: number;
  /** `""` if it tells none. */
  readonly history: string;
}

/** What a store answers. `storeMs` is its time. */
export type LeaseAnswer =
  | ({ readonly outcome: "granted"; readonly storeMs: number } & Grant)
  | { readonly outcome: "taken"; readonly soonest: number; readonly storeMs: number }
  | { readonly outcome: "fenced"; readonly until: number; readonly storeMs: number }
  | { readonly outcome: "lost" | "skew"; readonly storeMs: number }
  /** A Redis without its replicas; `seenMs` is when one was last connected. */
  | { readonly outcome: "cut"; readonly seenMs: number; readonly storeMs: number }
  | { readonly outcome: "shape"; readonly shape: string };

/** The state that follows, and the answer. A refusal leaves the nodes as they were. */
type Step = readonly [NamespaceState | undefined, LeaseAnswer];

/** The tick of a moment. */
export function tickAt(space: Pick<NodeSpace, "epochMs" | "tickMs">, ms: number): number {
  return Math.floor((Math.floor(ms) - space.epochMs) / space.tickMs);
}

function isSkewed(space: NodeSpace, nowMs: number, storeMs: number): boolean {
  return Math.abs(nowMs - storeMs) > space.maxSkewMs;
}

/**
 * Writes a grant down. It ends by the clock that is ahead, so that it lasts by either, and never before what was granted
 * already.
 */
function granted(
  book: NamespaceState,
  space: NodeSpace,
  node: number,
  holding: Omit<NodeState, "until">,
  nowMs: number,
  storeMs: number,
): Step {
  const ends = tickAt(space, Math.max(nowMs, storeMs)) + space.ttlTicks;
  const until = Math.max(book.nodes.get(node)?.until ?? ends, ends);
  const { from } = holding;
  return [written(book, node, { ...holding, until }), { outcome: "granted", node, from, until, storeMs }];
}

/** The book with a node's holding replaced. */
function written(book: NamespaceState, node: number, holding: NodeState): NamespaceState {
  return { ...book, nodes: new Map(book.nodes).set(node, holding) };
}

/** Whether another may have had the node since, and the store has forgotten it. */
function isStale({ stale }: NamespaceState, { isFenced }: NodeSpace, { until }: NodeState): boolean {
  return isFenced && until <= stale;
}

/** The book with the store's history in it. If it had another one, the fence is raised. */
function noticed(book: NamespaceState, space: NodeSpace, store: StoreReading): NamespaceState {
  const { history } = store;
  if (!space.isFenced || history === "" || book.history === history) return book;
  if (book.history === "") return { ...book, history };
  const now = tickAt(space, store.ms);
  // By the clock of the store before, which may be ahead of this one's.
  const stale = now + Math.ceil((space.reach - space.ttlTicks) / 2);
  const fence = now + Math.max(book.longest, space.reach);
  return { ...book, history, fence: Math.max(book.fence, fence), stale: Math.max(book.stale, stale) };
}

/**
 * Grants a node: the one that has been free for longest, so that what other holders may still believe, be it for their
 * clocks or for a store that was put back, has as long as possible to pass. A request that arrives a second time gets
 * the same node again: it was carried out, and the answer lost.
 *
 * @param nowMs the holder's time
 */
export function acquire(
  book: NamespaceState | undefined,
  space: NodeSpace,
  { owner, nonce }: LeaseRequest,
  nowMs: number,
  store: StoreReading,
): Step {
  const storeMs = store.ms;
  const fresh = {
    shape: space.shape,
    nodes: new Map<number, NodeState>(),
    history: "",
    fence: 0,
    stale: 0,
    longest: 0,
  };
  const before = book ?? fresh;
  if (before.shape !== space.shape) return [book, { outcome: "shape", shape: before.shape }];
  if (isSkewed(space, nowMs, storeMs)) return [book, { outcome: "skew", storeMs }];
  const longest = Math.max(before.longest, space.reach);
  const state = { ...noticed(before, space, store), longest };
  const refused = book && state;
  const mine = [...state.nodes].find(
    ([, holding]) => holding.owner === owner && holding.nonce === nonce && !isStale(state, space, holding),
  );
  if (mine) return granted(state, space, ...mine, nowMs, storeMs);
  // Free is a node only when its grant has passed by both clocks: by the holder's, for it must not stamp before; by the
  // store's, for another holder may be at work until then.
  const past = Math.max(tickAt(space, Math.min(nowMs, storeMs)), -1); // One of them may be before the epoch.
  if (space.isFenced && state.fence > Math.max(past, 0)) {
    return [refused, { outcome: "fenced", until: state.fence, storeMs }];
  }
  let best: { node: number; until: number } | undefined;
  let known = 0;
  for (const [node, { until }] of state.nodes) {
    if (node < space.first || node >= space.first + space.count) continue;
    known++;
    if (!best || until < best.until || (until === best.until && node < best.node)) best = { node, until };
  }
  // Nodes are taken into use in their order, so this is one that nobody ever had.
  if (!best || known < space.count) best = { node: space.first + known, until: -1 };
  if (best.until > past) return [refused, { outcome: "taken", soonest: best.until, storeMs }];
  const from = Math.max(best.until, tickAt(space, nowMs));
  return granted(state, space, best.node, { owner, from, generation: 0, nonce }, nowMs, storeMs);
}

/**
 * Whether a grant is the one that a request is about: its generation and nonce are those that the holder has; or the
 * request itself wrote them, and the answer was lost; or the store has gone back behind the holder's last renewal.
 */
function isOf(
  holding: NodeState | undefined,
  { owner, generation, grantNonce, nonce }: LeaseClaim,
): holding is NodeState {
  if (holding?.owner !== owner) return false;
  if (holding.generation === generation) return holding.nonce === grantNonce;
  if (holding.generation === generation + 1) return holding.nonce === nonce;
  return holding.generation < generation;
}

/** Extends a grant, if it still is the holder's. */
export function renew(
  book: NamespaceState | undefined,
  space: NodeSpace,
  claim: LeaseClaim,
  nowMs: number,
  store: StoreReading,
): Step {
  const storeMs = store.ms;
  const state = book && noticed(book, space, store);
  const holding = state?.nodes.get(claim.node);
  if (!state || !isOf(holding, claim) || isStale(state, space, holding))
    return [state, { outcome: "lost", storeMs }];
  if (isSkewed(space, nowMs, storeMs)) return [state, { outcome: "skew", storeMs }];
  const { nonce } = claim;
  const next = { ...holding, generation: claim.generation + 1, nonce };
  return granted(state, space, claim.node, next, nowMs, storeMs);
}

/**
 * Gives a node back, if it still is the holder's.
 *
 * @param claim its `nonce` is that of a renewal whose answer was lost
 * @param unused the first tick that the holder has not stamped, and will not
 */
export function release(book: NamespaceState, claim: LeaseClaim, unused: number): NamespaceState {
  const holding = book.nodes.get(claim.node);
  if (!isOf(holding, claim)) return book;
  return written(book, claim.node, { ...holding, owner: null, until: Math.max(unused, holding.from) });
}

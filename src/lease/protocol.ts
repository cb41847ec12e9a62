// The protocol of leases, as pure steps on what a store keeps: memory runs these, Redis and SQL say the same in their
// own language. Time is counted in the ticks of the IDs.
//
// A grant is the right to stamp a node's ticks from `from` on and before `until`. Two grants of a node never overlap:
// - a node is granted anew only from a tick that is not before the `until` of the grant before;
// - only its owner moves a node's `until`, and while the node is held, only forward;
// - a release pulls it back to the first tick that the owner has not stamped, and the owner stamps no more;
// - a renewal counts only if its answer has the `from` of the grant that it was sent for.
// So uniqueness asks for the store's atomicity, and for nothing of any clock.

import type { Grant } from "../core.ts";

/** What a store keeps of a node. */
export interface Holding {
  /** Whose the node is, `null` after a release. */
  readonly owner: string | null;
  /** The first tick of the last grant. */
  readonly from: number;
  /** The first tick that it does not cover. */
  readonly until: number;
}

/** What a store keeps of a namespace. Nodes that were never granted are not in it. */
export interface Book {
  /** The layout, epoch and tick that its IDs have. */
  readonly shape: string;
  readonly nodes: ReadonlyMap<number, Holding>;
}

/** What holders of one space have in common. */
export interface Space {
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
}

/** What a store answers. `storeMs` is its time. */
export type Answer =
  | ({ readonly outcome: "granted"; readonly storeMs: number } & Grant)
  | { readonly outcome: "taken"; readonly soonest: number; readonly storeMs: number }
  | { readonly outcome: "lost" | "skew"; readonly storeMs: number }
  | { readonly outcome: "shape"; readonly shape: string };

/** The state that follows, and the answer. A refusal leaves the state as it was. */
type Step = readonly [Book | undefined, Answer];

/** The tick of a moment. */
export function tickAt(space: Pick<Space, "epochMs" | "tickMs">, ms: number): number {
  return Math.floor((Math.floor(ms) - space.epochMs) / space.tickMs);
}

function isSkewed(space: Space, nowMs: number, storeMs: number): boolean {
  return Math.abs(nowMs - storeMs) > space.maxSkewMs;
}

/**
 * Writes a grant down. It ends by the clock that is ahead, so that it lasts by either, and never before what was granted
 * already.
 */
function granted(
  book: Book,
  space: Space,
  owner: string,
  node: number,
  from: number,
  nowMs: number,
  storeMs: number,
): Step {
  const ends = tickAt(space, Math.max(nowMs, storeMs)) + space.ttlTicks;
  const until = Math.max(book.nodes.get(node)?.until ?? ends, ends);
  return [written(book, node, { owner, from, until }), { outcome: "granted", node, from, until, storeMs }];
}

/** The book with a node's holding replaced. */
function written(book: Book, node: number, holding: Holding): Book {
  return { ...book, nodes: new Map(book.nodes).set(node, holding) };
}

/**
 * Grants a node: the one that has been free for longest, so that what other holders may still believe, be it for their
 * clocks or for a store that was put back, has as long as possible to pass. An owner that has a node already gets the
 * same again: its first request was carried out, and the answer lost.
 *
 * @param owner a name for this one holder, until it has stamped
 * @param nowMs the holder's time
 */
export function acquire(
  book: Book | undefined,
  space: Space,
  owner: string,
  nowMs: number,
  storeMs: number,
): Step {
  const state = book ?? { shape: space.shape, nodes: new Map<number, Holding>() };
  if (state.shape !== space.shape) return [book, { outcome: "shape", shape: state.shape }];
  if (isSkewed(space, nowMs, storeMs)) return [book, { outcome: "skew", storeMs }];
  const mine = [...state.nodes].find(([, holding]) => holding.owner === owner);
  if (mine) return granted(state, space, owner, mine[0], mine[1].from, nowMs, storeMs);
  let best: { node: number; until: number } | undefined;
  let known = 0;
  for (const [node, { until }] of state.nodes) {
    if (node < space.first || node >= space.first + space.count) continue;
    known++;
    if (!best || until < best.until || (until === best.until && node < best.node)) best = { node, until };
  }
  // Nodes are taken into use in their order, so this is one that nobody ever had.
  if (!best || known < space.count) best = { node: space.first + known, until: -1 };
  // Free is a node only when its grant has passed by both clocks: by the holder's, for it must not stamp before; by the
  // store's, for another holder may be at work until then.
  const past = Math.max(tickAt(space, Math.min(nowMs, storeMs)), -1); // One of them may be before the epoch.
  if (best.until > past) {
    return [book, { outcome: "taken", soonest: best.until, storeMs }];
  }
  const from = Math.max(best.until, tickAt(space, nowMs));
  return granted(state, space, owner, best.node, from, nowMs, storeMs);
}

/** Extends a grant, if the node still is the owner's. */
export function renew(
  book: Book | undefined,
  space: Space,
  owner: string,
  node: number,
  nowMs: number,
  storeMs: number,
): Step {
  const holding = book?.nodes.get(node);
  if (!book || holding?.owner !== owner) return [book, { outcome: "lost", storeMs }];
  if (isSkewed(space, nowMs, storeMs)) return [book, { outcome: "skew", storeMs }];
  return granted(book, space, owner, node, holding.from, nowMs, storeMs);
}

/**
 * Gives a node back, if it still is the owner's.
 *
 * @param unused the first tick that the owner has not stamped, and will not
 */
export function release(book: Book, owner: string, node: number, unused: number): Book {
  const holding = book.nodes.get(node);
  if (holding?.owner !== owner) return book;
  const until = Math.min(holding.until, Math.max(unused, holding.from));
  return written(book, node, { ...holding, owner: null, until });
}

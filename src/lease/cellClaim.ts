// Acquire on cells. It looks at single nodes: at some that are recorded under "free", or at random ones. If the rule grants a
// node, the cell of that node alone is swapped. This is one step of the rule, because the grant of a node depends on no other
// node: if its cell has not changed, it is still free. After a few nodes that are taken, or after the last one under "free",
// all are listed, which takes time in proportion to the cells. Then, unless the store is busy, "free" is recorded anew. It is only
// a hint: a node in it
// may have been granted since. Each space of a namespace, such as the machines of one datacenter, has a hint of its own.
//
// So a request that is sent again may get another node than before, unless it lists. If a grant reaches no holder, its node is
// free again when the grant ends.

import { startTimer } from "../backend/call.ts";
import { contended, type SeenCell, seeCell, swapCell, timeAt } from "../backend/cells.ts";
import type { CellPort } from "../backend/ports.ts";
import { formatNode, type NamespaceCells, stateOf } from "./cellState.ts";
import {
  acquire,
  anyFreeNode,
  type ChooseNode,
  type LeaseAnswer,
  type LeaseRequest,
  type LeaseTerms,
  type NamespaceState,
  type NodeSpace,
  type NodeState,
  tickAt,
} from "./rule.ts";

/** How many nodes an acquire looks at before it lists all. */
const MAX_LOOKS = 4;

/** How many nodes are recorded under "free". */
const MAX_FREE = 256;

/** A store is busy if a read takes longer, in milliseconds. */
const BUSY_MS = 5;

/**
 * The longest pause before a read of a busy store, as a multiple of the time that the last read took. Holders that start
 * together wait in one queue of the store, so their reads take long, and each of them pauses for up to 8 times its read.
 */
const SPREAD = 8;

/** The longest pause, as a share of the time that is left, because a store that is far away seems busy. */
const MAX_SHARE = 0.1;

/** The store of an acquire. */
export interface ClaimStore {
  readonly port: CellPort;
  readonly operation: string;
  /** Returns the key of a part of the namespace. */
  readonly keyOf: (part: string | number) => string;
  readonly readAll: (operation: string) => Promise<NamespaceCells>;
  /** Whether the process may end while it waits. */
  readonly background: boolean;
  /** Returns how long the caller still waits. */
  readonly leftMs: () => number;
}

/** An answer, and the cell of the node that it grants. */
export interface Claim {
  readonly answer: LeaseAnswer;
  readonly granted?: { readonly key: string; readonly seen: SeenCell };
}

/**
 * Acquires a node. If another request is faster, it claims another node.
 *
 * @param nowMs the requester's time
 * @throws {@link BackendError} if the store fails, or if other requests were faster until the caller stopped waiting
 */
export async function claimNode(
  store: ClaimStore,
  terms: LeaseTerms,
  request: LeaseRequest,
  nowMs: number,
): Promise<Claim> {
  const { port, operation, keyOf, leftMs } = store;
  const startedAt = performance.now();
  const reader = new PacedReader(store);
  const freePart = `free-${terms.first}`;
  const swap = (part: string | number, version: string, value: string) => {
    if (leftMs() === 0) throw contended(operation);
    return swapCell(port, operation, keyOf(part), version, value);
  };
  /** Applies the rule at the time at which a cell was seen. */
  const decide = (state: NamespaceState | undefined, seen: SeenCell, choose: ChooseNode) => {
    // A long wait is added to the reading, or the rule would take the requester's clock for one that is behind.
    const waitedMs = seen.seenAt - startedAt;
    const holderMs = waitedMs > terms.maxSkewMs / 2 ? nowMs + waitedMs : nowMs;
    return acquire(state, terms, request, holderMs, { ms: timeAt(seen), historyId: "" }, choose);
  };

  let [shape, hint] = await Promise.all([reader.read("shape"), seeCell(port, operation, keyOf(freePart))]);
  if (shape.cell.value === undefined) {
    // A request that is refused records nothing.
    const [, answer] = decide(undefined, shape, anyFreeNode(Math.random));
    if (answer.outcome !== "granted") return { answer };
    // The first requests of a namespace would all record its shape at the same time.
    shape = await reader.look("shape", { isForAll: true });
    // Another request may be faster, perhaps with another shape.
    if (shape.cell.value === undefined) shape = await swap("shape", "", terms.shape);
  }
  const recorded = shape.cell.value as string;

  let free = parseFree(hint, terms);
  for (let looks = 0; ; looks++) {
    if (looks === MAX_LOOKS || free?.length === 0) {
      const all = await store.readAll(operation);
      const state = stateOf(operation, recorded, all.nodes);
      const [, answer] = decide(state, all.shape, anyFreeNode(Math.random));
      if (answer.outcome !== "granted") return { answer };
      free = freeNodes(state, terms, tickAt(terms, Math.min(nowMs, timeAt(all.shape))));
      // Of many requests that list at the same time, only one can record its nodes, so on a busy store none tries.
      if (!reader.wasBusy) hint = await swap(freePart, hint.cell.version, JSON.stringify(free));
      // If this request has a node already, it is this one.
      free.unshift(answer.node);
      looks = 0;
    }
    const node = free?.shift() ?? terms.first + Math.floor(Math.random() * terms.count);
    const seen = await reader.look(node);
    const state = stateOf(operation, recorded, new Map([[node, seen]]));
    const until = state.nodes.get(node)?.until ?? -1;
    const [next, answer] = decide(state, seen, () => ({ node, until }));
    if (answer.outcome === "taken") continue;
    if (answer.outcome !== "granted") return { answer };
    const value = formatNode(next?.nodes.get(node) as NodeState);
    const outcome = await swap(node, seen.cell.version, value);
    // A client may send a swap twice, and the second one fails. No other request writes this value, which has the nonce.
    if (outcome.isSwapped || outcome.cell.value === value) {
      return { answer, granted: { key: keyOf(node), seen: outcome } };
    }
  }
}

/** Reads cells of a namespace, with pauses if the store is busy. */
class PacedReader {
  readonly #store: ClaimStore;
  /** How long the last read took. */
  #readMs = 0;
  #wasBusy = false;

  constructor(store: ClaimStore) {
    this.#store = store;
  }

  /** Whether the store was busy during any read. */
  get wasBusy(): boolean {
    return this.#wasBusy;
  }

  /** Reads a cell. */
  async read(part: string | number): Promise<SeenCell> {
    const { port, operation, keyOf, leftMs } = this.#store;
    if (leftMs() === 0) throw contended(operation);
    const startedAt = performance.now();
    const seen = await seeCell(port, operation, keyOf(part));
    this.#readMs = seen.seenAt - startedAt;
    this.#wasBusy ||= this.#readMs > BUSY_MS;
    return seen;
  }

  /**
   * Reads the cell that the request would claim. If the store has become much busier, others are about to claim as well: it
   * reads the cell again, after a longer pause.
   *
   * @param options.isForAll whether all processes that start together would claim this cell. Then there is always a pause, and
   *   few have a short one
   */
  async look(part: string | number, { isForAll = false } = {}): Promise<SeenCell> {
    for (;;) {
      const beforeMs = this.#readMs;
      const share = isForAll ? Math.sqrt(Math.random()) : Math.random();
      const pauseMs = share * Math.min(SPREAD * beforeMs, MAX_SHARE * this.#store.leftMs());
      if (isForAll || beforeMs > BUSY_MS)
        await new Promise<void>((wake) => startTimer(wake, pauseMs, { background: this.#store.background }));
      const seen = await this.read(part);
      if (this.#readMs <= 2 * beforeMs + 1) return seen;
    }
  }
}

/**
 * Returns the nodes of the space that are recorded under "free", in a random order; `undefined` if none are recorded. A hint that
 * is not valid is ignored, and the next list replaces it.
 */
function parseFree(hint: SeenCell, { first, count }: NodeSpace): number[] | undefined {
  try {
    const nodes = JSON.parse(hint.cell.value ?? "") as unknown;
    if (!Array.isArray(nodes) || !nodes.every(Number.isSafeInteger)) return undefined;
    return shuffled(nodes.filter((node) => node >= first && node < first + count));
  } catch {
    return undefined;
  }
}

/** Returns free nodes, in a random order. */
function freeNodes({ nodes }: NamespaceState, { first, count }: NodeSpace, tick: number): number[] {
  const free: number[] = [];
  const start = Math.floor(Math.random() * count);
  for (let step = 0; step < count && free.length < MAX_FREE; step++) {
    const node = first + ((start + step) % count);
    if ((nodes.get(node)?.until ?? -1) <= tick) free.push(node);
  }
  return shuffled(free);
}

/** Shuffles an array in place, and returns it. */
function shuffled<T>(items: T[]): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const drawn = Math.floor(Math.random() * (last + 1));
    [items[last], items[drawn]] = [items[drawn] as T, items[last] as T];
  }
  return items;
}

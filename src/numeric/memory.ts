// Pools in the memory of this process.

import { callStore } from "../backend/call.ts";
import { GRACE_MS } from "../backend/expiry.ts";
import type { MemoryPort } from "../backend/ports.ts";
import type { TakenId } from "./issued.ts";
import { amountIn, idsIn, stockIn, supplyIn, sweepIn, yesNoIn } from "./parseAnswers.ts";
import type { Entry, PoolPort, Stock, Supply } from "./port.ts";
import { RANKS } from "./random.ts";

/** All of a type's IDs. Changed in place: copied at each step it would be slow, and no one else sees it. */
interface Shelf {
  /** In no order; what is issued is replaced by the last. */
  readonly available: string[];
  /** Each ID: where it is among the available, or -1 once it is taken. */
  readonly places: Map<string, number>;
  readonly requests: Map<string, string>;
  sweep: string;
  filler: string | undefined;
  filling: number;
}

function emptyShelf(): Shelf {
  return {
    available: [],
    places: new Map(),
    requests: new Map(),
    sweep: "",
    filler: undefined,
    filling: 0,
  };
}

/** Takes the ID at a place of the available. */
function pull({ available, places }: Shelf, at: number): string {
  const id = available[at] as string;
  const last = available.pop() as string;
  if (last !== id) {
    available[at] = last;
    places.set(last, at);
  }
  places.set(id, -1);
  return id;
}

/** The history of a memory, which forgets all or nothing. */
const ALWAYS = { recorded: "", current: "" };

function issue(shelf: Shelf, count: number, from: number): readonly string[] | Supply {
  const { length } = shelf.available;
  if (length < count) return { available: length, sweep: shelf.sweep };
  const at = Math.floor((from / RANKS) * length);
  return Array.from({ length: count }, () => pull(shelf, at % shelf.available.length));
}

function issueFor(shelf: Shelf, request: string, from: number): readonly string[] | Supply {
  const known = shelf.requests.get(request);
  if (known !== undefined) return [known];
  const taken = issue(shelf, 1, from);
  if ("available" in taken) return taken;
  shelf.requests.set(request, taken[0] as string);
  return taken;
}

function add({ available, places }: Shelf, entries: readonly Entry[]): number {
  const before = places.size;
  for (const [id] of entries) {
    if (!places.has(id)) places.set(id, available.push(id) - 1);
  }
  return places.size - before;
}

function take(shelf: Shelf, ids: readonly TakenId[]): number {
  let count = 0;
  for (const [id, request] of ids) {
    const at = shelf.places.get(id);
    if (at === -1) continue;
    if (at === undefined) shelf.places.set(id, -1);
    else pull(shelf, at);
    if (request !== null && !shelf.requests.has(request)) shelf.requests.set(request, id);
    count++;
  }
  return count;
}

/** Whether a process is the one that refills. A claim that ends beyond all reach is of a clock that was set back. */
function isClaimed({ filler, filling }: Shelf, claimMs: number, nowMs: number): boolean {
  return filler !== undefined && filling > nowMs && filling <= nowMs + claimMs + GRACE_MS;
}

/** Reads what an issue answers; the port may be one that the user wrote, and then it can be anything. */
const issued = (count: number) => (answer: unknown) =>
  Array.isArray(answer) ? idsIn(answer, count) : supplyIn(answer as Supply);

export function memoryStore(port: MemoryPort, type: string): PoolPort {
  const apply = <T>(
    operation: string,
    change: (shelf: Shelf, nowMs: number) => unknown,
    read: (answer: unknown) => T,
  ): Promise<T> =>
    callStore(
      port,
      `pool: ${operation}`,
      async () =>
        port.change<Shelf, unknown>(`pool:${type}`, (shelf = emptyShelf(), nowMs) => [
          shelf,
          change(shelf, nowMs),
        ]),
      read,
    );
  return {
    begin: async () => ALWAYS,
    accept: async () => true,
    mergeCounts: async () => {},
    issue: (count, from) => apply("issue", (shelf) => issue(shelf, count, from), issued(count)),
    issueFor: async (request, from, _history, onReplay) => {
      let isReplay = false;
      const ids = await apply(
        "issue",
        (shelf) => {
          isReplay = shelf.requests.has(request);
          return issueFor(shelf, request, from);
        },
        issued(1),
      );
      if (isReplay) onReplay();
      return ids;
    },
    count: (most) =>
      apply(
        "count",
        ({ available, sweep }) => ({ available: Math.min(available.length, most), sweep }),
        (answer) => supplyIn(answer as Supply),
      ),
    stock: (most, claimMs) =>
      apply(
        "status",
        (shelf, nowMs) => ({
          available: Math.min(shelf.available.length, most),
          taken: shelf.places.size - shelf.available.length,
          sweep: shelf.sweep,
          isFilling: isClaimed(shelf, claimMs, nowMs),
        }),
        (answer) => stockIn({ ...(answer as Stock), ...ALWAYS }),
      ),
    add: (entries) =>
      apply(
        "add",
        (shelf) => add(shelf, entries),
        (answer) => amountIn(answer, entries.length),
      ),
    take: (ids) =>
      apply(
        "import",
        (shelf) => take(shelf, ids),
        (answer) => amountIn(answer, ids.length),
      ),
    claim: (filler, ms) =>
      apply(
        "claim",
        (shelf, nowMs) => {
          if (shelf.filler !== filler && isClaimed(shelf, ms, nowMs)) return null;
          shelf.filler = filler;
          shelf.filling = nowMs + ms;
          return shelf.sweep;
        },
        (answer) => (answer === null ? null : sweepIn(answer)),
      ),
    leave: (filler) => {
      const leave = (shelf: Shelf) => {
        if (shelf.filler === filler) shelf.filler = undefined;
        return true;
      };
      return apply("leave", leave, () => true);
    },
    advance: (from, to) =>
      apply(
        "advance",
        (shelf) => {
          if (shelf.sweep !== from) return false;
          shelf.sweep = to;
          return true;
        },
        yesNoIn,
      ),
  };
}

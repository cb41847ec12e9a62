// PoolPort on the memory of this process.

import { callMemory } from "../backend/call.ts";
import { GRACE_MS } from "../backend/expiry.ts";
import type { MemoryPort } from "../backend/ports.ts";
import {
  parseAvailability,
  parseBoolean,
  parseCount,
  parseIds,
  parsePoolCounts,
  parseScanText,
  parseTaken,
} from "./parseAnswers.ts";
import type { Availability, PoolCounts, PoolPort, RankedId } from "./port.ts";
import { RANK_LIMIT } from "./random.ts";
import type { TakenId } from "./recentlyIssued.ts";

/** All IDs of a type. Changed in place, because a copy at each step would be slow and nothing else holds it. */
interface PoolState {
  /** Available IDs, in no order: an issued one is replaced by the last. */
  readonly available: string[];
  /** For each ID its index among the available, or -1 once it is taken. */
  readonly places: Map<string, number>;
  readonly requests: Map<string, string>;
  scan: string;
  refiller: string | undefined;
  claimUntilMs: number;
}

function createPoolState(): PoolState {
  return {
    available: [],
    places: new Map(),
    requests: new Map(),
    scan: "",
    refiller: undefined,
    claimUntilMs: 0,
  };
}

/** Takes the available ID at an index. */
function takeAt({ available, places }: PoolState, at: number): string {
  const id = available[at] as string;
  const last = available.pop() as string;
  if (last !== id) {
    available[at] = last;
    places.set(last, at);
  }
  places.set(id, -1);
  return id;
}

/** The history of a memory, which never changes: it forgets everything or nothing. */
const NO_HISTORY = { recorded: "", current: "" };

function issue(state: PoolState, count: number, fromRank: number): readonly string[] | Availability {
  const { length } = state.available;
  if (length < count) return { available: length, scan: state.scan };
  const at = Math.floor((fromRank / RANK_LIMIT) * length);
  return Array.from({ length: count }, () => takeAt(state, at % state.available.length));
}

function issueForRequest(
  state: PoolState,
  requestKey: string,
  fromRank: number,
): readonly string[] | Availability {
  const known = state.requests.get(requestKey);
  if (known !== undefined) return [known];
  const outcome = issue(state, 1, fromRank);
  if ("available" in outcome) return outcome;
  state.requests.set(requestKey, outcome[0] as string);
  return outcome;
}

function add({ available, places }: PoolState, ids: readonly RankedId[]): number {
  const before = places.size;
  for (const [id] of ids) {
    if (!places.has(id)) places.set(id, available.push(id) - 1);
  }
  return places.size - before;
}

function markTaken(state: PoolState, ids: readonly TakenId[]): number {
  let count = 0;
  for (const [id, requestKey] of ids) {
    const at = state.places.get(id);
    if (at === -1) continue;
    if (at === undefined) state.places.set(id, -1);
    else takeAt(state, at);
    if (requestKey !== null && !state.requests.has(requestKey)) state.requests.set(requestKey, id);
    count++;
  }
  return count;
}

function takenBetween({ places }: PoolState, from: string, to: string, max: number): readonly string[] {
  if (from === to) return places.get(from) === -1 ? [from] : [];
  const taken = [...places].filter(([id, at]) => at === -1 && id >= from && id <= to);
  return taken
    .map(([id]) => id)
    .sort()
    .slice(0, max);
}

/** Returns whether a process has claimed the refill. A claim that ends too late was made before a clock was set back. */
function isClaimed({ refiller, claimUntilMs }: PoolState, claimMs: number, nowMs: number): boolean {
  return refiller !== undefined && claimUntilMs > nowMs && claimUntilMs <= nowMs + claimMs + GRACE_MS;
}

/** Returns a parser of what an issue answers, which can be anything if the user wrote the backend. */
const parseIssued = (count: number) => (answer: unknown) =>
  Array.isArray(answer) ? parseIds(answer, count) : parseAvailability(answer as Availability);

export function memoryPoolPort(backend: MemoryPort, type: string): PoolPort {
  const apply = <T>(
    operation: string,
    change: (state: PoolState, nowMs: number) => unknown,
    parse: (answer: unknown) => T,
  ): Promise<T> =>
    callMemory(
      backend,
      `pool: ${operation}`,
      () =>
        backend.change<PoolState, unknown>(`pool:${type}`, (state = createPoolState(), nowMs) => [
          state,
          change(state, nowMs),
        ]),
      parse,
    );
  return {
    readOrRecordHistory: async () => NO_HISTORY,
    acceptHistory: async () => true,
    mergeCounts: async () => {},
    issue: (count, fromRank) => apply("issue", (state) => issue(state, count, fromRank), parseIssued(count)),
    issueForRequest: async (requestKey, fromRank, _history, onReplay) => {
      let isReplay = false;
      const outcome = await apply(
        "issue",
        (state) => {
          isReplay = state.requests.has(requestKey);
          return issueForRequest(state, requestKey, fromRank);
        },
        parseIssued(1),
      );
      if (isReplay) onReplay();
      return outcome;
    },
    count: (max) =>
      apply(
        "count",
        ({ available, scan }) => ({ available: Math.min(available.length, max), scan }),
        (answer) => parseAvailability(answer as Availability),
      ),
    status: (max, claimMs) =>
      apply(
        "status",
        (state, nowMs) => ({
          available: Math.min(state.available.length, max),
          taken: state.places.size - state.available.length,
          scan: state.scan,
          isFilling: isClaimed(state, claimMs, nowMs),
        }),
        (answer) => parsePoolCounts({ ...(answer as PoolCounts), ...NO_HISTORY }),
      ),
    add: (ids) =>
      apply(
        "add",
        (state) => add(state, ids),
        (answer) => parseCount(answer, ids.length),
      ),
    markTaken: (ids) =>
      apply(
        "import",
        (state) => markTaken(state, ids),
        (answer) => parseCount(answer, ids.length),
      ),
    takenBetween: (from, to, max) =>
      apply(
        "read taken IDs",
        (state) => takenBetween(state, from, to, max),
        (answer) => parseTaken(answer, max),
      ),
    claimRefill: (refiller, ms) =>
      apply(
        "claim",
        (state, nowMs) => {
          if (state.refiller !== refiller && isClaimed(state, ms, nowMs)) return null;
          state.refiller = refiller;
          state.claimUntilMs = nowMs + ms;
          return state.scan;
        },
        (answer) => (answer === null ? null : parseScanText(answer)),
      ),
    releaseRefill: (refiller) => {
      const release = (state: PoolState) => {
        if (state.refiller === refiller) state.refiller = undefined;
        return true;
      };
      return apply("release refill", release, () => true);
    },
    advanceScan: (from, to) =>
      apply(
        "advance scan",
        (state) => {
          if (state.scan !== from) return false;
          state.scan = to;
          return true;
        },
        parseBoolean,
      ),
  };
}

// Leases in a memory: of this process, or the files of the command line. Runs the rule itself.

import { type AnswerOptions, callMemory } from "../backend/call.ts";
import type { MemoryPort } from "../backend/ports.ts";
import { type NodeRange, parseGrant } from "./parseAnswer.ts";
import { acquireCallOptions, type LeasePort, type NamespaceSnapshot } from "./port.ts";
import { acquire, type LeaseAnswer, type NamespaceState, release, renew, type StoreFacts } from "./rule.ts";

/**
 * State of a namespace as the memory keeps it. The command line writes it to files, so its names stay: `history` is
 * `historyId` of the rule, and `longestReach` is `longestReachTicks`.
 */
interface StoredState extends Omit<NamespaceState, "historyId" | "longestReachTicks"> {
  readonly history: string;
  readonly longestReach: number;
}

type Change<State, T> = (state: State | undefined, storeMs: number) => readonly [State | undefined, T];

/**
 * Returns a change of the stored state. If the rule returns the state that it was given, so does this, and no file is written.
 * An acquire that is refused as taken or fenced returns a copy, which is written.
 */
function stored<T>(change: Change<NamespaceState, T>): Change<StoredState, T> {
  return (before, storeMs) => {
    const state = before && fromStored(before);
    const [next, result] = change(state, storeMs);
    return [next === state ? before : next && toStored(next), result];
  };
}

function fromStored({ history, longestReach, ...state }: StoredState): NamespaceState {
  return { ...state, historyId: history, longestReachTicks: longestReach };
}

function toStored({ historyId, longestReachTicks, ...state }: NamespaceState): StoredState {
  return { ...state, history: historyId, longestReach: longestReachTicks };
}

/** Returns a function that checks an answer, because a backend that a user wrote may return anything. */
function parseAnswer(nodes: NodeRange): (answer: LeaseAnswer) => LeaseAnswer {
  return (answer) =>
    answer.outcome === "granted"
      ? parseGrant(nodes, [answer.node, answer.from, answer.until, answer.storeMs])
      : answer;
}

/**
 * Returns the facts about a memory. It reports no history: a memory is lost together with its holders. That the files of the
 * command line were deleted while holders live is not detected.
 */
function factsAt(ms: number): StoreFacts {
  return { ms, historyId: "" };
}

export function memoryLeasePort(backend: MemoryPort, name: string): LeasePort {
  const call = <T>(
    operation: string,
    change: Change<NamespaceState, T>,
    parse: (result: T) => T = (result) => result,
    options?: AnswerOptions<T>,
  ) => {
    const send = () => backend.change<StoredState | undefined, T>(`lease:${name}`, stored(change));
    return callMemory(backend, `lease: ${operation}`, send, (result) => parse(result as T), options);
  };
  return {
    acquire: (terms, request, nowMs, options) =>
      call(
        "acquire",
        (state, storeMs) => acquire(state, terms, request, nowMs, factsAt(storeMs)),
        parseAnswer(terms),
        acquireCallOptions(options),
      ),
    renew: (terms, proof, nowMs, options) =>
      call(
        "renew",
        (state, storeMs) => renew(state, terms, proof, nowMs, factsAt(storeMs)),
        parseAnswer({ first: proof.node, count: 1 }),
        options,
      ),
    release: async (_space, proof, nextTick) => {
      await call("release", (state) => [state && release(state, proof, nextTick), true]);
    },
    read: () => call<NamespaceSnapshot>("read", (state, storeMs) => [state, { state, storeMs }]),
  };
}

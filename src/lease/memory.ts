// Leases in the memory of this process: runs the protocol itself.

import { type AnswerOptions, callStore } from "../backend/call.ts";
import type { MemoryPort } from "../backend/ports.ts";
import { type NodeRange, parseGrant } from "./parseAnswer.ts";
import type { LeasePort, NamespaceReading } from "./port.ts";
import { acquire, type LeaseAnswer, type NamespaceState, release, renew } from "./rule.ts";

type Change<T> = (
  state: NamespaceState | undefined,
  storeMs: number,
) => readonly [NamespaceState | undefined, T];

/** Returns a function that checks an answer, because a port that a user wrote may return anything. */
function readAnswer(nodes: NodeRange): (answer: LeaseAnswer) => LeaseAnswer {
  return (answer) =>
    answer.outcome === "granted"
      ? parseGrant(nodes, [answer.node, answer.from, answer.until, answer.storeMs])
      : answer;
}

/** Returns the reading of a memory. It reports no history, because if this memory is lost, so are its holders. */
function readingAt(ms: number) {
  return { ms, history: "" };
}

export function memoryLeasePort(port: MemoryPort, name: string): LeasePort {
  const call = <T>(
    operation: string,
    change: Change<T>,
    read: (result: T) => T = (result) => result,
    options?: AnswerOptions<T>,
  ) => {
    const send = async () => port.change<NamespaceState | undefined, T>(`lease:${name}`, change);
    return callStore(port, `lease: ${operation}`, send, (result) => read(result as T), options);
  };
  return {
    acquire: (space, request, nowMs, options) =>
      call(
        "acquire",
        (state, storeMs) => acquire(state, space, request, nowMs, readingAt(storeMs)),
        readAnswer(space),
        options,
      ),
    renew: (space, claim, nowMs, options) =>
      call(
        "renew",
        (state, storeMs) => renew(state, space, claim, nowMs, readingAt(storeMs)),
        readAnswer({ first: claim.node, count: 1 }),
        options,
      ),
    release: async (_space, claim, firstUnstamped) => {
      await call("release", (state) => [state && release(state, claim, firstUnstamped), true]);
    },
    read: () => call<NamespaceReading>("read", (state, storeMs) => [state, { state, storeMs }]),
  };
}

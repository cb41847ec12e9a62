// Leases in the memory of this process: the protocol as it is.

import { type CallOptions, callStore } from "../backend/call.ts";
import type { MemoryPort } from "../backend/ports.ts";
import { parseGrant } from "./parseAnswer.ts";
import type { LeasePort } from "./port.ts";
import { acquire, type NamespaceState, type LeaseAnswer, type NodeSpace, release, renew } from "./rule.ts";

/** Reads what a step answers; the port may be one that the user wrote, and then it can be anything. */
const reading =
  (nodes: Pick<NodeSpace, "first" | "count">) =>
  (answer: LeaseAnswer): LeaseAnswer =>
    answer.outcome === "granted"
      ? parseGrant(nodes, [answer.node, answer.from, answer.until, answer.storeMs])
      : answer;

export function memoryStore(port: MemoryPort, namespace: string): LeasePort {
  const name = `lease:${namespace}`;
  type Change<T> = (book: NamespaceState | undefined, storeMs: number) => readonly [NamespaceState | undefined, T];
  const apply = <T>(
    operation: string,
    change: Change<T>,
    read: (result: T) => T = (result) => result,
    asking?: CallOptions,
  ) => {
    const call = async () => port.change<NamespaceState | undefined, T>(name, change);
    return callStore(port, operation, call, (result) => read(result as T), asking);
  };
  /** It tells no history: when it is gone, so are its holders. */
  const at = (ms: number) => ({ ms, history: "" });
  return {
    acquire: (space, request, nowMs, asking) =>
      apply(
        "lease: acquire",
        (book, storeMs) => acquire(book, space, request, nowMs, at(storeMs)),
        reading(space),
        asking,
      ),
    renew: (space, claim, nowMs, asking) =>
      apply(
        "lease: renew",
        (book, storeMs) => renew(book, space, claim, nowMs, at(storeMs)),
        reading({ first: claim.node, count: 1 }),
        asking,
      ),
    release: async (_space, claim, unused) => {
      await apply("lease: release", (book) => [book && release(book, claim, unused), true]);
    },
    read: () => apply("lease: read", (book, storeMs) => [book, { book, storeMs }]),
  };
}

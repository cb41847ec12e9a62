// Replays traces of the spec through src/lease/rule.ts: after each step of the store, state and answer must be the same.

import { isDeepStrictEqual } from "node:util";
import {
  acquire,
  type LeaseAnswer,
  type LeaseTerms,
  type NamespaceState,
  type NodeState,
  release,
  renew,
} from "../../src/lease/rule.ts";
import type { LeaseRule } from "../lease/model/store.ts";
import { field, type Value, variantOf } from "./itf.ts";

/** The constants of a module of the spec. */
export type Constants = Readonly<Record<string, number | boolean>>;

/** Returns the constants of all modules that give some to the protocol. */
export function constantsOf(spec: string): Map<string, Constants> {
  const modules = new Map<string, Constants>();
  for (const [, name, list] of spec.matchAll(/^module (\w+) \{\s*import lease\(([^)]*)\)/gm)) {
    const entries = (list as string).split(",").map((entry) => entry.split("=").map((text) => text.trim()));
    const parseConstant = (text: string | undefined) =>
      text === "true" || (text === "false" ? false : Number(text));
    modules.set(name as string, Object.fromEntries(entries.map(([key, text]) => [key, parseConstant(text)])));
  }
  return modules;
}

/** Returns the terms of the spec as those of the rule: a tick is 1 ms. */
export function termsOf(constants: Constants): LeaseTerms {
  const { NODES, TTL, MAX_SKEW, TELLS } = constants;
  const maxSkew = Number(MAX_SKEW);
  return {
    ...{ shape: "any", first: 0, count: Number(NODES), epochMs: 0, tickMs: 1, ttlTicks: Number(TTL) },
    ...{ maxSkewMs: maxSkew, maxSkewTicks: maxSkew, maxReachTicks: Number(TTL) + 2 * maxSkew },
    usesFence: TELLS === true,
  };
}

const nameOf = (letter: string, value: Value | undefined) => (value === -1 ? "" : `${letter}${value}`);

function proofOf(value: Value | undefined) {
  return {
    owner: nameOf("p", field(value, "owner")),
    nonce: nameOf("n", field(value, "nonce")),
    node: field(value, "node") as number,
    generation: field(value, "generation") as number,
    grantNonce: nameOf("n", field(value, "grantNonce")),
  };
}

/** Returns a state of the spec as one of the rule. */
export function stateOf(value: Value | undefined): NamespaceState | undefined {
  if (field(value, "exists") !== true) return undefined;
  const nodes = new Map<number, NodeState>();
  for (const [node, kept] of field(value, "nodes") as ReadonlyMap<number, Value>) {
    const [from, until] = [field(kept, "from") as number, field(kept, "until") as number];
    // Never granted.
    if (until === -1) continue;
    nodes.set(node, {
      owner: nameOf("p", field(kept, "owner")) || null,
      from,
      until,
      generation: field(kept, "generation") as number,
      nonce: nameOf("n", field(kept, "nonce")),
    });
  }
  return {
    shape: "any",
    nodes,
    historyId: nameOf("h", field(value, "historyId")),
    fence: field(value, "fence") as number,
    staleUntil: field(value, "staleUntil") as number,
    longestReachTicks: field(value, "longestReachTicks") as number,
  };
}

function answerOf(value: Value | undefined, storeMs: number): LeaseAnswer {
  const [tag, content] = variantOf(value);
  if (tag === "Granted") {
    const [node, from, until] = ["node", "from", "until"].map((name) => field(content, name) as number);
    return { outcome: "granted", node, from, until, storeMs } as LeaseAnswer;
  }
  if (tag === "Taken") return { outcome: "taken", soonest: content as number, storeMs };
  if (tag === "Fenced") return { outcome: "fenced", until: content as number, storeMs };
  return { outcome: tag === "Lost" ? "lost" : "skew", storeMs };
}

/** A state with its nodes in order, because the rule keeps them in the order of their first grants. */
const sorted = (state: NamespaceState | undefined) =>
  state && { ...state, nodes: [...state.nodes].sort(([a], [b]) => a - b) };

export interface Replay {
  /** The number of the store's steps. */
  readonly steps: number;
  /** A description of the first step in which the rule differs from the spec. */
  readonly difference: string | undefined;
}

/** Replays a trace: the variables of each state, by name. */
export function replay(
  trace: readonly ReadonlyMap<string, Value>[],
  terms: LeaseTerms,
  rule: LeaseRule = { acquire, renew, release },
): Replay {
  let steps = 0;
  for (const [index, variables] of trace.entries()) {
    const [event, content] = variantOf(variables.get("event"));
    const [beforeValue, stateValue] = [variables.get("before"), variables.get("state")];
    const differs = (subject: string, ours: unknown, theirs: unknown) => ({
      steps,
      difference: `state ${index}, ${event}: ${subject}: the rule has ${JSON.stringify(ours)}, the spec ${JSON.stringify(theirs)}`,
    });
    if (event === "Nothing") continue;
    const previous = trace[index - 1]?.get("state");
    if (!isDeepStrictEqual(beforeValue, previous))
      return differs("the state before", sorted(stateOf(previous)), sorted(stateOf(beforeValue)));
    steps++;
    const before = stateOf(beforeValue);
    let state: NamespaceState | undefined;
    if (event === "Released") {
      const nextTick = field(content, "nextTick") as number;
      state = before && rule.release(before, proofOf(field(content, "proof")), nextTick);
    } else {
      const store = field(content, "store");
      const ms = field(store, "now") as number;
      const facts = { ms, historyId: nameOf("h", field(store, "historyId")) };
      const now = field(content, "now") as number;
      const chosen = field(content, "chosen") as number;
      const request = field(content, "request");
      const [next, answer] =
        event === "Acquired"
          ? rule.acquire(
              before,
              terms,
              { owner: nameOf("p", field(request, "owner")), nonce: nameOf("n", field(request, "nonce")) },
              now,
              facts,
              (nodes) => ({ node: chosen, until: nodes.get(chosen)?.until ?? -1 }),
            )
          : rule.renew(before, terms, proofOf(field(content, "proof")), now, facts);
      const wanted = answerOf(field(content, "answer"), ms);
      if (!isDeepStrictEqual(answer, wanted)) return differs("the answer", answer, wanted);
      state = next;
    }
    const [ours, theirs] = [sorted(state), sorted(stateOf(stateValue))];
    if (!isDeepStrictEqual(ours, theirs)) return differs("the state", ours, theirs);
  }
  return { steps, difference: undefined };
}

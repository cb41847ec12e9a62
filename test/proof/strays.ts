// Finds strays: answers of a store that the rule cannot have given.
//
// A trace has the calls of many holders, which overlap. A store does each call at one moment between its beginning and its
// end. So a trace is without strays if the calls have an order in which no call comes before one that had ended when it began,
// and in which the rule gives each recorded answer. The search for that order tries the calls by the store's time first.

import {
  acquire,
  type ChooseNode,
  type GrantProof,
  type LeaseAnswer,
  type LeaseRequest,
  type LeaseTerms,
  longestFreeNode,
  type NamespaceState,
  release,
  renew,
} from "../../src/lease/rule.ts";

/** A call to a store, and its answer. */
export type RecordedCall = {
  /** Positions in the order of all beginnings and ends of the trace. */
  readonly began: number;
  readonly ended: number;
} & (
  | {
      readonly kind: "acquire";
      readonly request: LeaseRequest;
      readonly nowMs: number;
      readonly answer: LeaseAnswer;
    }
  | {
      readonly kind: "renew";
      readonly proof: GrantProof;
      readonly nowMs: number;
      readonly answer: LeaseAnswer;
    }
  /** A release has no answer. */
  | { readonly kind: "release"; readonly proof: GrantProof; readonly nextTick: number }
  /** The store's state names another history, as after a failover. No other call was under way. */
  | { readonly kind: "history"; readonly historyId: string }
);

export interface Trace {
  readonly terms: LeaseTerms;
  /** The state before the first call. */
  readonly state: NamespaceState | undefined;
  /** The history ID that the store reports. */
  readonly historyId: string;
  /**
   * The refusals that are decided at several moments, so that there may be no single one at which the rule gives them. They change
   * no node, and are not compared.
   */
  readonly notCompared: readonly LeaseAnswer["outcome"][];
  readonly calls: readonly RecordedCall[];
}

export interface Search {
  /** The first call without an order, and its answer. */
  readonly stray: string | undefined;
  /** How many repeated requests got another grant than before, or none, which the rule would not do. */
  readonly moved: number;
}

type Outcome = readonly [state: NamespaceState | undefined, moved: boolean];

/** Whether two answers are the same. */
function isSame(one: LeaseAnswer, other: LeaseAnswer): boolean {
  return JSON.stringify(one, Object.keys(one).sort()) === JSON.stringify(other, Object.keys(other).sort());
}

/** Returns the state in which the request has no node, except one. */
function withoutOwn(state: NamespaceState, { owner, nonce }: LeaseRequest, except: number): NamespaceState {
  const nodes = [...state.nodes].map(
    ([node, kept]) =>
      [
        node,
        node !== except && kept.owner === owner && kept.nonce === nonce ? { ...kept, owner: "hidden" } : kept,
      ] as const,
  );
  return { ...state, nodes: new Map(nodes) };
}

/** Returns the states after an acquire with which the rule can have given its answer, the likeliest one first. */
function afterAcquire(
  state: NamespaceState | undefined,
  trace: Trace,
  call: Extract<RecordedCall, { kind: "acquire" }>,
): Outcome[] {
  const { request, nowMs, answer } = call;
  const { terms, notCompared } = trace;
  const ms = answer.outcome === "shape" ? 0 : answer.storeMs;
  if (notCompared.includes(answer.outcome)) return [[state, false]];
  const granted = answer.outcome === "granted" ? answer.node : undefined;
  // A store may choose any free node.
  const choose: ChooseNode = (nodes, space, tick) =>
    granted === undefined
      ? longestFreeNode(nodes, space, tick)
      : { node: granted, until: nodes.get(granted)?.until ?? -1 };
  // A repeated request may get another grant than before, or none: docs/proof.md says where.
  const hidden = [granted ?? -1, -1].map((except) => state && withoutOwn(state, request, except));
  return [state, ...hidden].flatMap((seen): Outcome[] => {
    const [next, ours] = acquire(seen, terms, request, nowMs, { ms, historyId: trace.historyId }, choose);
    if (!isSame(ours, answer)) return [];
    if (seen === state) return [[next, false]];
    const nodes = new Map(state?.nodes);
    const kept = granted === undefined ? undefined : next?.nodes.get(granted);
    if (granted !== undefined && kept) nodes.set(granted, kept);
    return [[next && { ...next, nodes }, true]];
  });
}

/** Returns the states after a call with which the rule can have given its answer, the likeliest one first. */
function after(state: NamespaceState | undefined, trace: Trace, call: RecordedCall): Outcome[] {
  if (call.kind === "acquire") return afterAcquire(state, trace, call);
  if (call.kind === "history") return [[state && { ...state, historyId: call.historyId }, false]];
  if (call.kind === "release") return [[state && release(state, call.proof, call.nextTick), false]];
  const { answer, proof, nowMs } = call;
  if (trace.notCompared.includes(answer.outcome)) return [[state, false]];
  const ms = answer.outcome === "shape" ? 0 : answer.storeMs;
  const [next, ours] = renew(state, trace.terms, proof, nowMs, { ms, historyId: trace.historyId });
  return isSame(ours, answer) ? [[next, false]] : [];
}

/** The store's time of a call; those without one come first. */
function timeOf(call: RecordedCall): number {
  return "answer" in call && "storeMs" in call.answer ? call.answer.storeMs : 0;
}

interface Frame {
  readonly state: NamespaceState | undefined;
  /** All calls before `next` in the order of their beginnings are done, and so are those in `early`. */
  readonly next: number;
  readonly early: readonly number[];
  readonly moved: number;
  /** The calls that may come now, the likeliest one at the end. */
  readonly candidates: number[];
}

/** Searches an order of the calls in which the rule gives each answer. */
export function findStray(trace: Trace): Search {
  const calls = trace.calls.toSorted((a, b) => a.began - b.began);
  const frame = (
    state: NamespaceState | undefined,
    first: number,
    done: readonly number[],
    moved: number,
  ) => {
    let next = first;
    while (done.includes(next)) next++;
    const early = done.filter((index) => index > next);
    const candidates: number[] = [];
    let earliestEnd = Number.POSITIVE_INFINITY;
    for (let index = next; index < calls.length; index++) {
      const call = calls[index] as RecordedCall;
      if (call.began > earliestEnd) break;
      if (early.includes(index)) continue;
      earliestEnd = Math.min(earliestEnd, call.ended);
      candidates.push(index);
    }
    const possible = candidates.filter((index) => (calls[index] as RecordedCall).began < earliestEnd);
    possible.sort((a, b) => timeOf(calls[b] as RecordedCall) - timeOf(calls[a] as RecordedCall));
    return { state, next, early, moved, candidates: possible };
  };
  const keyOf = ({ next, early, state }: Frame) =>
    `${next} ${early} ${JSON.stringify(state && { ...state, nodes: [...state.nodes] })}`;
  const failed = new Set<string>();
  const path: Frame[] = [frame(trace.state, 0, [], 0)];
  let farthest = 0;
  let last = "";
  for (let top = path.at(-1); top; top = path.at(-1)) {
    if (top.next >= calls.length) return { stray: undefined, moved: top.moved };
    const index = top.candidates.pop();
    if (index === undefined) {
      failed.add(keyOf(top));
      path.pop();
      continue;
    }
    const call = calls[index] as RecordedCall;
    const outcomes = after(top.state, trace, call);
    if (outcomes.length === 0) {
      const done = top.next + top.early.length;
      if (done >= farthest) {
        farthest = done;
        last = `call ${index}: ${JSON.stringify(call)}`;
      }
      continue;
    }
    // The last one of the path is tried first.
    for (const [state, isMoved] of outcomes.reverse()) {
      const following = frame(state, top.next, [...top.early, index], top.moved + Number(isMoved));
      if (failed.size === 0 || !failed.has(keyOf(following))) path.push(following);
    }
  }
  return { stray: last, moved: 0 };
}

import { describe, expect, test } from "vitest";
import {
  acquire,
  anyFreeNode,
  type GrantProof,
  type LeaseAnswer,
  type LeaseTerms,
  type NamespaceState,
  type NodeState,
  release,
  renew,
  tickAt,
} from "../../src/lease/rule.ts";

const terms: LeaseTerms = {
  shape: "this",
  first: 0,
  count: 3,
  epochMs: 0,
  tickMs: 1,
  ttlTicks: 10,
  maxSkewMs: 5,
  maxSkewTicks: 5,
  maxReachTicks: 20,
  usesFence: true,
};

/** A node's owner, ticks, generation and nonce. */
type Held = [owner: string | null, from: number, until: number, generation?: number, nonce?: string];
type Nodes = { readonly [node: number]: Held };

/** The state of a namespace without its nodes. */
type StateFields = Partial<Omit<NamespaceState, "nodes">>;

const stateOf = (nodes: Nodes, fields: StateFields = {}): NamespaceState => ({
  shape: terms.shape,
  historyId: "",
  fence: 0,
  staleUntil: 0,
  longestReachTicks: 20,
  ...fields,
  nodes: new Map(
    Object.entries(nodes).map(
      ([node, [owner, from, until, generation = 0, nonce = ""]]): [number, NodeState] => [
        Number(node),
        { owner, from, until, generation, nonce },
      ],
    ),
  ),
});

/** A released node. */
const free: NodeState = { owner: null, from: 0, until: 0, generation: 0, nonce: "" };

/** The request of "a" for a node. */
const request = { owner: "a", nonce: "requested" };

/** The facts about a store that reports no history. */
const at = (ms: number) => ({ ms, historyId: "" });

/** The renewal of "a", whose grant was renewed twice, the second time with the nonce "held". */
const proof: GrantProof = { owner: "a", node: 0, generation: 2, grantNonce: "held", nonce: "next" };

/** All nodes are held by others, until 20, 30 and 40. */
const full: Nodes = { 0: ["b", 5, 20], 1: ["c", 5, 30], 2: ["d", 5, 40] };

type Row = {
  title: string;
  terms?: Partial<LeaseTerms>;
  /** The state before the step; without it, the store is empty. */
  nodes?: Nodes;
  fields?: StateFields;
  now: number;
  /** The store's time; without it, the holder's. */
  store?: number;
  /** The granted node and its ticks, or another answer. */
  to: [node: number, from: number, until: number] | Partial<LeaseAnswer>;
};

/** Checks the answer, and that the state has the grant or is unchanged. */
function expectStep(
  state: NamespaceState | undefined,
  [after, answer]: ReturnType<typeof acquire>,
  { nodes, fields, now, store = now, to }: Row,
  written: { readonly generation: number; readonly nonce: string },
) {
  if (Array.isArray(to)) {
    const [node, from, until] = to;
    const { generation, nonce } = written;
    expect(answer).toEqual({ outcome: "granted", node, from, until, storeMs: store });
    expect(after).toEqual(stateOf({ ...nodes, [node]: ["a", from, until, generation, nonce] }, fields));
  } else {
    expect(answer).toEqual(to.outcome === "shape" ? to : { ...to, storeMs: store });
    expect(after).toEqual(state);
  }
}

const acquires: Row[] = [
  // Which node
  { title: "grants the first node of an empty namespace", now: 7, to: [0, 7, 17] },
  {
    title: "grants the next node that was never granted",
    nodes: { 0: ["b", 0, 20] },
    now: 7,
    to: [1, 7, 17],
  },
  {
    title: "grants a node that was never granted before a released one",
    nodes: { 0: [null, 0, 2] },
    now: 7,
    to: [1, 7, 17],
  },
  {
    title: "grants the node that has been free for longest",
    nodes: { 0: ["b", 0, 9], 1: [null, 0, 8], 2: [null, 0, 20] },
    now: 9,
    to: [1, 9, 19],
  },
  {
    title: "grants the first of the nodes that have been free for as long",
    nodes: { 2: [null, 0, 8], 1: [null, 0, 8], 0: [null, 0, 9] },
    now: 9,
    to: [1, 9, 19],
  },
  {
    title: "grants a node whose grant ended without a release",
    nodes: { ...full, 1: ["c", 0, 10] },
    now: 25,
    to: [1, 25, 35],
  },

  // When a node is free
  {
    title: "refuses with the earliest end when no node is free",
    nodes: full,
    now: 15,
    to: { outcome: "taken", soonest: 20 },
  },
  {
    title: "refuses one tick before the end of a grant",
    nodes: full,
    now: 19,
    to: { outcome: "taken", soonest: 20 },
  },
  { title: "begins a grant at the tick at which the one before ends", nodes: full, now: 20, to: [0, 20, 30] },
  {
    title: "refuses a node whose grant has ended only by the store's clock",
    nodes: full,
    now: 19,
    store: 20,
    to: { outcome: "taken", soonest: 20 },
  },
  {
    title: "refuses a node whose grant has ended only by the holder's clock",
    nodes: full,
    now: 20,
    store: 19,
    to: { outcome: "taken", soonest: 20 },
  },

  // The ticks of a grant
  { title: "begins at the holder's time", now: 7, store: 3, to: [0, 7, 17] },
  { title: "ends by the clock that is ahead, here the store's", now: 7, store: 12, to: [0, 7, 22] },
  {
    title: "begins where a release left the node",
    nodes: { ...full, 0: [null, 5, 8] },
    now: 8,
    to: [0, 8, 18],
  },

  // Skew
  { title: "grants to a clock that is ahead by maxSkewMs", now: 105, store: 100, to: [0, 105, 115] },
  {
    title: "refuses a clock that is ahead by more than maxSkewMs",
    now: 106,
    store: 100,
    to: { outcome: "skew" },
  },
  { title: "grants to a clock that is behind by maxSkewMs", now: 95, store: 100, to: [0, 95, 110] },
  {
    title: "refuses a clock that is behind by more than maxSkewMs",
    now: 94,
    store: 100,
    to: { outcome: "skew" },
  },
  {
    title: "refuses a clock that is behind by a fraction more than maxSkewMs",
    now: 94.5,
    store: 100,
    to: { outcome: "skew" },
  },
  { title: "grants without skew if maxSkewMs is 0", terms: { maxSkewMs: 0 }, now: 100, to: [0, 100, 110] },
  {
    title: "refuses a repeated request by a skewed clock",
    nodes: { 0: ["a", 5, 20, 0, "requested"] },
    now: 16,
    store: 10,
    to: { outcome: "skew" },
  },

  // Shape
  {
    title: "refuses another shape",
    fields: { shape: "that" },
    nodes: {},
    now: 7,
    to: { outcome: "shape", shape: "that" },
  },
  {
    title: "refuses another shape before it checks the clock",
    fields: { shape: "that" },
    nodes: {},
    now: 7,
    store: 100,
    to: { outcome: "shape", shape: "that" },
  },

  // Repeated requests
  {
    title: "grants a repeated request the same node, from its beginning",
    nodes: { 0: ["a", 5, 15, 0, "requested"] },
    now: 9,
    to: [0, 5, 19],
  },
  {
    title: "grants a repeated request the same node when others are free",
    nodes: { 0: [null, 0, 1], 2: ["a", 5, 15, 0, "requested"] },
    now: 9,
    to: [2, 5, 19],
  },
  {
    title: "grants a repeated request the same node after its end",
    nodes: { 0: ["a", 5, 15, 0, "requested"] },
    now: 50,
    to: [0, 5, 60],
  },
  {
    title: "does not move the end back for a repeated request whose clock stepped back",
    nodes: { 0: ["a", 5, 15, 0, "requested"] },
    now: 3,
    to: [0, 5, 15],
  },
  {
    title: "grants another node to another request of the same owner, as a copy sends it",
    nodes: { 0: ["a", 5, 15, 0, "copied"] },
    now: 9,
    to: [1, 9, 19],
  },
  {
    title: "refuses another request of the same owner when no other node is free",
    terms: { count: 1 },
    nodes: { 0: ["a", 5, 15, 0, "copied"] },
    now: 9,
    to: { outcome: "taken", soonest: 15 },
  },
  {
    title: "grants a repeated request another node if its grant was renewed",
    nodes: { 0: ["a", 5, 15, 1, "next"] },
    now: 9,
    to: [1, 9, 19],
  },

  // Spaces
  {
    title: "grants the first node of a space",
    terms: { first: 4, count: 2 },
    nodes: full,
    now: 50,
    to: [4, 50, 60],
  },
  {
    title: "grants the next node of a space, however many nodes other spaces have",
    terms: { first: 4, count: 2 },
    nodes: { ...full, 4: ["e", 5, 60], 6: [null, 0, 1] },
    now: 50,
    to: [5, 50, 60],
  },
  {
    title: "does not grant free nodes before and after a space",
    terms: { first: 4, count: 2 },
    nodes: { 3: [null, 0, 1], 4: ["e", 5, 60], 5: ["f", 5, 70], 6: [null, 0, 1] },
    now: 50,
    to: { outcome: "taken", soonest: 60 },
  },
  {
    title: "grants the last node of a space",
    terms: { first: 4, count: 2 },
    nodes: { 3: [null, 0, 1], 4: ["e", 5, 60], 5: ["f", 5, 50] },
    now: 50,
    to: [5, 50, 60],
  },
  {
    title: "grants the node of a space of one node",
    terms: { count: 1 },
    nodes: { 0: ["b", 5, 20] },
    now: 20,
    to: [0, 20, 30],
  },

  // Ticks
  { title: "counts ticks from the epoch", terms: { epochMs: 1000 }, now: 1007, to: [0, 7, 17] },
  { title: "grants at the epoch", terms: { epochMs: 1000 }, now: 1000, to: [0, 0, 10] },
  { title: "accepts an epoch before 1970", terms: { epochMs: -1000 }, now: -993, to: [0, 7, 17] },
  { title: "rounds a fraction of a millisecond down", now: 7.9, store: 7, to: [0, 7, 17] },
  {
    title: "grants in the middle of a tick of 10 ms",
    terms: { tickMs: 10 },
    now: 79,
    store: 75,
    to: [0, 7, 17],
  },
  {
    title: "refuses a fraction before the end of a grant, in ticks of 10 ms",
    terms: { tickMs: 10 },
    nodes: full,
    now: 199.9,
    store: 200,
    to: { outcome: "taken", soonest: 20 },
  },
  {
    title: "grants at the end of a grant, in ticks of 10 ms",
    terms: { tickMs: 10 },
    nodes: full,
    now: 200,
    to: [0, 20, 30],
  },
];

describe("acquire", () => {
  test.each(acquires)("$title", (row) => {
    const { nodes, fields, now, store = now } = row;
    const state = nodes && stateOf(nodes, fields);
    const step = acquire(state, { ...terms, ...row.terms }, request, now, at(store));
    expectStep(state, step, row, { generation: 0, nonce: "requested" });
  });
});

const renewals: (Row & { node?: number })[] = [
  { title: "moves the end forward", nodes: { 0: ["a", 5, 15, 2, "held"] }, now: 9, to: [0, 5, 19] },
  {
    title: "renews only the node of the proof",
    nodes: { 0: ["b", 5, 15], 2: ["a", 5, 15, 2, "held"] },
    node: 2,
    now: 9,
    to: [2, 5, 19],
  },
  {
    title: "moves the end by the clock that is ahead",
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 9,
    store: 12,
    to: [0, 5, 22],
  },
  {
    title: "renews a grant that has ended, if no other holder has the node",
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 50,
    to: [0, 5, 60],
  },
  { title: "never moves the end back", nodes: { 0: ["a", 5, 30, 2, "held"] }, now: 9, to: [0, 5, 30] },
  {
    title: "is lost for the node of another owner",
    nodes: { 0: ["b", 5, 15] },
    now: 9,
    to: { outcome: "lost" },
  },
  { title: "is lost for a released node", nodes: { 0: [null, 5, 15] }, now: 9, to: { outcome: "lost" } },
  {
    title: "is lost for a node that was never granted",
    nodes: { 1: ["a", 5, 15, 2, "held"] },
    now: 9,
    to: { outcome: "lost" },
  },
  { title: "is lost in an empty store", now: 9, to: { outcome: "lost" } },
  {
    title: "renews with a skew of maxSkewMs",
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 9,
    store: 14,
    to: [0, 5, 24],
  },
  {
    title: "refuses a clock that is behind by more than maxSkewMs",
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 9,
    store: 15,
    to: { outcome: "skew" },
  },
  {
    title: "refuses a clock that is ahead by more than maxSkewMs",
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 15,
    store: 9,
    to: { outcome: "skew" },
  },
  {
    title: "is lost rather than skewed",
    nodes: { 0: ["b", 5, 15] },
    now: 9,
    store: 90,
    to: { outcome: "lost" },
  },
  {
    title: "renews again when the answer was lost",
    nodes: { 0: ["a", 5, 15, 3, "next"] },
    now: 9,
    to: [0, 5, 19],
  },
  {
    title: "renews in a store that went back to before the previous renewal",
    nodes: { 0: ["a", 5, 15, 1, "before"] },
    now: 9,
    to: [0, 5, 19],
  },
  {
    title: "is lost for a grant that a copy has renewed",
    nodes: { 0: ["a", 5, 15, 3, "copy's"] },
    now: 9,
    to: { outcome: "lost" },
  },
  {
    title: "is lost for a grant that a copy has renewed more than once",
    nodes: { 0: ["a", 5, 15, 4, "copy's"] },
    now: 9,
    to: { outcome: "lost" },
  },
  {
    title: "is lost for a late request when the grant was renewed since",
    nodes: { 0: ["a", 5, 15, 4, "held"] },
    now: 9,
    to: { outcome: "lost" },
  },
  {
    title: "is lost for a grant that a copy has renewed in a store that went back",
    nodes: { 0: ["a", 5, 15, 2, "copy's"] },
    now: 9,
    to: { outcome: "lost" },
  },
  {
    title: "renews in ticks of 10 ms",
    terms: { tickMs: 10, epochMs: 1000 },
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 1099.9,
    store: 1098,
    to: [0, 5, 19],
  },
];

describe("renew", () => {
  test.each(renewals)("$title", (row) => {
    const { nodes, node = 0, now, store = now } = row;
    const state = nodes && stateOf(nodes);
    const step = renew(state, { ...terms, ...row.terms }, { ...proof, node }, now, at(store));
    expectStep(state, step, row, { generation: 3, nonce: "next" });
  });
});

describe("release", () => {
  test.each<{ title: string; held: Held; nextTick: number; to: Held }>([
    {
      title: "sets the end to the tick after the last one stamped",
      held: ["a", 5, 15, 2, "held"],
      nextTick: 9,
      to: [null, 5, 9, 2, "held"],
    },
    {
      title: "sets the end of an unused grant to its beginning",
      held: ["a", 5, 15, 2, "held"],
      nextTick: 5,
      to: [null, 5, 5, 2, "held"],
    },
    {
      title: "keeps the end of a grant that was used up",
      held: ["a", 5, 15, 2, "held"],
      nextTick: 15,
      to: [null, 5, 15, 2, "held"],
    },
    {
      title: "does not set the end before the beginning",
      held: ["a", 5, 15, 2, "held"],
      nextTick: 2,
      to: [null, 5, 5, 2, "held"],
    },
    {
      title: "releases a grant whose last renewal had no answer",
      held: ["a", 5, 15, 3, "next"],
      nextTick: 9,
      to: [null, 5, 9, 3, "next"],
    },
    {
      title: "sets an end that is later than the stored one, in a store that went back",
      held: ["a", 5, 15, 1, "before"],
      nextTick: 18,
      to: [null, 5, 18, 1, "before"],
    },
    {
      title: "changes nothing for a copy",
      held: ["a", 5, 15, 3, "copy's"],
      nextTick: 9,
      to: ["a", 5, 15, 3, "copy's"],
    },
    {
      title: "changes nothing for the node of another owner",
      held: ["b", 5, 15],
      nextTick: 9,
      to: ["b", 5, 15],
    },
    { title: "changes nothing the second time", held: [null, 5, 9], nextTick: 7, to: [null, 5, 9] },
  ])("$title", ({ held, nextTick, to }) => {
    const others: Nodes = { 1: ["a", 1, 30, 2, "held"], 2: ["c", 1, 30] };
    const state = stateOf({ 0: held, ...others });
    expect(release(state, proof, nextTick)).toEqual(stateOf({ 0: to, ...others }));
  });

  test("changes nothing for a node that was never granted", () => {
    expect(release(stateOf(full), { ...proof, node: 9 }, 7)).toEqual(stateOf(full));
  });
});

describe("a changed history of the store", () => {
  const held: Nodes = { 0: ["a", 5, 15, 0, "requested"] };
  const other = (ms: number) => ({ ms, historyId: "other" });
  const before = stateOf(held, { historyId: "one", longestReachTicks: 30 });
  // A forgotten grant began at 12 at the latest, by a clock that was 5 ahead, and ends 30 after the store's time.
  const raised = stateOf(held, { historyId: "other", longestReachTicks: 30, fence: 37, staleUntil: 12 });

  test("raises a fence until every forgotten grant has ended by both clocks", () => {
    const newcomer = { owner: "b", nonce: "n" };
    const fenced = (storeMs: number) => ({ outcome: "fenced", until: 37, storeMs });
    expect(acquire(before, terms, newcomer, 7, other(7))).toEqual([raised, fenced(7)]);
    expect(acquire(raised, terms, newcomer, 36, other(38))).toEqual([raised, fenced(38)]);
    expect(acquire(raised, terms, newcomer, 38, other(36))).toEqual([raised, fenced(36)]);
    const [after, answer] = acquire(raised, terms, newcomer, 37, other(37));
    expect(answer).toEqual({ outcome: "granted", node: 1, from: 37, until: 47, storeMs: 37 });
    expect(after).toEqual({ ...raised, nodes: after?.nodes });
  });

  test("does not make a repeated request or a renewal wait for the fence, and each of them raises it", () => {
    expect(acquire(before, terms, request, 7, other(7))).toEqual([
      { ...raised, nodes: stateOf({ 0: ["a", 5, 17, 0, "requested"] }).nodes },
      { outcome: "granted", node: 0, from: 5, until: 17, storeMs: 7 },
    ]);
    const first = { owner: "a", node: 0, generation: 0, grantNonce: "requested", nonce: "next" };
    expect(renew(before, terms, first, 7, other(7))).toEqual([
      { ...raised, nodes: stateOf({ 0: ["a", 5, 17, 1, "next"] }).nodes },
      { outcome: "granted", node: 0, from: 5, until: 17, storeMs: 7 },
    ]);
    expect(renew(raised, terms, first, 7, other(13))).toEqual([raised, { outcome: "skew", storeMs: 13 }]);
    expect(renew(before, terms, { ...first, owner: "b" }, 7, other(7))).toEqual([
      raised,
      { outcome: "lost", storeMs: 7 },
    ]);
  });

  test("ends a grant whose end is not after staleUntil, because another holder may have had the node since", () => {
    const first = { owner: "a", node: 0, generation: 0, grantNonce: "requested", nonce: "next" };
    const ended = { ...raised, fence: 40, staleUntil: 15 };
    expect(renew(before, terms, first, 10, other(10))).toEqual([ended, { outcome: "lost", storeMs: 10 }]);
    expect(renew(ended, terms, first, 7, other(7))).toEqual([ended, { outcome: "lost", storeMs: 7 }]);
    expect(acquire(before, terms, request, 10, other(10))).toEqual([
      ended,
      { outcome: "fenced", until: 40, storeMs: 10 },
    ]);
    // Except for a holder without a fence.
    expect(renew(ended, { ...terms, usesFence: false }, first, 10, other(10))[1].outcome).toBe("granted");
  });

  test("raises the fence by the longest grant of all holders, including the one that sends the request", () => {
    const newcomer = { owner: "b", nonce: "n" };
    const [after] = acquire(before, { ...terms, maxReachTicks: 50 }, newcomer, 7, other(7));
    expect(after).toMatchObject({ fence: 57, longestReachTicks: 50 });
    // A fence is never lowered.
    const again = { ms: 8, historyId: "one" };
    expect(acquire({ ...raised, fence: 99 }, terms, newcomer, 8, again)[0]).toMatchObject({ fence: 99 });
  });

  test.each<{ title: string; usesFence?: boolean; recorded: StateFields; historyId: string }>([
    {
      title: "raises no fence for a holder without one",
      usesFence: false,
      recorded: { historyId: "one" },
      historyId: "other",
    },
    {
      title: "does not make a holder without a fence wait for the fence that another holder raised",
      usesFence: false,
      recorded: { historyId: "one", fence: 99 },
      historyId: "one",
    },
    { title: "raises no fence if no history was recorded before", recorded: {}, historyId: "other" },
    { title: "raises no fence if the store reports none now", recorded: { historyId: "one" }, historyId: "" },
    { title: "raises no fence if it is the recorded one", recorded: { historyId: "one" }, historyId: "one" },
  ])("$title", ({ usesFence = true, recorded, historyId }) => {
    const state = stateOf(held, recorded);
    const newcomer = { owner: "b", nonce: "n" };
    const [after, answer] = acquire(state, { ...terms, usesFence }, newcomer, 7, { ms: 7, historyId });
    expect(answer).toMatchObject({ outcome: "granted", node: 1 });
    expect(after?.fence).toBe(state.fence);
  });
});

test("a grant that a request gets again is of generation 0, as in Redis and SQL", () => {
  // No holder renews with the nonce of its acquire. A store that finds the nonce need not know how it was written.
  const before = stateOf({ 0: ["a", 5, 20, 1, "requested"] });
  const [after, answer] = acquire(before, terms, request, 12, at(12));
  expect(answer).toMatchObject({ outcome: "granted", node: 0, from: 5 });
  expect(after?.nodes.get(0)).toMatchObject({ generation: 0, nonce: "requested" });
});

test("a step does not mutate its state", () => {
  const state = stateOf({ 0: ["a", 5, 15, 2, "held"], 1: [null, 0, 3] }, { historyId: "one" });
  const before = structuredClone(state);
  const store = { ms: 9, historyId: "other" };
  acquire(state, terms, request, 9, store);
  acquire(state, terms, { owner: "b", nonce: "n" }, 9, store);
  renew(state, terms, proof, 9, store);
  release(state, proof, 9);
  expect(state).toEqual(before);
});

describe("anyFreeNode chooses", () => {
  const space = { ...terms, first: 100, count: 10 };
  const held = (until: number): NodeState => ({ owner: "o", from: 0, until, generation: 0, nonce: "n" });
  const nodesOf = (ends: readonly number[]) => new Map(ends.map((end, i) => [100 + i, held(end)]));
  const DRAWN = 0.35; // Node 103.

  test.each<[string, readonly number[], number, object]>([
    ["a random node that was never granted", [], 5, { node: 103, until: -1 }],
    ["a random node whose grant has ended", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 5, { node: 103, until: 3 }],
    ["the next free one if few are free", [9, 9, 9, 9, 9, 9, 4, 9, 3, 9], 5, { node: 106, until: 4 }],
    ["the first one by number after the last", [9, 5, 9, 9, 9, 9, 9, 9, 9, 9], 5, { node: 101, until: 5 }],
    ["the one that ends first if none is free", [9, 9, 8, 9, 9, 9, 7, 9, 9, 9], 5, { node: 106, until: 7 }],
  ])("%s", (_title, ends, tick, chosen) => {
    expect(anyFreeNode(() => DRAWN)(nodesOf(ends), space, tick)).toEqual(chosen);
  });
});

test("a late request of the previous holder changes nothing", () => {
  const state = stateOf({ 0: ["b", 16, 26] });
  expect(release(state, proof, 16)).toBe(state);
  expect(renew(state, terms, proof, 17, at(17))).toEqual([state, { outcome: "lost", storeMs: 17 }]);
});

test("acquire grants the first of the nodes free for as long, in any order of the state", () => {
  const state = stateOf({});
  const nodes = new Map([2, 0, 1].map((node) => [node, { ...free, until: 8 }]));
  const [, answer] = acquire({ ...state, nodes }, terms, request, 9, at(9));
  expect(answer).toMatchObject({ outcome: "granted", node: 0 });
});

/** The first of January in the year 1. */
const LONG_AGO = -62_135_596_800_000;

test.each([
  { title: "at the epoch", ms: 1000, tick: 0 },
  { title: "a fraction before a tick", ms: 1009.999, tick: 0 },
  { title: "at a tick", ms: 1010, tick: 1 },
  { title: "before the epoch", ms: 999, tick: -1 },
  {
    title: "a fraction that would be lost in so many milliseconds",
    epochMs: LONG_AGO,
    tickMs: 1,
    ms: 1_700_000_000_000.9998,
    tick: 1_700_000_000_000 - LONG_AGO,
  },
])("tickAt: $title", ({ epochMs = 1000, tickMs = 10, ms, tick }) => {
  expect(tickAt({ epochMs, tickMs }, ms)).toBe(tick);
});

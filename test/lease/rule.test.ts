import { describe, expect, test } from "vitest";
import {
  acquire,
  type LeaseAnswer,
  type LeaseClaim,
  type NamespaceState,
  type NodeSpace,
  type NodeState,
  release,
  renew,
  tickAt,
} from "../../src/lease/rule.ts";

const space: NodeSpace = {
  shape: "this",
  first: 0,
  count: 3,
  epochMs: 0,
  tickMs: 1,
  ttlTicks: 10,
  maxSkewMs: 5,
  reach: 20,
  isFenced: true,
};

/** Whose a node is, its ticks, and who wrote it: without, nobody that tells. */
type Held = [owner: string | null, from: number, until: number, generation?: number, nonce?: string];
type Nodes = { readonly [node: number]: Held };

/** What a store keeps beside the nodes. */
type Terms = Partial<Omit<NamespaceState, "nodes">>;

const bookOf = (nodes: Nodes, terms: Terms = {}): NamespaceState => ({
  shape: space.shape,
  history: "",
  fence: 0,
  stale: 0,
  longest: 20,
  ...terms,
  nodes: new Map(
    Object.entries(nodes).map(
      ([node, [owner, from, until, generation = 0, nonce = ""]]): [number, NodeState] => [
        Number(node),
        { owner, from, until, generation, nonce },
      ],
    ),
  ),
});

/** A node that was given back. */
const free: NodeState = { owner: null, from: 0, until: 0, generation: 0, nonce: "" };

/** The request of "a" for a node. */
const request = { owner: "a", nonce: "asked" };

/** A store that tells no history. */
const at = (ms: number) => ({ ms, history: "" });

/** What "a" renews, which has been renewed twice, the second time with the nonce "held". */
const claim: LeaseClaim = { owner: "a", node: 0, generation: 2, grantNonce: "held", nonce: "next" };

/** All nodes held by others, until 20, 30 and 40. */
const full: Nodes = { 0: ["b", 5, 20], 1: ["c", 5, 30], 2: ["d", 5, 40] };

type Row = {
  title: string;
  space?: Partial<NodeSpace>;
  /** What the store keeps; without, it keeps nothing yet. */
  nodes?: Nodes;
  terms?: Terms;
  now: number;
  /** The store's time; without, it is the holder's. */
  store?: number;
  /** The node that is granted and its ticks, or whatever else is answered. */
  to: [node: number, from: number, until: number] | Partial<LeaseAnswer>;
};

/** Checks what is answered, and what is written down: the grant, or nothing. */
function expectStep(
  book: NamespaceState | undefined,
  [after, answer]: ReturnType<typeof acquire>,
  { nodes, terms, now, store = now, to }: Row,
  written: { readonly generation: number; readonly nonce: string },
) {
  if (Array.isArray(to)) {
    const [node, from, until] = to;
    const { generation, nonce } = written;
    expect(answer).toEqual({ outcome: "granted", node, from, until, storeMs: store });
    expect(after).toEqual(bookOf({ ...nodes, [node]: ["a", from, until, generation, nonce] }, terms));
  } else {
    expect(answer).toEqual(to.outcome === "shape" ? to : { ...to, storeMs: store });
    expect(after).toEqual(book);
  }
}

const acquires: Row[] = [
  // Which node
  { title: "the first node of all", now: 7, to: [0, 7, 17] },
  { title: "the next that nobody had", nodes: { 0: ["b", 0, 20] }, now: 7, to: [1, 7, 17] },
  {
    title: "one that nobody had before one that was given back",
    nodes: { 0: [null, 0, 2] },
    now: 7,
    to: [1, 7, 17],
  },
  {
    title: "the one that has been free for longest",
    nodes: { 0: ["b", 0, 9], 1: [null, 0, 8], 2: [null, 0, 20] },
    now: 9,
    to: [1, 9, 19],
  },
  {
    title: "of those free for as long, the first",
    nodes: { 2: [null, 0, 8], 1: [null, 0, 8], 0: [null, 0, 9] },
    now: 9,
    to: [1, 9, 19],
  },
  {
    title: "one whose holder never gave it back",
    nodes: { ...full, 1: ["c", 0, 10] },
    now: 25,
    to: [1, 25, 35],
  },

  // When it is free
  {
    title: "none is free: the first that will be",
    nodes: full,
    now: 15,
    to: { outcome: "taken", soonest: 20 },
  },
  { title: "one tick too early", nodes: full, now: 19, to: { outcome: "taken", soonest: 20 } },
  { title: "at the tick where a grant ends, the next begins", nodes: full, now: 20, to: [0, 20, 30] },
  {
    title: "passed by the store's clock, not by the holder's",
    nodes: full,
    now: 19,
    store: 20,
    to: { outcome: "taken", soonest: 20 },
  },
  {
    title: "passed by the holder's clock, not by the store's",
    nodes: full,
    now: 20,
    store: 19,
    to: { outcome: "taken", soonest: 20 },
  },

  // From when until when
  { title: "from the holder's time", now: 7, store: 3, to: [0, 7, 17] },
  { title: "until the clock that is ahead, the store's", now: 7, store: 12, to: [0, 7, 22] },
  {
    title: "a node given back goes on where it was left, if that is now",
    nodes: { ...full, 0: [null, 5, 8] },
    now: 8,
    to: [0, 8, 18],
  },

  // Skew
  { title: "a clock ahead by all that may be", now: 105, store: 100, to: [0, 105, 115] },
  { title: "a clock ahead by more", now: 106, store: 100, to: { outcome: "skew" } },
  { title: "a clock behind by all that may be", now: 95, store: 100, to: [0, 95, 110] },
  { title: "a clock behind by more", now: 94, store: 100, to: { outcome: "skew" } },
  { title: "a clock behind by a fraction more", now: 94.5, store: 100, to: { outcome: "skew" } },
  { title: "no skew at all is allowed", space: { maxSkewMs: 0 }, now: 100, to: [0, 100, 110] },
  {
    title: "skew, also for who has a node",
    nodes: { 0: ["a", 5, 20] },
    now: 16,
    store: 10,
    to: { outcome: "skew" },
  },

  // Shape
  {
    title: "another shape",
    terms: { shape: "that" },
    nodes: {},
    now: 7,
    to: { outcome: "shape", shape: "that" },
  },
  {
    title: "another shape, whatever the clock says",
    terms: { shape: "that" },
    nodes: {},
    now: 7,
    store: 100,
    to: { outcome: "shape", shape: "that" },
  },

  // Once more
  {
    title: "a request that comes again gets the same, from where it began",
    nodes: { 0: ["a", 5, 15, 0, "asked"] },
    now: 9,
    to: [0, 5, 19],
  },
  {
    title: "also when others are free",
    nodes: { 0: [null, 0, 1], 2: ["a", 5, 15, 0, "asked"] },
    now: 9,
    to: [2, 5, 19],
  },
  { title: "also when it has passed", nodes: { 0: ["a", 5, 15, 0, "asked"] }, now: 50, to: [0, 5, 60] },
  {
    title: "with a clock that stepped back, it ends no earlier",
    nodes: { 0: ["a", 5, 15, 0, "asked"] },
    now: 3,
    to: [0, 5, 15],
  },
  {
    title: "another request of the same owner, as of a copy, gets another node",
    nodes: { 0: ["a", 5, 15, 0, "copied"] },
    now: 9,
    to: [1, 9, 19],
  },
  {
    title: "and none while there is no other",
    space: { count: 1 },
    nodes: { 0: ["a", 5, 15, 0, "copied"] },
    now: 9,
    to: { outcome: "taken", soonest: 15 },
  },
  {
    title: "a request that comes again when its grant was renewed gets another node",
    nodes: { 0: ["a", 5, 15, 1, "next"] },
    now: 9,
    to: [1, 9, 19],
  },

  // The nodes of a space among others
  {
    title: "the first node of a space",
    space: { first: 4, count: 2 },
    nodes: full,
    now: 50,
    to: [4, 50, 60],
  },
  {
    title: "the next of a space, however many others there are",
    space: { first: 4, count: 2 },
    nodes: { ...full, 4: ["e", 5, 60], 6: [null, 0, 1] },
    now: 50,
    to: [5, 50, 60],
  },
  {
    title: "the free nodes before and after a space are not its own",
    space: { first: 4, count: 2 },
    nodes: { 3: [null, 0, 1], 4: ["e", 5, 60], 5: ["f", 5, 70], 6: [null, 0, 1] },
    now: 50,
    to: { outcome: "taken", soonest: 60 },
  },
  {
    title: "the last node of a space",
    space: { first: 4, count: 2 },
    nodes: { 3: [null, 0, 1], 4: ["e", 5, 60], 5: ["f", 5, 50] },
    now: 50,
    to: [5, 50, 60],
  },
  { title: "a space of one node", space: { count: 1 }, nodes: { 0: ["b", 5, 20] }, now: 20, to: [0, 20, 30] },

  // Ticks
  { title: "ticks are counted from the epoch", space: { epochMs: 1000 }, now: 1007, to: [0, 7, 17] },
  { title: "at the epoch", space: { epochMs: 1000 }, now: 1000, to: [0, 0, 10] },
  { title: "an epoch before 1970", space: { epochMs: -1000 }, now: -993, to: [0, 7, 17] },
  { title: "a fraction of a millisecond is of its tick", now: 7.9, store: 7, to: [0, 7, 17] },
  { title: "ticks of 10 ms: in the midst of one", space: { tickMs: 10 }, now: 79, store: 75, to: [0, 7, 17] },
  {
    title: "ticks of 10 ms: a fraction short of the end of a grant",
    space: { tickMs: 10 },
    nodes: full,
    now: 199.9,
    store: 200,
    to: { outcome: "taken", soonest: 20 },
  },
  {
    title: "ticks of 10 ms: the end of a grant",
    space: { tickMs: 10 },
    nodes: full,
    now: 200,
    to: [0, 20, 30],
  },
];

describe("acquire", () => {
  test.each(acquires)("$title", (row) => {
    const { nodes, terms, now, store = now } = row;
    const book = nodes && bookOf(nodes, terms);
    const step = acquire(book, { ...space, ...row.space }, request, now, at(store));
    expectStep(book, step, row, { generation: 0, nonce: "asked" });
  });
});

const renewals: (Row & { node?: number })[] = [
  { title: "moves the end", nodes: { 0: ["a", 5, 15, 2, "held"] }, now: 9, to: [0, 5, 19] },
  {
    title: "of the node that is named",
    nodes: { 0: ["b", 5, 15], 2: ["a", 5, 15, 2, "held"] },
    node: 2,
    now: 9,
    to: [2, 5, 19],
  },
  {
    title: "by the clock that is ahead",
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 9,
    store: 12,
    to: [0, 5, 22],
  },
  {
    title: "when the grant has passed, and nobody came",
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 50,
    to: [0, 5, 60],
  },
  { title: "never brings the end nearer", nodes: { 0: ["a", 5, 30, 2, "held"] }, now: 9, to: [0, 5, 30] },
  { title: "of another's node", nodes: { 0: ["b", 5, 15] }, now: 9, to: { outcome: "lost" } },
  { title: "of a node that was given back", nodes: { 0: [null, 5, 15] }, now: 9, to: { outcome: "lost" } },
  {
    title: "of a node that nobody had",
    nodes: { 1: ["a", 5, 15, 2, "held"] },
    now: 9,
    to: { outcome: "lost" },
  },
  { title: "in a store that lost all", now: 9, to: { outcome: "lost" } },
  {
    title: "by all the skew that may be",
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 9,
    store: 14,
    to: [0, 5, 24],
  },
  {
    title: "with a clock behind by more",
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 9,
    store: 15,
    to: { outcome: "skew" },
  },
  {
    title: "with a clock ahead by more",
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 15,
    store: 9,
    to: { outcome: "skew" },
  },
  {
    title: "lost says more than skew",
    nodes: { 0: ["b", 5, 15] },
    now: 9,
    store: 90,
    to: { outcome: "lost" },
  },
  {
    title: "that comes again, for its answer was lost",
    nodes: { 0: ["a", 5, 15, 3, "next"] },
    now: 9,
    to: [0, 5, 19],
  },
  {
    title: "in a store that went back behind the renewal before, or to the grant",
    nodes: { 0: ["a", 5, 15, 1, "before"] },
    now: 9,
    to: [0, 5, 19],
  },
  {
    title: "of a grant that a copy has renewed",
    nodes: { 0: ["a", 5, 15, 3, "copy's"] },
    now: 9,
    to: { outcome: "lost" },
  },
  {
    title: "of a grant that a copy has renewed more than once",
    nodes: { 0: ["a", 5, 15, 4, "copy's"] },
    now: 9,
    to: { outcome: "lost" },
  },
  {
    title: "of a grant that was renewed since, by a message that comes late",
    nodes: { 0: ["a", 5, 15, 4, "held"] },
    now: 9,
    to: { outcome: "lost" },
  },
  {
    title: "of a grant that a copy has renewed in a store that had gone back",
    nodes: { 0: ["a", 5, 15, 2, "copy's"] },
    now: 9,
    to: { outcome: "lost" },
  },
  {
    title: "in ticks of 10 ms",
    space: { tickMs: 10, epochMs: 1000 },
    nodes: { 0: ["a", 5, 15, 2, "held"] },
    now: 1099.9,
    store: 1098,
    to: [0, 5, 19],
  },
];

describe("renew", () => {
  test.each(renewals)("$title", (row) => {
    const { nodes, node = 0, now, store = now } = row;
    const book = nodes && bookOf(nodes);
    const step = renew(book, { ...space, ...row.space }, { ...claim, node }, now, at(store));
    expectStep(book, step, row, { generation: 3, nonce: "next" });
  });
});

describe("release", () => {
  test.each<{ title: string; held: Held; unused: number; to: Held }>([
    { title: "pulls the end back", held: ["a", 5, 15, 2, "held"], unused: 9, to: [null, 5, 9, 2, "held"] },
    {
      title: "of a grant that was not used",
      held: ["a", 5, 15, 2, "held"],
      unused: 5,
      to: [null, 5, 5, 2, "held"],
    },
    {
      title: "of a grant that was used up",
      held: ["a", 5, 15, 2, "held"],
      unused: 15,
      to: [null, 5, 15, 2, "held"],
    },
    {
      title: "not to before its beginning",
      held: ["a", 5, 15, 2, "held"],
      unused: 2,
      to: [null, 5, 5, 2, "held"],
    },
    {
      title: "of a grant whose last renewal had no answer",
      held: ["a", 5, 15, 3, "next"],
      unused: 9,
      to: [null, 5, 9, 3, "next"],
    },
    {
      title:
        "in a store that went back puts the end where the holder got to, also behind what the store knows",
      held: ["a", 5, 15, 1, "before"],
      unused: 18,
      to: [null, 5, 18, 1, "before"],
    },
    {
      title: "of a copy changes nothing",
      held: ["a", 5, 15, 3, "copy's"],
      unused: 9,
      to: ["a", 5, 15, 3, "copy's"],
    },
    { title: "of another's node changes nothing", held: ["b", 5, 15], unused: 9, to: ["b", 5, 15] },
    { title: "a second time changes nothing", held: [null, 5, 9], unused: 7, to: [null, 5, 9] },
  ])("$title", ({ held, unused, to }) => {
    const others: Nodes = { 1: ["a", 1, 30, 2, "held"], 2: ["c", 1, 30] };
    const book = bookOf({ 0: held, ...others });
    expect(release(book, claim, unused)).toEqual(bookOf({ 0: to, ...others }));
  });

  test("of a node that nobody had changes nothing", () => {
    expect(release(bookOf(full), { ...claim, node: 9 }, 7)).toEqual(bookOf(full));
  });
});

describe("a store that changes its history", () => {
  const held: Nodes = { 0: ["a", 5, 15, 0, "asked"] };
  const other = (ms: number) => ({ ms, history: "other" });
  const before = bookOf(held, { history: "one", longest: 30 });
  // By a clock that may be ahead by 5, and a grant that was made by it.
  const raised = bookOf(held, { history: "other", longest: 30, fence: 37, stale: 12 });

  test("grants nothing new until all that it may have forgotten has ended, by both clocks", () => {
    const newcomer = { owner: "b", nonce: "n" };
    const fenced = (storeMs: number) => ({ outcome: "fenced", until: 37, storeMs });
    expect(acquire(before, space, newcomer, 7, other(7))).toEqual([raised, fenced(7)]);
    expect(acquire(raised, space, newcomer, 36, other(38))).toEqual([raised, fenced(38)]);
    expect(acquire(raised, space, newcomer, 38, other(36))).toEqual([raised, fenced(36)]);
    const [after, answer] = acquire(raised, space, newcomer, 37, other(37));
    expect(answer).toEqual({ outcome: "granted", node: 1, from: 37, until: 47, storeMs: 37 });
    expect(after).toEqual({ ...raised, nodes: after?.nodes });
  });

  test("grants what was granted once more, and renews it; the renewal raises the fence as well", () => {
    expect(acquire(before, space, request, 7, other(7))).toEqual([
      { ...raised, nodes: bookOf({ 0: ["a", 5, 17, 0, "asked"] }).nodes },
      { outcome: "granted", node: 0, from: 5, until: 17, storeMs: 7 },
    ]);
    const first = { owner: "a", node: 0, generation: 0, grantNonce: "asked", nonce: "next" };
    expect(renew(before, space, first, 7, other(7))).toEqual([
      { ...raised, nodes: bookOf({ 0: ["a", 5, 17, 1, "next"] }).nodes },
      { outcome: "granted", node: 0, from: 5, until: 17, storeMs: 7 },
    ]);
    expect(renew(raised, space, first, 7, other(13))).toEqual([raised, { outcome: "skew", storeMs: 13 }]);
    expect(renew(before, space, { ...first, owner: "b" }, 7, other(7))).toEqual([
      raised,
      { outcome: "lost", storeMs: 7 },
    ]);
  });

  test("neither renews a grant that had ended by then nor grants it once more: another may have had the node since", () => {
    const first = { owner: "a", node: 0, generation: 0, grantNonce: "asked", nonce: "next" };
    const ended = { ...raised, fence: 40, stale: 15 };
    expect(renew(before, space, first, 10, other(10))).toEqual([ended, { outcome: "lost", storeMs: 10 }]);
    expect(renew(ended, space, first, 7, other(7))).toEqual([ended, { outcome: "lost", storeMs: 7 }]);
    expect(acquire(before, space, request, 10, other(10))).toEqual([
      ended,
      { outcome: "fenced", until: 40, storeMs: 10 },
    ]);
    // But for who says that nothing was forgotten.
    expect(renew(ended, { ...space, isFenced: false }, first, 10, other(10))[1].outcome).toBe("granted");
  });

  test("counts the longest reach, also that of whoever asks", () => {
    const newcomer = { owner: "b", nonce: "n" };
    const [after] = acquire(before, { ...space, reach: 50 }, newcomer, 7, other(7));
    expect(after).toMatchObject({ fence: 57, longest: 50 });
    // A fence is never lowered.
    const again = { ms: 8, history: "one" };
    expect(acquire({ ...raised, fence: 99 }, space, newcomer, 8, again)[0]).toMatchObject({ fence: 99 });
  });

  test.each<[string, Partial<NodeSpace>, Terms, string]>([
    [
      "is taken at its word where it is said to forget nothing",
      { isFenced: false },
      { history: "one" },
      "other",
    ],
    ["and so is a fence that others have raised", { isFenced: false }, { history: "one", fence: 99 }, "one"],
    ["has no fence when its history was not known before", {}, {}, "other"],
    ["or is not known now", {}, { history: "one" }, ""],
    ["or is the same", {}, { history: "one" }, "one"],
  ])("%s", (_title, terms, kept, history) => {
    const book = bookOf(held, kept);
    const [after, answer] = acquire(book, { ...space, ...terms }, { owner: "b", nonce: "n" }, 7, {
      ms: 7,
      history,
    });
    expect(answer).toMatchObject({ outcome: "granted", node: 1 });
    expect(after?.fence).toBe(book.fence);
  });
});

test("a step leaves the state that it was given as it was", () => {
  const book = bookOf({ 0: ["a", 5, 15, 2, "held"], 1: [null, 0, 3] }, { history: "one" });
  const before = structuredClone(book);
  const store = { ms: 9, history: "other" };
  acquire(book, space, request, 9, store);
  acquire(book, space, { owner: "b", nonce: "n" }, 9, store);
  renew(book, space, claim, 9, store);
  release(book, claim, 9);
  expect(book).toEqual(before);
});

test("what comes late from the holder before changes nothing", () => {
  const book = bookOf({ 0: ["b", 16, 26] });
  expect(release(book, claim, 16)).toBe(book);
  expect(renew(book, space, claim, 17, at(17))).toEqual([book, { outcome: "lost", storeMs: 17 }]);
});

test("of nodes free for as long, the first, in whichever order the store has them", () => {
  const book = bookOf({});
  const nodes = new Map([2, 0, 1].map((node) => [node, { ...free, until: 8 }]));
  const [, answer] = acquire({ ...book, nodes }, space, request, 9, at(9));
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

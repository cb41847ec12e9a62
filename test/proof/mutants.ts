// Mutants of the spec: those of test/lease/model/mutants.ts, by the same titles, as changes of the text of the spec.

/** A change of the text. Each first text occurs once in the spec. */
type Change = readonly [before: string, after: string];

export interface SpecMutant {
  /** The title of the mutant of the rule. */
  readonly title: string;
  readonly file: "rule" | "lease";
  readonly changes: readonly Change[];
  /** The module with the constants in which it does harm. */
  readonly module: string;
}

const LOST = "if (not(isCurrent(kept, proof)) or isStale(state, terms, kept))";
const KEPT_OF_RENEWAL = `noticeHistory(terms, store) else before
    val kept = state.nodes.get(proof.node)`;
const KEPT_OF_RELEASE = `nextTick: int): NamespaceState = {
    val kept = state.nodes.get(proof.node)`;
const RELEASED = "if (not(isCurrent(kept, proof))) state";
const FENCED = "terms.usesFence and state.fence > reachedByBoth";
const OWN = "state.grant(terms, chosen, repeated, now, store.now)";

/** Returns the text that takes any proof for one about the current grant. */
function withoutCheck(text: string): string {
  return text.replace(
    "state.nodes.get(proof.node)",
    "{ ...state.nodes.get(proof.node), owner: proof.owner, generation: proof.generation, nonce: proof.grantNonce }",
  );
}

function withoutGeneration(text: string): string {
  return text.replace("isCurrent(kept, proof)", "kept.owner == proof.owner");
}

function withoutNonce(text: string): string {
  return text.replace(
    "isCurrent(kept, proof)",
    "kept.owner == proof.owner and kept.generation <= proof.generation + 1",
  );
}

function mutant(
  title: string,
  file: SpecMutant["file"],
  changes: readonly Change[],
  module = "clocks",
): SpecMutant {
  return { title, file, changes, module };
}

export const specMutants: readonly SpecMutant[] = [
  mutant("a renewal does not check the owner", "rule", [[KEPT_OF_RENEWAL, withoutCheck(KEPT_OF_RENEWAL)]]),
  mutant("a release does not check the owner", "rule", [[KEPT_OF_RELEASE, withoutCheck(KEPT_OF_RELEASE)]]),
  mutant("a grant begins before the one before it ends", "rule", [
    ["max(kept.until, now)", "if (kept.until == NEVER) now else kept.until - 1"],
  ]),
  mutant("a holder stamps the tick at which its grant ends", "lease", [
    ["tick < process.until", "tick <= process.until"],
  ]),
  mutant("a renewal moves the end of a grant back", "rule", [
    [
      "state.grant(terms, proof.node,",
      "state.withNode(proof.node, { ...kept, until: NEVER }).grant(terms, proof.node,",
    ],
  ]),
  mutant("a node is granted while its grant lasts", "rule", [
    ["bool = kept.until <= reachedByBoth", "bool = kept.until <= reachedByBoth + 100"],
    ["max(kept.until, now)", "now"],
  ]),
  mutant("a repeated request gets a grant that begins at its time", "rule", [
    [OWN, OWN.replace("repeated", "{ ...kept, from: now }")],
  ]),
  mutant("a repeated request gets a grant that ends earlier", "rule", [
    [OWN, OWN.replace("state", "state.withNode(chosen, { ...kept, until: NEVER })")],
  ]),
  mutant("a release returns ticks from before the grant", "rule", [
    ["until: max(nextTick, kept.from)", "until: nextTick"],
  ]),
  mutant("a holder returns the last tick that it stamped", "lease", [
    ["max(process.from, process.last + 1)", "max(process.from, process.last)"],
  ]),
  mutant("a holder stamps after its release", "lease", [
    ["bool = process.phase == Open", "bool = process.phase == Open or process.phase == Closed"],
  ]),
  mutant("a holder acquires its next grant under the same owner", "lease", [
    [
      "bool = process.phase == Waiting",
      "bool = process.phase == Waiting or (process.phase == Closed and process.node != -1)",
    ],
    ["(self.phase == Closed and self.node == -1),", "self.phase == Closed,"],
  ]),
  mutant(
    "a holder accepts an answer about a later grant",
    "lease",
    [["answer.node == process.node and answer.from == process.from", "answer.node == process.node"]],
    "pair",
  ),

  mutant("a renewal does not check the generation", "rule", [[LOST, withoutGeneration(LOST)]], "copied"),
  mutant("a renewal does not check the nonce", "rule", [[LOST, withoutNonce(LOST)]], "copied"),
  mutant(
    "a release does not check the generation",
    "rule",
    [[RELEASED, withoutGeneration(RELEASED)]],
    "copied",
  ),
  mutant("a release does not check the nonce", "rule", [[RELEASED, withoutNonce(RELEASED)]], "copied"),

  mutant("a new grant ignores the fence", "rule", [[FENCED, "false"]], "rolledBackSoon"),
  mutant(
    "a new grant begins a tick before the fence",
    "rule",
    [[FENCED, FENCED.replace("fence >", "fence - 1 >")]],
    "rolledBackSoon",
  ),
  mutant(
    "a new grant in a store that went back raises no fence",
    "rule",
    [
      [
        'store).with("longestReachTicks", longest)',
        'store).with("fence", before.fence).with("longestReachTicks", longest)',
      ],
    ],
    "rolledBackSoon",
  ),
  mutant(
    "a renewal in a store that went back raises no fence",
    "rule",
    [
      [
        "noticeHistory(terms, store) else before",
        'noticeHistory(terms, store).with("fence", before.fence) else before',
      ],
    ],
    "rolledBackSoon",
  ),
  mutant(
    "a renewal in a store that went back does not check whether the grant had ended",
    "rule",
    [[LOST, "if (not(isCurrent(kept, proof)))"]],
    "rolledBackSoon",
  ),
  mutant(
    "a repeated request in a store that went back gets a grant that had ended",
    "rule",
    [
      [
        "isOwn(state.nodes.get(node), request) and not(isStale(state, terms, state.nodes.get(node)))",
        "isOwn(state.nodes.get(node), request)",
      ],
    ],
    "rolledBackSoon",
  ),
];

/** Returns the text with the changes of a mutant. Throws if one of them does not occur once. */
export function mutate(text: string, { title, changes }: SpecMutant): string {
  let mutated = text;
  for (const [before, after] of changes) {
    const pieces = mutated.split(before);
    if (pieces.length !== 2)
      throw new Error(`${title}: "${before}" occurs ${pieces.length - 1} times in the spec, not once`);
    mutated = pieces.join(after);
  }
  return mutated;
}

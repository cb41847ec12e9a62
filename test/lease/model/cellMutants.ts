// Mutants of what is around the rule over cells: harmful ones, and some that differ without harm.

import * as rule from "../../../src/lease/rule.ts";
import { type CellBehavior, type CellBounds, correctCells } from "./cellModel.ts";
import type { Cell, Snapshot } from "./cellStore.ts";
import { correctHolder } from "./holder.ts";
import { harmfulMutants, harmlessMutants, type Mutant } from "./mutants.ts";

export interface CellMutant extends Mutant {
  readonly cells: CellBehavior;
  readonly bounds: Partial<CellBounds>;
}

function mutant(
  title: string,
  cells: Partial<CellBehavior>,
  bounds: Partial<CellBounds> = {},
  behavior: Mutant["behavior"] = correctHolder,
): CellMutant {
  return { title, rule, behavior, cells: { ...correctCells, ...cells }, bounds };
}

/** Returns the version that was read of another node, if there is one. */
function versionOfOther(node: number, snapshot: Snapshot) {
  const [other] = [...snapshot].find(([some]) => some !== node) ?? [node];
  return { node: other, version: (snapshot.get(other) as Cell).version };
}

/** Two nodes, so that an acquire reads several cells, each at its own moment. */
const LISTED = { nodes: 2, ticks: 1, renewals: 0 };

/** A store that goes back. */
const ROLLED_BACK = { rollbacks: 1, renewals: 0 };

/** Mutants that let two holders stamp the same tick of a node. */
export const harmfulCellMutants: readonly CellMutant[] = [
  mutant("a swap does not compare the version", { conditionOf: () => undefined }),
  mutant(
    "an acquire decides by a list, and swaps over the version of a later read",
    {
      conditionOf: (node, _, cells) => ({ node, version: (cells[node] as Cell).version }),
    },
    LISTED,
  ),
  mutant("a swap compares the version of another node's cell", { conditionOf: versionOfOther }, LISTED),
  mutant(
    "a version is used again after the store went back",
    { versionOf: ({ version }) => version + 1, reusesVersions: true },
    { ...ROLLED_BACK, holders: 3, ticks: 2, losesAll: true },
  ),
  mutant("a swap that failed counts as one that wrote", { ignoresFailure: true }),
  mutant("holders go on while the store goes back", { stopsHolders: false }, ROLLED_BACK),
  mutant(
    "new holders start before all grants have ended, after the store went back",
    { waitsForGrants: false },
    ROLLED_BACK,
  ),
];

/**
 * The mutants of the rule and of holders, over cells. Those of the fence are not among them, because a store of cells reports no
 * history.
 */
export const harmfulRuleMutants: readonly CellMutant[] = harmfulMutants
  .filter(({ bounds }) => !bounds.rollbacks)
  .map((one) => ({ ...one, cells: correctCells, bounds: boundsOf(one) }));

function boundsOf({ rule: { release }, behavior, bounds }: Mutant): Partial<CellBounds> {
  // A late acquire is harmless over cells, because its version is from before the grant of another holder. One that goes on is not.
  if (behavior.isSameGrant !== correctHolder.isSameGrant) return { ...bounds, lateCalls: true };
  if (bounds.copies) return { ...bounds, ticks: 1 };
  return release === rule.release ? bounds : { ...bounds, holders: 3 };
}

/** Mutants without harm: what they leave out, the version of a swap ensures. */
export const harmlessCellMutants: readonly CellMutant[] = [
  // As a list that is behind. A swap over no version fails if the node has a cell.
  mutant("a list misses cells that are there", { missesCells: true }),
  ...harmlessMutants
    .filter(({ bounds }) => !bounds.rollbacks)
    .map((one) => ({ ...one, cells: correctCells })),
];

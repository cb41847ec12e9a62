// Model check of the lease rule over cells, on every reachable state: no two holders stamp the same tick of a node.

import { describe, expect, test } from "vitest";
import * as rule from "../../src/lease/rule.ts";
import { CellModel, type CellModelState, correctCells } from "./model/cellModel.ts";
import { harmfulCellMutants, harmfulRuleMutants, harmlessCellMutants } from "./model/cellMutants.ts";
import { explore } from "./model/explorer.ts";
import { correctHolder } from "./model/holder.ts";
import { allHolders, hasDuplicate, holderName } from "./model/holderSteps.ts";

/** Bounds in which every harmful mutant leads to a duplicate. */
const SMALL = { holders: 2, nodes: 1, ticks: 3, renewals: 1 };

describe("over cells, no two holders stamp the same tick of a node, with", () => {
  test.each([
    // `atLeast` detects an explorer that misses most states.
    { holders: 2, nodes: 1, ticks: 3, renewals: 1, atLeast: 20_000 },
    { holders: 3, nodes: 1, ticks: 2, renewals: 1, atLeast: 24_000 },
    { holders: 2, nodes: 2, ticks: 1, renewals: 0, atLeast: 23_000 },
    { holders: 2, nodes: 1, ticks: 2, renewals: 1, lateCalls: true, atLeast: 8_000 },
    { holders: 1, nodes: 1, ticks: 2, renewals: 1, copies: 1, atLeast: 36_000 },
    { holders: 2, nodes: 1, ticks: 1, renewals: 1, copies: 1, atLeast: 29_000 },
    { holders: 2, nodes: 1, ticks: 2, renewals: 0, rollbacks: 1, atLeast: 12_000 },
    { holders: 3, nodes: 1, ticks: 2, renewals: 0, rollbacks: 1, losesAll: true, atLeast: 15_000 },
    { holders: 2, nodes: 1, ticks: 2, renewals: 1, rollbacks: 1, losesAll: true, atLeast: 16_000 },
  ])("%o", ({ atLeast, ...bounds }) => {
    const { states, steps, depth, trace } = explore(
      new CellModel(rule, correctHolder, correctCells, bounds),
      hasDuplicate,
    );
    console.info(
      `${JSON.stringify(bounds)}: all ${states} states, ${steps} transitions, the farthest is ${depth} away`,
    );
    expect(trace).toBeUndefined();
    expect(states).toBeGreaterThan(atLeast);
  });
});

describe("the explorer of cells reaches", () => {
  const versionNow = ({ cells }: CellModelState, node = 0) => cells[node]?.version;
  const nodeNow = ({ cells }: CellModelState, node = 0) => cells[node]?.value.node;

  test.each<{ title: string; bounds?: object; isReached: (state: CellModelState) => boolean }>([
    {
      title: "a node whose ticks were all stamped by three holders in turn",
      bounds: { holders: 3 },
      isReached: (state) => {
        const ticks = allHolders(state).map(({ stamped }) => stamped[0] as number);
        return ticks.every((some) => some > 0) && ticks.reduce((all, some) => all | some) === 0b111;
      },
    },
    {
      title: "three holders with swaps over the same version",
      bounds: { holders: 3 },
      isReached: (state) =>
        allHolders(state).every(({ swaps }) =>
          swaps.some(({ condition }) => condition?.version === versionNow(state)),
        ),
    },
    {
      title: "a holder that has the node by a late swap, and has given up",
      bounds: { holders: 1 },
      isReached: (state) =>
        state.groups.some(
          ([{ grant, released, swaps }], i) =>
            !grant && released && swaps.length === 0 && nodeNow(state)?.owner === holderName(i),
        ),
    },
    {
      title: "a holder with a swap on the way to renew and another one to release",
      bounds: { holders: 1 },
      isReached: (state) =>
        allHolders(state).some(
          ({ swaps }) => new Set(swaps.map(({ operation }) => operation.kind)).size === 2,
        ),
    },
    {
      title: "a holder that has read a cell which changed before it reads the next one",
      bounds: { nodes: 2, ticks: 1, renewals: 0 },
      isReached: (state) =>
        allHolders(state).some(({ snapshot }) =>
          [...snapshot].some(([node, { version }]) => version !== versionNow(state, node)),
        ),
    },
    {
      title: "two holders that have a node each",
      bounds: { nodes: 2, ticks: 1, renewals: 0 },
      isReached: (state) =>
        allHolders(state).every(({ isOpen }, i) => isOpen && nodeNow(state, i)?.owner === holderName(i)),
    },
    {
      title: "a copy that has the node alone and without doubt",
      bounds: { holders: 1, ticks: 2, copies: 1 },
      isReached: ({ groups: [[, copy]] }) => copy?.isInDoubt === false && copy.stamped[0] !== 0,
    },
    {
      title: "two copies that may send the same swap",
      bounds: { holders: 1, ticks: 1, copies: 1 },
      isReached: ({ groups: [[one, copy]] }) =>
        one.swaps.length > 0 && one.swaps[0]?.operation === copy?.swaps[0]?.operation,
    },
    {
      title: "a store that went back, in which a swap of a stopped holder has written",
      bounds: { ticks: 2, renewals: 0, rollbacks: 1, losesAll: true },
      isReached: (state) =>
        state.rollbacks === 1 &&
        state.groups.some(([{ isStopped }], i) => isStopped && nodeNow(state)?.owner === holderName(i)),
    },
    {
      title: "a new holder that stamps a node after the store has forgotten the one before",
      bounds: { ticks: 2, renewals: 0, rollbacks: 1, losesAll: true },
      isReached: (state) =>
        state.rollbacks === 1 &&
        allHolders(state).every(({ stamped }) => (stamped[0] as number) > 0) &&
        allHolders(state).some(({ isStopped }) => !isStopped),
    },
  ])("$title", ({ isReached, bounds }) => {
    const model = new CellModel(rule, correctHolder, correctCells, { ...SMALL, ...bounds });
    expect(explore(model, isReached).trace).toBeDefined();
  });
});

describe("over cells, the explorer finds a duplicate when", () => {
  const traces: string[] = [];

  test.each([...harmfulCellMutants, ...harmfulRuleMutants])("$title", (mutant) => {
    const { title, rule, behavior, cells, bounds } = mutant;
    const model = new CellModel(rule, behavior, cells, { ...SMALL, ...bounds });
    const { trace = [] } = explore(model, hasDuplicate);
    expect(trace).not.toEqual([]);
    traces.push([title, ...trace.map((line) => `  ${line}`)].join("\n"));
  });

  test("the duplicates have the traces of model/cellTraces.txt", async () => {
    await expect(`${traces.join("\n\n")}\n`).toMatchFileSnapshot("model/cellTraces.txt");
  });
});

describe("over cells, there is no duplicate when", () => {
  test.each(harmlessCellMutants)("$title", ({ rule, behavior, cells, bounds }) => {
    const all = { ...SMALL, ticks: 2, ...bounds };
    expect(explore(new CellModel(rule, behavior, cells, all), hasDuplicate).trace).toBeUndefined();
  });
});

test("the explorer of cells fails if the rule decides about a node by the cells of others", () => {
  const latestEndOf = (state: rule.NamespaceState | undefined) =>
    Math.max(0, ...[...(state?.nodes.values() ?? [])].map(({ until }) => until));
  const acquire: typeof rule.acquire = (state, terms, request, nowMs, ...rest) =>
    rule.acquire(state, terms, request, Math.max(nowMs, latestEndOf(state)), ...rest);
  const bounds = { ...SMALL, nodes: 2, ticks: 1, renewals: 0 };
  const model = new CellModel({ ...rule, acquire }, correctHolder, correctCells, bounds);
  expect(() => explore(model, hasDuplicate)).toThrow("depends on other nodes");
});

// Model check of the lease rule on every reachable state: no two holders stamp the same tick of a node.

import { describe, expect, test } from "vitest";
import * as rule from "../../src/lease/rule.ts";
import { explore } from "./model/explorer.ts";
import { correctHolder } from "./model/holder.ts";
import { allHolders, hasDuplicate, holderName } from "./model/holderSteps.ts";
import { Model, type ModelState } from "./model/model.ts";
import { harmfulMutants, harmlessMutants } from "./model/mutants.ts";
import { nodeState } from "./model/store.ts";

/** Bounds in which every harmful mutant leads to a duplicate. */
const SMALL = { holders: 3, nodes: 1, ticks: 3, renewals: 1 };

describe("the lease rule lets no two holders stamp the same tick of a node, with", () => {
  test.each([
    // `atLeast` detects an explorer that misses most states.
    { holders: 2, nodes: 1, ticks: 4, renewals: 2, copies: 0, rollbacks: 0, atLeast: 200_000 },
    { holders: 3, nodes: 1, ticks: 3, renewals: 1, copies: 0, rollbacks: 0, atLeast: 100_000 },
    { holders: 2, nodes: 2, ticks: 2, renewals: 1, copies: 0, rollbacks: 0, atLeast: 30_000 },
    { holders: 1, nodes: 1, ticks: 2, renewals: 2, copies: 1, rollbacks: 0, atLeast: 40_000 },
    { holders: 1, nodes: 1, ticks: 3, renewals: 1, copies: 1, rollbacks: 0, atLeast: 60_000 },
    { holders: 2, nodes: 1, ticks: 2, renewals: 1, copies: 1, rollbacks: 0, atLeast: 200_000 },
    { holders: 2, nodes: 1, ticks: 3, renewals: 1, copies: 0, rollbacks: 1, atLeast: 200_000 },
    { holders: 2, nodes: 1, ticks: 2, renewals: 1, copies: 0, rollbacks: 2, atLeast: 50_000 },
  ])(
    "holders: $holders, nodes: $nodes, ticks: $ticks, renewals: $renewals, copies: $copies, rollbacks: $rollbacks",
    ({ atLeast, ...bounds }) => {
      const { states, steps, depth, trace } = explore(new Model(rule, correctHolder, bounds), hasDuplicate);
      console.info(
        `${JSON.stringify(bounds)}: all ${states} states, ${steps} transitions, the farthest is ${depth} away`,
      );
      expect(trace).toBeUndefined();
      expect(states).toBeGreaterThan(atLeast);
    },
  );
});

describe("the explorer reaches", () => {
  test.each<{ title: string; bounds?: object; isReached: (state: ModelState) => boolean }>([
    {
      title: "a node whose ticks were all stamped by three holders in turn",
      isReached: (state) => {
        const ticks = allHolders(state).map(({ stamped }) => stamped[0] as number);
        return ticks.every((some) => some > 0) && ticks.reduce((all, some) => all | some) === 0b111;
      },
    },
    {
      title: "three holders that may all stamp a node",
      isReached: (state) =>
        allHolders(state).every(({ isOpen, grant, stamped }) => isOpen && grant && stamped[0] === 0),
    },
    {
      title: "a holder whose grant has a lost answer",
      isReached: ({ store, groups }) =>
        groups.some(([{ grant }], i) => !grant && nodeState(store, 0)?.owner === holderName(i)),
    },
    {
      title: "a holder that has released its node and is granted it again by a late message",
      isReached: ({ store, groups }) =>
        groups.some(([{ grant, released }], i) => {
          const node = nodeState(store, 0);
          return released && node?.owner === holderName(i) && grant && node.from > grant.from;
        }),
    },
    {
      title: "a node that another holder has while its release is on the way",
      isReached: ({ store, groups }) =>
        groups.some(
          ([{ released }], i) =>
            released && ![null, holderName(i)].includes(nodeState(store, 0)?.owner ?? null),
        ),
    },
    {
      title: "a renewal that was executed and whose answer is lost",
      isReached: ({ store, groups }) =>
        groups.some(
          ([{ isOpen, generation }], i) =>
            isOpen &&
            nodeState(store, 0)?.owner === holderName(i) &&
            Number(nodeState(store, 0)?.generation) > generation,
        ),
    },
    {
      title: "two copies that have stamped the same tick in doubt",
      bounds: { holders: 1, copies: 1 },
      isReached: ({ groups: [[one, copy]] }) =>
        one?.isOpen === true && copy?.isOpen === true && one.last[0] === 0 && copy.last[0] === 0,
    },
    {
      title: "a copy that has the node alone and without doubt",
      bounds: { holders: 1, copies: 1 },
      isReached: ({ groups: [[, copy]] }) => copy?.isInDoubt === false && copy.stamped[0] !== 0,
    },
    {
      title: "a holder whose renewal is granted by a store that has forgotten an earlier one",
      bounds: { holders: 2, rollbacks: 1, renewals: 2 },
      isReached: ({ rollbacks, store, groups }) =>
        rollbacks === 1 &&
        groups.some(
          ([{ generation }], i) =>
            generation === 2 &&
            nodeState(store, 0)?.owner === holderName(i) &&
            store.state?.historyId === "h1",
        ),
    },
    {
      title: "a holder whose grant the store has forgotten, and another holder of the node after it",
      bounds: { holders: 3, rollbacks: 1 },
      isReached: ({ rollbacks, groups }) =>
        rollbacks === 1 &&
        groups.filter(([{ grant, isOpen, stamped }]) => grant && isOpen && stamped[0]).length === 2,
    },
  ])("$title", ({ isReached, bounds }) => {
    expect(explore(new Model(rule, correctHolder, { ...SMALL, ...bounds }), isReached).trace).toBeDefined();
  });
});

describe("the explorer finds a duplicate when", () => {
  const traces: string[] = [];

  test.each(harmfulMutants)("$title", ({ title, rule, behavior, bounds }) => {
    const { trace = [] } = explore(new Model(rule, behavior, { ...SMALL, ...bounds }), hasDuplicate);
    expect(trace).not.toEqual([]);
    traces.push([title, ...trace.map((line) => `  ${line}`)].join("\n"));
  });

  test("the duplicates have the traces of model/traces.txt", async () => {
    await expect(`${traces.join("\n\n")}\n`).toMatchFileSnapshot("model/traces.txt");
  });
});

describe("there is no duplicate when", () => {
  test.each(harmlessMutants)("$title", ({ rule, behavior, bounds }) => {
    for (const some of [
      { ...SMALL, holders: 2 },
      { ...SMALL, holders: 2, nodes: 2, ticks: 2 },
    ]) {
      const all = { ...some, ...bounds };
      expect(explore(new Model(rule, behavior, all), hasDuplicate).trace).toBeUndefined();
    }
  });
});

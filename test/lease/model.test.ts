// The lease protocol, checked on every state that it can get into: no two holders ever stamp the same tick of a node.

import { describe, expect, test } from "vitest";
import * as protocol from "../../src/lease/rule.ts";
import { honest } from "./model/conduct.ts";
import { explore } from "./model/explore.ts";
import { broken, harmless } from "./model/mutants.ts";
import { holdingOf } from "./model/store.ts";
import { holdersOf, isBroken, nameOf, type World, Worlds } from "./model/world.ts";

/** Enough for a mutant to do harm, and for all that may be seen on the way. */
const SMALL = { holders: 3, nodes: 1, ticks: 3, renewals: 1 };

describe("no two holders stamp the same tick of a node", () => {
  test.each([
    // `atLeast` keeps the checker from exploring next to nothing unnoticed.
    { holders: 2, nodes: 1, ticks: 4, renewals: 2, copies: 0, returns: 0, atLeast: 200_000 },
    { holders: 3, nodes: 1, ticks: 3, renewals: 1, copies: 0, returns: 0, atLeast: 100_000 },
    { holders: 2, nodes: 2, ticks: 2, renewals: 1, copies: 0, returns: 0, atLeast: 30_000 },
    { holders: 1, nodes: 1, ticks: 2, renewals: 2, copies: 1, returns: 0, atLeast: 40_000 },
    { holders: 1, nodes: 1, ticks: 3, renewals: 1, copies: 1, returns: 0, atLeast: 60_000 },
    { holders: 2, nodes: 1, ticks: 2, renewals: 1, copies: 1, returns: 0, atLeast: 200_000 },
    { holders: 2, nodes: 1, ticks: 3, renewals: 1, copies: 0, returns: 1, atLeast: 200_000 },
    { holders: 2, nodes: 1, ticks: 2, renewals: 1, copies: 0, returns: 2, atLeast: 50_000 },
  ])(
    "holders: $holders, nodes: $nodes, ticks: $ticks, renewals: $renewals, copies: $copies, returns: $returns",
    ({ atLeast, ...bounds }) => {
      const { states, steps, depth, trace } = explore(new Worlds(protocol, honest, bounds), isBroken);
      console.info(
        `${JSON.stringify(bounds)}: all ${states} states, ${steps} steps, the farthest is ${depth} away`,
      );
      expect(trace).toBeUndefined();
      expect(states).toBeGreaterThan(atLeast);
    },
  );
});

describe("the checker sees", () => {
  test.each<{ title: string; bounds?: object; isSeen: (world: World) => boolean }>([
    {
      title: "a node whose every tick is stamped, by three holders in turn",
      isSeen: (world) => {
        const ticks = holdersOf(world).map(({ stamped }) => stamped[0] as number);
        return ticks.every((some) => some > 0) && ticks.reduce((all, some) => all | some) === 0b111;
      },
    },
    {
      title: "three holders who all may stamp a node",
      isSeen: (world) =>
        holdersOf(world).every(({ isOpen, grant, stamped }) => isOpen && grant && stamped[0] === 0),
    },
    {
      title: "a holder that has a node, and the answer is lost",
      isSeen: ({ store, families }) =>
        families.some(([{ grant }], i) => !grant && holdingOf(store, 0)?.owner === nameOf(i)),
    },
    {
      title: "a holder that has given its node back, and has it again by a message that came late",
      isSeen: ({ store, families }) =>
        families.some(([{ grant, given }], i) => {
          const holding = holdingOf(store, 0);
          return given && holding?.owner === nameOf(i) && grant && holding.from > grant.from;
        }),
    },
    {
      title: "a node that is another's already when its release is on the way",
      isSeen: ({ store, families }) =>
        families.some(
          ([{ given }], i) => given && ![null, nameOf(i)].includes(holdingOf(store, 0)?.owner ?? null),
        ),
    },
    {
      title: "a renewal that the store has carried out, and the answer is lost",
      isSeen: ({ store, families }) =>
        families.some(
          ([{ isOpen, generation }], i) =>
            isOpen &&
            holdingOf(store, 0)?.owner === nameOf(i) &&
            Number(holdingOf(store, 0)?.generation) > generation,
        ),
    },
    {
      title: "two copies that have stamped the same tick, in doubt",
      bounds: { holders: 1, copies: 1 },
      isSeen: ({ families: [[one, copy]] }) =>
        one?.isOpen === true && copy?.isOpen === true && one.last[0] === 0 && copy.last[0] === 0,
    },
    {
      title: "a copy that has the node to itself, and no doubt",
      bounds: { holders: 1, copies: 1 },
      isSeen: ({ families: [[, copy]] }) => copy?.isInDoubt === false && copy.stamped[0] !== 0,
    },
    {
      title: "a holder whose renewal is granted in a store that has forgotten one",
      bounds: { holders: 2, returns: 1, renewals: 2 },
      isSeen: ({ returns, store, families }) =>
        returns === 1 &&
        families.some(
          ([{ generation }], i) =>
            generation === 2 && holdingOf(store, 0)?.owner === nameOf(i) && store.book?.history === "h1",
        ),
    },
    {
      title: "a holder whose grant the store has forgotten, and another that has the node after it",
      bounds: { holders: 3, returns: 1 },
      isSeen: ({ returns, families }) =>
        returns === 1 &&
        families.filter(([{ grant, isOpen, stamped }]) => grant && isOpen && stamped[0]).length === 2,
    },
  ])("$title", ({ isSeen, bounds }) => {
    expect(explore(new Worlds(protocol, honest, { ...SMALL, ...bounds }), isSeen).trace).toBeDefined();
  });
});

describe("the checker finds the harm when", () => {
  const stories: string[] = [];

  test.each(broken)("$title", ({ title, protocol, conduct, bounds }) => {
    const { trace = [] } = explore(new Worlds(protocol, conduct, { ...SMALL, ...bounds }), isBroken);
    expect(trace).not.toEqual([]);
    stories.push([title, ...trace.map((line) => `  ${line}`)].join("\n"));
  });

  test("which are these stories", async () => {
    await expect(`${stories.join("\n\n")}\n`).toMatchFileSnapshot("model/traces.txt");
  });
});

describe("there is no harm when", () => {
  test.each(harmless)("$title", ({ protocol, conduct, bounds }) => {
    for (const some of [
      { ...SMALL, holders: 2 },
      { ...SMALL, holders: 2, nodes: 2, ticks: 2 },
    ]) {
      const all = { ...some, ...bounds };
      expect(explore(new Worlds(protocol, conduct, all), isBroken).trace).toBeUndefined();
    }
  });
});

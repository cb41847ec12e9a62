// The lease protocol, checked on every state that it can get into: no two holders ever stamp the same tick of a node.

import { describe, expect, test } from "vitest";
import * as protocol from "../../src/lease/protocol.ts";
import { honest } from "./model/conduct.ts";
import { explore } from "./model/explore.ts";
import { broken, harmless } from "./model/mutants.ts";
import { ownerOf } from "./model/store.ts";
import { isBroken, nameOf, type World, Worlds } from "./model/world.ts";

/** Enough for a mutant to do harm, and for all that may be seen on the way. */
const SMALL = { holders: 3, nodes: 1, ticks: 4 };

describe("no two holders stamp the same tick of a node", () => {
  test.each([
    // `atLeast` keeps the checker from exploring next to nothing unnoticed.
    { holders: 2, nodes: 1, ticks: 7, atLeast: 200_000 },
    { holders: 3, nodes: 1, ticks: 5, atLeast: 200_000 },
    { holders: 4, nodes: 1, ticks: 4, atLeast: 200_000 },
    { holders: 2, nodes: 2, ticks: 4, atLeast: 200_000 },
    { holders: 3, nodes: 2, ticks: 3, atLeast: 500_000 },
    { holders: 4, nodes: 2, ticks: 2, atLeast: 80_000 },
  ])("$holders holders, nodes: $nodes, ticks: $ticks", ({ atLeast, ...bounds }) => {
    const { states, steps, depth, trace } = explore(new Worlds(protocol, honest, bounds), isBroken);
    console.info(
      `${JSON.stringify(bounds)}: all ${states} states, ${steps} steps, the farthest is ${depth} away`,
    );
    expect(trace).toBeUndefined();
    expect(states).toBeGreaterThan(atLeast);
  });
});

describe("the checker sees", () => {
  test.each<{ title: string; isSeen: (world: World) => boolean }>([
    {
      title: "a node whose every tick is stamped, by three holders in turn",
      isSeen: ({ holders }) => {
        const ticks = holders.map(({ stamped }) => stamped[0]);
        return ticks.every((some) => some > 0) && ticks.reduce((all, some) => all | some) === 0b1111;
      },
    },
    {
      title: "three holders who all may stamp a node",
      isSeen: ({ holders }) =>
        holders.every(({ isOpen, grant, stamped }) => isOpen && grant && stamped[0] === 0),
    },
    {
      title: "a holder that has a node, and the answer is lost",
      isSeen: ({ store, holders }) =>
        holders.some(({ grant }, i) => !grant && ownerOf(store, 0) === nameOf(i)),
    },
    {
      title: "a holder that has given its node back, and has it again by a message that came late",
      isSeen: ({ store, holders }) =>
        holders.some(({ grant, given }, i) => {
          const holding = store.book?.nodes.get(0);
          return given && holding?.owner === nameOf(i) && grant && holding.from > grant.from;
        }),
    },
    {
      title: "a node that is another's already when its release is on the way",
      isSeen: ({ store, holders }) =>
        holders.some(({ given }, i) => given && ![null, nameOf(i)].includes(ownerOf(store, 0) ?? null)),
    },
  ])("$title", ({ isSeen }) => {
    expect(explore(new Worlds(protocol, honest, SMALL), isSeen).trace).toBeDefined();
  });
});

describe("the checker finds the harm when", () => {
  const stories: string[] = [];

  test.each(broken)("$title", ({ title, protocol, conduct }) => {
    const { trace = [] } = explore(new Worlds(protocol, conduct, SMALL), isBroken);
    expect(trace).not.toEqual([]);
    stories.push([title, ...trace.map((line) => `  ${line}`)].join("\n"));
  });

  test("which are these stories", async () => {
    await expect(`${stories.join("\n\n")}\n`).toMatchFileSnapshot("model/traces.txt");
  });
});

describe("there is no harm when", () => {
  test.each(harmless)("$title", ({ protocol, conduct }) => {
    for (const bounds of [SMALL, { holders: 3, nodes: 2, ticks: 2 }]) {
      expect(explore(new Worlds(protocol, conduct, bounds), isBroken).trace).toBeUndefined();
    }
  });
});

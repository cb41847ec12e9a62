// Goes through all states that can be reached, the nearest first: what it finds, it finds on a shortest way.

import type { World, Worlds } from "./world.ts";

export interface Search {
  /** How many states were seen, and how many ways from one to another. */
  readonly states: number;
  readonly steps: number;
  /** How many steps away the farthest is. */
  readonly depth: number;
  /** How to get to a state that was sought; `undefined` if there is none, and all have been seen. */
  readonly trace: readonly string[] | undefined;
}

export function explore(worlds: Worlds, isSought: (world: World) => boolean): Search {
  let frontier = new Map([[worlds.keyOf(worlds.first), worlds.first]]);
  /** Every state that was seen, and the one before it. */
  const seen = new Map([...frontier.keys()].map((key) => [key, ""]));
  let steps = 0;
  let depth = 0;
  let found = "";
  while (!found) {
    const next = new Map<string, World>();
    for (const [before, world] of frontier) {
      worlds.visit(world, (after) => {
        steps++;
        const key = worlds.keyOf(after);
        if (seen.has(key)) return;
        seen.set(key, before);
        next.set(key, after);
        if (!found && isSought(after)) found = key;
      });
      if (found) break;
    }
    if (next.size === 0) break;
    depth++;
    frontier = next;
  }
  return { states: seen.size, steps, depth, trace: found ? retrace(worlds, seen, found) : undefined };
}

/** Goes the way to a state once more, to tell it: a key does not know which holder is which. */
function retrace(worlds: Worlds, seen: ReadonlyMap<string, string>, last: string): string[] {
  const way: string[] = [];
  for (let key = last, before = seen.get(key); before; key = before, before = seen.get(key)) way.unshift(key);
  let world = worlds.first;
  return way.map((key) => {
    let line = "";
    worlds.visit(world, (next, who, what) => {
      if (line || worlds.keyOf(next) !== key) return;
      line = `${who}: ${what}`;
      world = next;
    });
    return line;
  });
}

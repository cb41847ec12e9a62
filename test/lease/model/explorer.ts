// Explorer: breadth-first search of all reachable states, so that a trace it finds is a shortest one.

/** Gets a successor state, and the actor and the event that lead to it. */
export type Visit<State> = (next: State, actor: string, event: string) => void;

/** A model that can be explored. */
export interface Explorable<State> {
  readonly first: State;
  /** Returns the key of a state. States with one key have the same successors, except for the names of holders. */
  keyOf(state: State): string;
  /** Visits all successors of a state. */
  visit(state: State, each: Visit<State>): void;
}

export interface Exploration {
  /** The number of states and of transitions. */
  readonly states: number;
  readonly steps: number;
  /** The number of transitions to the farthest state. */
  readonly depth: number;
  /** The transitions to a target state; `undefined` if no state is a target, and all states were explored. */
  readonly trace: readonly string[] | undefined;
}

export function explore<State>(model: Explorable<State>, isTarget: (state: State) => boolean): Exploration {
  let frontier = new Map([[model.keyOf(model.first), model.first]]);
  /** Every state seen, with the state before it. */
  const seen = new Map([...frontier.keys()].map((key) => [key, ""]));
  let steps = 0;
  let depth = 0;
  let found = "";
  while (!found) {
    const next = new Map<string, State>();
    for (const [before, state] of frontier) {
      model.visit(state, (after) => {
        steps++;
        const key = model.keyOf(after);
        if (seen.has(key)) return;
        seen.set(key, before);
        next.set(key, after);
        if (!found && isTarget(after)) found = key;
      });
      if (found) break;
    }
    if (next.size === 0) break;
    depth++;
    frontier = next;
  }
  return { states: seen.size, steps, depth, trace: found ? retrace(model, seen, found) : undefined };
}

/** Repeats the transitions to a state and describes them. A key does not distinguish holders, so names come from a replay. */
function retrace<State>(model: Explorable<State>, seen: ReadonlyMap<string, string>, last: string): string[] {
  const path: string[] = [];
  for (let key = last, before = seen.get(key); before; key = before, before = seen.get(key))
    path.unshift(key);
  let state = model.first;
  return path.map((key) => {
    let line = "";
    model.visit(state, (next, actor, event) => {
      if (line || model.keyOf(next) !== key) return;
      line = `${actor}: ${event}`;
      state = next;
    });
    return line;
  });
}

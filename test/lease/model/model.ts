// Model: the states of holders and a store, and the transitions between them.
//
// The model does not restrict when a holder acts, what a clock shows, or how long a message takes:
// - A clock, including the store's, shows any time at each reading, even an earlier one.
// - A message that was sent arrives at any time, any number of times, or never.
// - An answer arrives at once or is lost. A later answer needs no transition of its own, because its holder might as well
//   have done nothing in between.
// - A pause is other holders acting meanwhile. A crash is a holder that does nothing more. A restarted process knows
//   nothing of its past, so it is another holder.
// - A holder may be copied with its whole state, as a snapshot copies a process. The copy then has its own nonces. Until
//   one of the two has the answer to a renewal that it began after the copy, its stamps are in doubt and are not counted,
//   because until then both may stamp the same ticks.
// - A store may go back to an earlier state. Then its history changes. Everything that it has forgotten ends before the
//   fence. Copies are in doubt again.

import type { Grant } from "../../../src/snowflake/grant.ts";
import type { Explorable, Visit } from "./explorer.ts";
import type { HolderBehavior } from "./holder.ts";
import {
  codeOf,
  copyOf,
  type Holder,
  holderName,
  latestEnd,
  newHolder,
  requestOf,
  SEPARATOR,
  visitOwnSteps,
  withGrant,
  withRenewal,
} from "./holderSteps.ts";
import {
  type Bounds,
  type LeaseRule,
  type Message,
  nodeState,
  type StoreState,
  StoreStates,
} from "./store.ts";

/** A holder, and its copy if there is one. They have the same owner. */
export type HolderGroup = readonly [Holder, Holder?];

/** A state of the model. */
export interface ModelState {
  readonly store: StoreState;
  /** The state that the store may go back to. */
  readonly saved: StoreState | undefined;
  /** How often the store has gone back. */
  readonly rollbacks: number;
  readonly groups: readonly HolderGroup[];
}

/** The transitions of a rule and a holder's behavior. */
export class Model implements Explorable<ModelState> {
  readonly first: ModelState;
  readonly #stores: StoreStates;
  readonly #behavior: HolderBehavior;
  readonly #bounds: Bounds;

  constructor(rule: LeaseRule, behavior: HolderBehavior, bounds: Bounds) {
    this.#stores = new StoreStates(rule, bounds);
    this.#behavior = behavior;
    this.#bounds = bounds;
    const groups = Array<HolderGroup>(bounds.holders).fill([newHolder(bounds.nodes)]);
    this.first = { store: this.#stores.first, saved: undefined, rollbacks: 0, groups };
  }

  /** Returns the key of a state. States that differ only by a permutation of holders have one key. */
  keyOf({ store, saved, rollbacks, groups }: ModelState): string {
    const parts = groups.map((group, i) => {
      const owner = holderName(i);
      let code = this.#ownCode(store, owner);
      if (saved) code += this.#ownCode(saved, owner);
      for (const holder of group) if (holder) code += codeOf(holder) + SEPARATOR;
      return code;
    });
    const rest = store.code + (saved ? `s${saved.code}` : "") + rollbacks;
    return parts.sort().join(SEPARATOR) + SEPARATOR + rest;
  }

  /** Encodes which nodes an owner has, and by which request. */
  #ownCode(store: StoreState, owner: string): string {
    let code = "";
    for (let node = 0; node < this.#bounds.nodes; node++) {
      const kept = nodeState(store, node);
      code += kept?.owner === owner ? kept.nonce.slice(1) : ".";
    }
    return code;
  }

  /** Visits all successors of a state. */
  visit(state: ModelState, each: Visit<ModelState>): void {
    const { groups, store, saved, rollbacks } = state;
    const { copies = 0, rollbacks: most = 0 } = this.#bounds;
    groups.forEach((group, i) => {
      group.forEach((holder, at) => {
        if (!holder) return;
        const become = (next: Holder) =>
          groups.with(i, at > 0 ? [group[0], next] : group[1] ? [next, group[1]] : [next]);
        const actor = holderName(i) + "'".repeat(at);
        this.#deliver(state, holder, actor, become, each);
        visitOwnSteps(holder, actor, this.#behavior, this.#bounds, (next, event) =>
          each({ ...state, groups: become(next) }, actor, event),
        );
      });
    });
    if (groups.filter(({ length }) => length > 1).length < copies) {
      groups.forEach(([holder], i) => {
        if (holder.released) return;
        each({ ...state, groups: groups.with(i, copyOf(holder)) }, holderName(i), "is copied");
      });
    }
    if (rollbacks >= most) return;
    if (!saved && store.state) each({ ...state, saved: store }, "the store", "will go back to this");
    if (!saved || saved === store) return;
    // An answer that a holder has not received yet counts as lost.
    const gone = groups.map((group): HolderGroup => {
      if (group.length === 1) return group;
      const [one, copy] = group.map((holder) => ({
        ...(holder as Holder),
        isInDoubt: true,
        doubted: holder?.isWaiting ? (holder.renewals.at(-1)?.nonce ?? "") : "",
      }));
      return [one as Holder, copy];
    });
    each(
      { store: saved, saved: undefined, rollbacks: rollbacks + 1, groups: gone },
      "the store",
      "goes back",
    );
  }

  /** A message of the holder arrives, and its answer arrives or is lost. */
  #deliver(
    state: ModelState,
    holder: Holder,
    actor: string,
    become: (next: Holder) => readonly HolderGroup[],
    each: Visit<ModelState>,
  ): void {
    const { store } = state;
    const { released, renewals } = holder;
    const arrive = (message: Message, receive: (answer: Grant) => Holder | undefined) => {
      const outcomes = this.#stores.outcomes(store, message, `h${state.rollbacks}`, reachedBy(state));
      for (const { store: next, grant: answer, description } of outcomes) {
        const after = answer && receive(answer);
        if (next !== store)
          each({ ...state, store: next }, actor, answer ? `${description}, answer lost` : description);
        if (after) each({ ...state, store: next, groups: become(after) }, actor, description);
      }
    };
    const request = requestOf(actor);
    arrive({ kind: "acquire", request }, (answer) => withGrant(holder, request, answer, this.#behavior));
    for (const proof of renewals)
      arrive({ kind: "renew", proof }, (answer) => withRenewal(holder, proof, answer, this.#behavior));
    if (released) arrive({ kind: "release", ...released }, () => undefined);
  }
}

/** Returns the latest end of all grants, 0 if the store never went back. */
function reachedBy(state: ModelState): number {
  return state.rollbacks === 0 ? 0 : latestEnd(state);
}

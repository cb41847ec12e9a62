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

import type { GrantProof } from "../../../src/lease/rule.ts";
import type { Grant } from "../../../src/snowflake/grant.ts";
import type { HolderBehavior } from "./holder.ts";
import {
  type Bounds,
  type LeaseRule,
  type Message,
  nodeState,
  type StoreState,
  StoreStates,
} from "./store.ts";

/** State of a holder or of its copy. */
export interface Holder {
  /** The current or last grant; `undefined` before the first. */
  readonly grant: Grant | undefined;
  readonly generation: number;
  /** The nonce that was written with the grant. */
  readonly grantNonce: string;
  readonly isOpen: boolean;
  /** All renewals that it has sent. */
  readonly renewals: readonly GrantProof[];
  /** Whether the last renewal has no answer yet. */
  readonly isWaiting: boolean;
  /** For each node, one bit per tick that it has stamped, except those in doubt. */
  readonly stamped: readonly number[];
  /** For each node, the last tick stamped, -1 if none. */
  readonly last: readonly number[];
  /** The release that it has sent. */
  readonly released: { readonly proof: GrantProof; readonly nextTick: number } | undefined;
  /** Whether a copy may have the same state. */
  readonly isInDoubt: boolean;
  /** The nonce that the copy may have too, or that was created before the store went back. */
  readonly doubted: string;
}

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

/** Gets a successor state, and the actor and the event that lead to it. */
type Visit = (next: ModelState, actor: string, event: string) => void;

/** The transitions of a rule and a holder's behavior. */
export class Model {
  readonly first: ModelState;
  readonly #stores: StoreStates;
  readonly #behavior: HolderBehavior;
  readonly #bounds: Bounds;

  constructor(rule: LeaseRule, behavior: HolderBehavior, bounds: Bounds) {
    this.#stores = new StoreStates(rule, bounds);
    this.#behavior = behavior;
    this.#bounds = bounds;
    const zeros = Array<number>(bounds.nodes).fill(0);
    const holder: Holder = {
      grant: undefined,
      generation: 0,
      grantNonce: "",
      isOpen: false,
      renewals: [],
      isWaiting: false,
      stamped: zeros,
      last: zeros.map(() => -1),
      released: undefined,
      isInDoubt: false,
      doubted: "",
    };
    const groups = Array<HolderGroup>(bounds.holders).fill([holder]);
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
  visit(state: ModelState, each: Visit): void {
    const { groups, store, saved, rollbacks } = state;
    const { copies = 0, rollbacks: most = 0 } = this.#bounds;
    groups.forEach((group, i) => {
      group.forEach((holder, at) => {
        if (!holder) return;
        const become = (next: Holder) =>
          groups.with(i, at > 0 ? [group[0], next] : group[1] ? [next, group[1]] : [next]);
        const actor = holderName(i) + "'".repeat(at);
        this.#deliver(state, holder, actor, become, each);
        this.#renew(state, holder, actor, become, each);
        this.#stamp(state, holder, actor, become, each);
        this.#close(state, holder, actor, become, each);
      });
    });
    if (groups.filter(({ length }) => length > 1).length < copies) {
      groups.forEach(([holder], i) => {
        if (holder.released) return;
        const pending = holder.isWaiting ? holder.renewals.slice(-1) : [];
        const shared = { ...holder, isInDoubt: true, doubted: pending[0]?.nonce ?? "" };
        const copy = { ...shared, renewals: pending, stamped: holder.stamped.map(() => 0) };
        each({ ...state, groups: groups.with(i, [shared, copy]) }, holderName(i), "is copied");
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
    each: Visit,
  ): void {
    const { store } = state;
    const { grant, isOpen, released, renewals, isWaiting } = holder;
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
    arrive({ kind: "acquire", request }, (answer) => {
      const isAsking = !grant || (this.#behavior.reusesOwner && !isOpen);
      const had = {
        grant: grantOf(answer),
        generation: 0,
        grantNonce: request.nonce,
        isOpen: true,
        isWaiting: false,
      };
      return isAsking ? { ...holder, ...had } : undefined;
    });
    for (const proof of renewals) {
      arrive({ kind: "renew", proof }, (answer) => {
        if (!isOpen || !isWaiting || proof !== renewals.at(-1)) return undefined;
        if (!grant || !this.#behavior.isSameGrant(grant, answer)) return undefined;
        return {
          ...holder,
          grant: { ...grant, until: answer.until },
          generation: proof.generation + 1,
          grantNonce: proof.nonce,
          isWaiting: false,
          isInDoubt: holder.isInDoubt && proof.nonce === holder.doubted,
        };
      });
    }
    if (released) arrive({ kind: "release", ...released }, () => undefined);
  }

  /** The holder sends a renewal. */
  #renew(
    state: ModelState,
    holder: Holder,
    actor: string,
    become: (next: Holder) => readonly HolderGroup[],
    each: Visit,
  ): void {
    const { grant, isOpen, isWaiting, generation, grantNonce, renewals } = holder;
    if (!grant || !isOpen || isWaiting || generation >= this.#bounds.renewals) return;
    const proof = {
      owner: requestOf(actor).owner,
      node: grant.node,
      generation,
      grantNonce,
      nonce: nonceOf(actor, generation),
    };
    const next = { ...holder, renewals: [...renewals, proof], isWaiting: true };
    each({ ...state, groups: become(next) }, actor, "begins to renew");
  }

  /** The holder stamps a tick, by any clock, but never one before its last. */
  #stamp(
    state: ModelState,
    holder: Holder,
    actor: string,
    become: (next: Holder) => readonly HolderGroup[],
    each: Visit,
  ): void {
    const { grant, isOpen, stamped, last, isInDoubt } = holder;
    if (!grant || !(isOpen || this.#behavior.stampsAfterRelease)) return;
    const { node } = grant;
    for (let tick = (last[node] as number) + 1; tick <= this.#bounds.ticks; tick++) {
      if (!this.#behavior.covers(grant, tick)) continue;
      const bits = (stamped[node] as number) | (isInDoubt ? 0 : bit(tick));
      const next = { ...holder, stamped: stamped.with(node, bits), last: last.with(node, tick) };
      const doubt = isInDoubt ? ", in doubt" : "";
      each({ ...state, groups: become(next) }, actor, `stamps ${tick} of node ${node}${doubt}`);
    }
  }

  /** The holder closes its grant: it has lost it, or sends a release. */
  #close(
    state: ModelState,
    holder: Holder,
    actor: string,
    become: (next: Holder) => readonly HolderGroup[],
    each: Visit,
  ): void {
    const { grant, isOpen, last, generation, grantNonce, isWaiting, renewals } = holder;
    if (!grant || !isOpen) return;
    const nonce = isWaiting ? (renewals.at(-1)?.nonce ?? "") : "";
    const proof = { owner: requestOf(actor).owner, node: grant.node, generation, grantNonce, nonce };
    const released = { proof, nextTick: this.#behavior.nextTickOf(grant, last[grant.node] as number) };
    each({ ...state, groups: become({ ...holder, isOpen: false, released }) }, actor, "closes");
  }
}

/** Returns all holders and copies. */
export function allHolders({ groups }: ModelState): Holder[] {
  return groups.flatMap((group) => group.filter((holder) => holder !== undefined));
}

/** Returns the latest end of all grants. */
function reachedBy(state: ModelState): number {
  let reached = 0;
  if (state.rollbacks === 0) return reached;
  for (const { grant } of allHolders(state)) if (grant) reached = Math.max(reached, grant.until);
  return reached;
}

/** Whether two holders have stamped the same tick of a node, neither of them in doubt. */
export function hasDuplicate(state: ModelState): boolean {
  const holders = allHolders(state);
  return holders.some((one, i) =>
    holders.some(
      (other, j) =>
        j < i && one.stamped.some((ticks, node) => (ticks & (other.stamped[node] as number)) !== 0),
    ),
  );
}

/** Returns a holder's name in the store and in a trace. */
export function holderName(holder: number): string {
  return String.fromCharCode(65 + holder);
}

/** Returns the request for a node, which a copy also sends. */
function requestOf(actor: string): { owner: string; nonce: string } {
  const owner = actor[0] as string;
  return { owner, nonce: `${owner}a` };
}

/** Returns a holder's nonce for a renewal: the first letter is its owner's, the second its own. */
function nonceOf(actor: string, generation: number): string {
  return actor[0] + String.fromCharCode((actor.length > 1 ? 75 : 65) + generation);
}

/** A character that no part of a key contains. */
const SEPARATOR = "\uffff";

/** Encodes a holder. */
function codeOf(holder: Holder): string {
  const { grant, generation, grantNonce, isOpen, renewals, isWaiting, stamped, last, released } = holder;
  const flags = Number(isOpen) | (Number(isWaiting) << 1) | (Number(holder.isInDoubt) << 2);
  let code = String.fromCharCode(flags, ...stamped, ...last.map((tick) => tick + 1));
  if (!grant) return code;
  code += String.fromCharCode(grant.node, grant.from, grant.until, generation);
  code += `${grantNonce.slice(1)}${holder.doubted.slice(1)}|`;
  for (const proof of renewals) code += codeOfProof(proof);
  if (released) code += `g${released.nextTick}${codeOfProof(released.proof)}`;
  return code;
}

function codeOfProof({ node, generation, grantNonce, nonce }: GrantProof): string {
  return String.fromCharCode(node, generation) + grantNonce.slice(1) + nonce.slice(1);
}

function grantOf({ node, from, until }: Grant): Grant {
  return { node, from, until };
}

function bit(index: number): number {
  return 1 << index;
}

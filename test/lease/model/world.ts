// What the checker explores: holders, a store, and all that may happen next.
//
// Nothing here says when a holder asks, stamps or gives back, what a clock shows, or how long a message takes:
// - A clock, the store's too, shows any time whenever it is read, also one that was before.
// - A message that was sent arrives at any time, any number of times, or never: so does one that is sent again.
// - An answer arrives at once or is lost. One that comes later is no case of its own, for its holder might as well have
//   done nothing since.
// - Nor is a pause, which is others going on meanwhile, or a crash, which is a holder that does nothing more. Who is
//   started again knows nothing of what was before: that is another holder.

import type { Grant } from "../../../src/snowflake/grant.ts";
import type { Conduct } from "./conduct.ts";
import { type Bounds, type Message, ownerOf, type Protocol, type Store, Stores } from "./store.ts";

/** What a holder knows. */
interface Holder {
  /** The grant that it has, or had last; `undefined` before the first. */
  readonly grant: Grant | undefined;
  readonly isOpen: boolean;
  /** For each node, one bit for each tick that it has stamped. */
  readonly stamped: readonly number[];
  /** The release that it has sent. */
  readonly given: { readonly node: number; readonly unused: number } | undefined;
}

/** A state of everything. */
export interface World {
  readonly store: Store;
  readonly holders: readonly Holder[];
}

/** Takes a state that may come next, and says what happens on the way there, and to whom. */
type Visit = (next: World, holder: number, what: string) => void;

/** The rules by which one state follows another. */
export class Worlds {
  readonly first: World;
  readonly #stores: Stores;
  readonly #conduct: Conduct;
  readonly #bounds: Bounds;

  constructor(protocol: Protocol, conduct: Conduct, bounds: Bounds) {
    this.#stores = new Stores(protocol, bounds);
    this.#conduct = conduct;
    this.#bounds = bounds;
    const none = Array<number>(bounds.nodes).fill(0);
    const holder: Holder = { grant: undefined, isOpen: false, stamped: none, given: undefined };
    this.first = { store: this.#stores.first, holders: Array<Holder>(bounds.holders).fill(holder) };
  }

  /** A state in short, the same for those that differ only in which holder is which. */
  keyOf({ store, holders }: World): string {
    const parts = holders.map((holder, i) => {
      let owned = 0;
      for (let node = 0; node < this.#bounds.nodes; node++) {
        if (ownerOf(store, node) === nameOf(i)) owned |= bit(node);
      }
      return String.fromCharCode(owned) + codeOf(holder);
    });
    return parts.sort().join(SEPARATOR) + SEPARATOR + store.terms;
  }

  /** Goes through all that may happen next. */
  visit(world: World, each: Visit): void {
    for (let i = 0; i < world.holders.length; i++) {
      this.#deliver(world, i, each);
      this.#stamp(world, i, each);
      this.#close(world, i, each);
    }
  }

  /** A message of the holder arrives, and the holder hears the answer or does not. */
  #deliver({ store, holders }: World, i: number, each: Visit): void {
    const holder = holders[i];
    const { grant, isOpen, given } = holder;
    const owner = nameOf(i);
    const arrive = (message: Message, hear: (answer: Grant) => Holder | undefined) => {
      for (const outcome of this.#stores.outcomes(store, message)) {
        const { store: next, grant: answer, told } = outcome;
        const heard = answer && hear(answer);
        if (next !== store) each({ store: next, holders }, i, answer ? `${told}, answer lost` : told);
        if (heard) each({ store: next, holders: holders.with(i, heard) }, i, told);
      }
    };
    arrive({ asks: "acquire", owner }, (answer) => {
      const isAsking = !grant || (this.#conduct.staysItself && !isOpen);
      return isAsking ? { ...holder, grant: termsOf(answer), isOpen: true } : undefined;
    });
    if (grant) {
      arrive({ asks: "renew", owner, node: grant.node }, (answer) => {
        if (!isOpen || !this.#conduct.isOf(grant, answer)) return undefined;
        return { ...holder, grant: { ...grant, until: Math.max(grant.until, answer.until) } };
      });
    }
    if (given) arrive({ asks: "release", owner, ...given }, () => undefined);
  }

  /** The holder stamps: by any clock, but never a tick before its last. */
  #stamp({ store, holders }: World, i: number, each: Visit): void {
    const holder = holders[i];
    const { grant, isOpen, stamped } = holder;
    if (!grant || !(isOpen || this.#conduct.goesOn)) return;
    const { node } = grant;
    for (let tick = lastOf(stamped[node]) + 1; tick <= this.#bounds.ticks; tick++) {
      if (!this.#conduct.covers(grant, tick)) continue;
      const more = stamped.with(node, stamped[node] | bit(tick));
      each(
        { store, holders: holders.with(i, { ...holder, stamped: more }) },
        i,
        `stamps ${tick} of node ${node}`,
      );
    }
  }

  /** The holder stamps no more. It may have lost the grant, or give it back: then its release is on its way. */
  #close({ store, holders }: World, i: number, each: Visit): void {
    const holder = holders[i];
    const { grant, isOpen, stamped } = holder;
    if (!grant || !isOpen) return;
    const given = { node: grant.node, unused: this.#conduct.unusedOf(grant, lastOf(stamped[grant.node])) };
    each({ store, holders: holders.with(i, { ...holder, isOpen: false, given }) }, i, "closes");
  }
}

/** Whether two holders have stamped one tick of a node: what must never be. */
export function isBroken({ holders }: World): boolean {
  return holders.some((one, i) =>
    holders.some(
      (other, j) => j < i && one.stamped.some((ticks, node) => (ticks & other.stamped[node]) !== 0),
    ),
  );
}

/** A holder's name, in the store and in a trace. */
export function nameOf(holder: number): string {
  return String.fromCharCode(65 + holder);
}

/** What is in no part of a key. */
const SEPARATOR = "\uffff";

/** A holder in short. */
function codeOf({ grant, isOpen, stamped, given }: Holder): string {
  let code = String.fromCharCode(...stamped);
  if (grant) code += String.fromCharCode(Number(isOpen), grant.node, grant.from, grant.until);
  if (given) code += String.fromCharCode(given.node, given.unused);
  return code;
}

function termsOf({ node, from, until }: Grant): Grant {
  return { node, from, until };
}

function bit(index: number): number {
  return 1 << index;
}

/** The highest bit, -1 if there is none. */
function lastOf(bits: number): number {
  return 31 - Math.clz32(bits);
}

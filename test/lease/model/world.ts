// What the checker explores: holders, a store, and all that may happen next.
//
// Nothing here says when a holder asks, stamps or gives back, what a clock shows, or how long a message takes:
// - A clock, the store's too, shows any time whenever it is read, also one that was before.
// - A message that was sent arrives at any time, any number of times, or never: so does one that is sent again.
// - An answer arrives at once or is lost. One that comes later is no case of its own, for its holder might as well have
//   done nothing since.
// - Nor is a pause, which is others going on meanwhile, or a crash, which is a holder that does nothing more. Who is
//   started again knows nothing of what was before: that is another holder.
// - A holder may be copied with all that it knows, as a process is by a snapshot. The copy draws nonces of its own from
//   then on. Until one of the two has the answer to a renewal that it began after that, its stamps are in doubt: they
//   are not counted, for until then two may stamp the same.
// - A store may go back to what it kept before: then it has another history. What it has forgotten by that ends where
//   the fence is claimed to be. Copies are in doubt again.

import type { LeaseClaim } from "../../../src/lease/rule.ts";
import type { Grant } from "../../../src/snowflake/grant.ts";
import type { Conduct } from "./conduct.ts";
import { type Bounds, holdingOf, type Message, type Protocol, type Store, Stores } from "./store.ts";

/** What a holder knows, or its copy. */
export interface Holder {
  /** The grant that it has, or had last; `undefined` before the first. */
  readonly grant: Grant | undefined;
  readonly generation: number;
  /** The nonce that was written with the grant. */
  readonly grantNonce: string;
  readonly isOpen: boolean;
  /** All renewals that it has begun. */
  readonly renewals: readonly LeaseClaim[];
  /** Whether the last of them has had no answer. */
  readonly isWaiting: boolean;
  /** For each node, one bit for each tick that it has stamped, but for those in doubt. */
  readonly stamped: readonly number[];
  /** For each node, the last tick that it has stamped, -1 if none. */
  readonly last: readonly number[];
  /** The release that it has sent. */
  readonly given: { readonly claim: LeaseClaim; readonly unused: number } | undefined;
  /** Whether another has all that it knows. */
  readonly isInDoubt: boolean;
  /** The nonces that the other may have drawn as well, or that were drawn before the store went back. */
  readonly doubted: string;
}

/** A holder, and its copy if there is one. They have one owner's name. */
export type Family = readonly [Holder, Holder?];

/** A state of everything. */
export interface World {
  readonly store: Store;
  /** What the store may go back to. */
  readonly saved: Store | undefined;
  /** How often it has gone back. */
  readonly returns: number;
  readonly families: readonly Family[];
}

/** Takes a state that may come next, and says what happens on the way there, and to whom. */
type Visit = (next: World, who: string, what: string) => void;

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
      given: undefined,
      isInDoubt: false,
      doubted: "",
    };
    const families = Array<Family>(bounds.holders).fill([holder]);
    this.first = { store: this.#stores.first, saved: undefined, returns: 0, families };
  }

  /** A state in short, the same for those that differ only in which holder is which. */
  keyOf({ store, saved, returns, families }: World): string {
    const parts = families.map((family, i) => {
      const owner = nameOf(i);
      let code = this.#ownCode(store, owner);
      if (saved) code += this.#ownCode(saved, owner);
      for (const holder of family) if (holder) code += codeOf(holder) + SEPARATOR;
      return code;
    });
    const rest = store.terms + (saved ? `s${saved.terms}` : "") + returns;
    return parts.sort().join(SEPARATOR) + SEPARATOR + rest;
  }

  /** Which nodes are an owner's, and by which request. */
  #ownCode(store: Store, owner: string): string {
    let code = "";
    for (let node = 0; node < this.#bounds.nodes; node++) {
      const holding = holdingOf(store, node);
      code += holding?.owner === owner ? holding.nonce.slice(1) : ".";
    }
    return code;
  }

  /** Goes through all that may happen next. */
  visit(world: World, each: Visit): void {
    const { families, store, saved, returns } = world;
    const { copies = 0, returns: most = 0 } = this.#bounds;
    families.forEach((family, i) => {
      family.forEach((holder, at) => {
        if (!holder) return;
        const become = (next: Holder) =>
          families.with(i, at > 0 ? [family[0], next] : family[1] ? [next, family[1]] : [next]);
        const who = nameOf(i) + "'".repeat(at);
        this.#deliver(world, holder, who, become, each);
        this.#renew(world, holder, who, become, each);
        this.#stamp(world, holder, who, become, each);
        this.#close(world, holder, who, become, each);
      });
    });
    if (families.filter(({ length }) => length > 1).length < copies) {
      families.forEach(([holder], i) => {
        if (holder.given) return;
        const pending = holder.isWaiting ? holder.renewals.slice(-1) : [];
        const shared = { ...holder, isInDoubt: true, doubted: pending[0]?.nonce ?? "" };
        const copy = { ...shared, renewals: pending, stamped: holder.stamped.map(() => 0) };
        each({ ...world, families: families.with(i, [shared, copy]) }, nameOf(i), "is copied");
      });
    }
    if (returns >= most) return;
    if (!saved && store.book) each({ ...world, saved: store }, "the store", "will go back to this");
    if (!saved || saved === store) return;
    // What a holder has not heard it will not hear either: its answer would be as good as lost.
    const gone = families.map((family): Family => {
      if (family.length === 1) return family;
      const [one, copy] = family.map((holder) => ({
        ...(holder as Holder),
        isInDoubt: true,
        doubted: holder?.isWaiting ? (holder.renewals.at(-1)?.nonce ?? "") : "",
      }));
      return [one as Holder, copy];
    });
    each({ store: saved, saved: undefined, returns: returns + 1, families: gone }, "the store", "goes back");
  }

  /** A message of the holder arrives, and the holder hears the answer or does not. */
  #deliver(
    world: World,
    holder: Holder,
    who: string,
    become: (next: Holder) => readonly Family[],
    each: Visit,
  ): void {
    const { store } = world;
    const { grant, isOpen, given, renewals, isWaiting } = holder;
    const arrive = (message: Message, hear: (answer: Grant) => Holder | undefined) => {
      const outcomes = this.#stores.outcomes(store, message, `h${world.returns}`, reachedBy(world));
      for (const { store: next, grant: answer, told } of outcomes) {
        const heard = answer && hear(answer);
        if (next !== store) each({ ...world, store: next }, who, answer ? `${told}, answer lost` : told);
        if (heard) each({ ...world, store: next, families: become(heard) }, who, told);
      }
    };
    const ask = askOf(who);
    arrive({ asks: "acquire", ask }, (answer) => {
      const isAsking = !grant || (this.#conduct.staysItself && !isOpen);
      const had = {
        grant: termsOf(answer),
        generation: 0,
        grantNonce: ask.nonce,
        isOpen: true,
        isWaiting: false,
      };
      return isAsking ? { ...holder, ...had } : undefined;
    });
    for (const claim of renewals) {
      arrive({ asks: "renew", claim }, (answer) => {
        if (!isOpen || !isWaiting || claim !== renewals.at(-1)) return undefined;
        if (!grant || !this.#conduct.isOf(grant, answer)) return undefined;
        return {
          ...holder,
          grant: { ...grant, until: answer.until },
          generation: claim.generation + 1,
          grantNonce: claim.nonce,
          isWaiting: false,
          isInDoubt: holder.isInDoubt && claim.nonce === holder.doubted,
        };
      });
    }
    if (given) arrive({ asks: "release", ...given }, () => undefined);
  }

  /** The holder begins to renew: its request is on the way. */
  #renew(
    world: World,
    holder: Holder,
    who: string,
    become: (next: Holder) => readonly Family[],
    each: Visit,
  ): void {
    const { grant, isOpen, isWaiting, generation, grantNonce, renewals } = holder;
    if (!grant || !isOpen || isWaiting || generation >= this.#bounds.renewals) return;
    const claim = {
      owner: askOf(who).owner,
      node: grant.node,
      generation,
      grantNonce,
      nonce: nonceOf(who, generation),
    };
    const next = { ...holder, renewals: [...renewals, claim], isWaiting: true };
    each({ ...world, families: become(next) }, who, "begins to renew");
  }

  /** The holder stamps: by any clock, but never a tick before its last. */
  #stamp(
    world: World,
    holder: Holder,
    who: string,
    become: (next: Holder) => readonly Family[],
    each: Visit,
  ): void {
    const { grant, isOpen, stamped, last, isInDoubt } = holder;
    if (!grant || !(isOpen || this.#conduct.goesOn)) return;
    const { node } = grant;
    for (let tick = (last[node] as number) + 1; tick <= this.#bounds.ticks; tick++) {
      if (!this.#conduct.covers(grant, tick)) continue;
      const bits = (stamped[node] as number) | (isInDoubt ? 0 : bit(tick));
      const next = { ...holder, stamped: stamped.with(node, bits), last: last.with(node, tick) };
      const doubt = isInDoubt ? ", in doubt" : "";
      each({ ...world, families: become(next) }, who, `stamps ${tick} of node ${node}${doubt}`);
    }
  }

  /** The holder stamps no more. It may have lost the grant, or give it back: then its release is on its way. */
  #close(
    world: World,
    holder: Holder,
    who: string,
    become: (next: Holder) => readonly Family[],
    each: Visit,
  ): void {
    const { grant, isOpen, last, generation, grantNonce, isWaiting, renewals } = holder;
    if (!grant || !isOpen) return;
    const nonce = isWaiting ? (renewals.at(-1)?.nonce ?? "") : "";
    const claim = { owner: askOf(who).owner, node: grant.node, generation, grantNonce, nonce };
    const given = { claim, unused: this.#conduct.unusedOf(grant, last[grant.node] as number) };
    each({ ...world, families: become({ ...holder, isOpen: false, given }) }, who, "closes");
  }
}

/** All holders and copies. */
export function holdersOf({ families }: World): Holder[] {
  return families.flatMap((family) => family.filter((holder) => holder !== undefined));
}

/** The end of the last grant that a holder was given. */
function reachedBy(world: World): number {
  let reached = 0;
  if (world.returns === 0) return reached;
  for (const { grant } of holdersOf(world)) if (grant) reached = Math.max(reached, grant.until);
  return reached;
}

/** Whether two holders have stamped one tick of a node, none of them in doubt: what must never be. */
export function isBroken(world: World): boolean {
  const holders = holdersOf(world);
  return holders.some((one, i) =>
    holders.some(
      (other, j) =>
        j < i && one.stamped.some((ticks, node) => (ticks & (other.stamped[node] as number)) !== 0),
    ),
  );
}

/** A holder's name, in the store and in a trace. */
export function nameOf(holder: number): string {
  return String.fromCharCode(65 + holder);
}

/** The request for a node, which a copy sends as well. */
function askOf(who: string): { owner: string; nonce: string } {
  const owner = who[0] as string;
  return { owner, nonce: `${owner}a` };
}

/** The nonce that a holder draws for a renewal: the first letter is its owner's, the second its own. */
function nonceOf(who: string, generation: number): string {
  return who[0] + String.fromCharCode((who.length > 1 ? 75 : 65) + generation);
}

/** What is in no part of a key. */
const SEPARATOR = "\uffff";

/** A holder in short. */
function codeOf(holder: Holder): string {
  const { grant, generation, grantNonce, isOpen, renewals, isWaiting, stamped, last, given } = holder;
  const flags = Number(isOpen) | (Number(isWaiting) << 1) | (Number(holder.isInDoubt) << 2);
  let code = String.fromCharCode(flags, ...stamped, ...last.map((tick) => tick + 1));
  if (!grant) return code;
  code += String.fromCharCode(grant.node, grant.from, grant.until, generation);
  code += `${grantNonce.slice(1)}${holder.doubted.slice(1)}|`;
  for (const claim of renewals) code += codeOfClaim(claim);
  if (given) code += `g${given.unused}${codeOfClaim(given.claim)}`;
  return code;
}

function codeOfClaim({ node, generation, grantNonce, nonce }: LeaseClaim): string {
  return String.fromCharCode(node, generation) + grantNonce.slice(1) + nonce.slice(1);
}

function termsOf({ node, from, until }: Grant): Grant {
  return { node, from, until };
}

function bit(index: number): number {
  return 1 << index;
}

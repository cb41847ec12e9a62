// Holders of the models: their states, and the steps that they take without the store.

import type { GrantProof, LeaseRequest } from "../../../src/lease/rule.ts";
import type { Grant } from "../../../src/snowflake/grant.ts";
import type { HolderBehavior } from "./holder.ts";
import type { Bounds } from "./store.ts";

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

/** A state of a model: each holder, and its copy if there is one. They have the same owner. */
interface Groups<H extends Holder = Holder> {
  readonly groups: readonly (readonly [H, H?])[];
}

/** Returns a holder before its first request. */
export function newHolder(nodes: number): Holder {
  const zeros = Array<number>(nodes).fill(0);
  return {
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
}

/** Returns all holders and copies. */
export function allHolders<H extends Holder>({ groups }: Groups<H>): H[] {
  return groups.flatMap((group) => group.filter((holder) => holder !== undefined));
}

/** Returns the latest end of all grants. */
export function latestEnd(state: Groups): number {
  let latest = 0;
  for (const { grant } of allHolders(state)) if (grant) latest = Math.max(latest, grant.until);
  return latest;
}

/** Whether two holders have stamped the same tick of a node, neither of them in doubt. */
export function hasDuplicate(state: Groups): boolean {
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
export function requestOf(actor: string): LeaseRequest {
  const owner = actor[0] as string;
  return { owner, nonce: `${owner}a` };
}

/** Returns a holder's nonce for a renewal: the first letter is its owner's, the second its own. */
function nonceOf(actor: string, generation: number): string {
  return actor[0] + String.fromCharCode((actor.length > 1 ? 75 : 65) + generation);
}

/** Visits the states of a holder after a step of its own, and a description of the step. */
export function visitOwnSteps<H extends Holder>(
  holder: H,
  actor: string,
  behavior: HolderBehavior,
  bounds: Bounds,
  each: (next: H, event: string) => void,
): void {
  const { grant, isOpen, isWaiting, generation, grantNonce, renewals, stamped, last, isInDoubt } = holder;
  if (!grant) return;
  const { node } = grant;
  const { owner } = requestOf(actor);
  if (isOpen && !isWaiting && generation < bounds.renewals) {
    const proof = { owner, node, generation, grantNonce, nonce: nonceOf(actor, generation) };
    each({ ...holder, renewals: [...renewals, proof], isWaiting: true }, "begins to renew");
  }
  if (isOpen || behavior.stampsAfterRelease) {
    // By any clock, but never a tick before the last one.
    for (let tick = (last[node] as number) + 1; tick <= bounds.ticks; tick++) {
      if (!behavior.covers(grant, tick)) continue;
      const bits = (stamped[node] as number) | (isInDoubt ? 0 : bit(tick));
      const next = { ...holder, stamped: stamped.with(node, bits), last: last.with(node, tick) };
      each(next, `stamps ${tick} of node ${node}${isInDoubt ? ", in doubt" : ""}`);
    }
  }
  if (isOpen) {
    // It has lost its grant, or sends a release.
    const nonce = isWaiting ? (renewals.at(-1)?.nonce ?? "") : "";
    const proof = { owner, node, generation, grantNonce, nonce };
    const released = { proof, nextTick: behavior.nextTickOf(grant, last[node] as number) };
    each({ ...holder, isOpen: false, released }, "closes");
  }
}

/** Returns the holder with the grant of an acquire; `undefined` if it ignores the answer. */
export function withGrant<H extends Holder>(
  holder: H,
  { nonce }: LeaseRequest,
  answer: Grant,
  behavior: HolderBehavior,
): H | undefined {
  const { grant, isOpen, released } = holder;
  const wantsGrant = grant ? behavior.reusesOwner && !isOpen : !released;
  if (!wantsGrant) return undefined;
  const { node, from, until } = answer;
  const had = { generation: 0, grantNonce: nonce, isOpen: true, isWaiting: false };
  return { ...holder, ...had, grant: { node, from, until } };
}

/** Returns the holder with its grant renewed; `undefined` if it ignores the answer. */
export function withRenewal<H extends Holder>(
  holder: H,
  proof: GrantProof,
  answer: Grant,
  behavior: HolderBehavior,
): H | undefined {
  const { grant, isOpen, isWaiting, renewals, isInDoubt, doubted } = holder;
  if (!isOpen || !isWaiting || proof !== renewals.at(-1)) return undefined;
  if (!grant || !behavior.isSameGrant(grant, answer)) return undefined;
  return {
    ...holder,
    grant: { ...grant, until: answer.until },
    generation: proof.generation + 1,
    grantNonce: proof.nonce,
    isWaiting: false,
    isInDoubt: isInDoubt && proof.nonce === doubted,
  };
}

/** Returns a holder and its new copy. */
export function copyOf<H extends Holder>(holder: H): readonly [H, H] {
  const pending = holder.isWaiting ? holder.renewals.slice(-1) : [];
  const shared = { ...holder, isInDoubt: true, doubted: pending[0]?.nonce ?? "" };
  return [shared, { ...shared, renewals: pending, stamped: holder.stamped.map(() => 0) }];
}

/** A character that no part of a key contains. */
export const SEPARATOR = "\uffff";

/** Encodes a holder, without its owner's name. */
export function codeOf(holder: Holder): string {
  const { grant, generation, grantNonce, isOpen, renewals, isWaiting, stamped, last, released } = holder;
  const flags = Number(isOpen) | (Number(isWaiting) << 1) | (Number(holder.isInDoubt) << 2);
  let code = String.fromCharCode(flags, ...stamped, ...last.map((tick) => tick + 1));
  if (grant) {
    code += String.fromCharCode(grant.node, grant.from, grant.until, generation);
    code += `${grantNonce.slice(1)}${holder.doubted.slice(1)}|`;
    for (const proof of renewals) code += codeOfProof(proof);
  }
  if (released) code += `g${released.nextTick}${codeOfProof(released.proof)}`;
  return code;
}

/** Encodes a proof, without its owner's name. */
export function codeOfProof({ node, generation, grantNonce, nonce }: GrantProof): string {
  return String.fromCharCode(node, generation) + grantNonce.slice(1) + nonce.slice(1);
}

function bit(index: number): number {
  return 1 << index;
}

// Makes calls to a store as holders do, good ones and bad ones, and records them with their answers: clocks that differ,
// requests that are late and repeated, answers that a holder never sees, and copies that present the same grant.

import type { LeasePort } from "../../src/lease/port.ts";
import type { GrantProof, LeaseRequest, LeaseTerms, NamespaceState } from "../../src/lease/rule.ts";
import type { RecordedCall, Trace } from "./strays.ts";

/** Random choices. */
interface Choices {
  /** Returns a number from 0 to 1, without 1. */
  next(): number;
  /** Returns a whole number from `least` to `most`. */
  between(least: number, most: number): number;
}

export interface Traffic {
  readonly port: LeasePort;
  readonly terms: LeaseTerms;
  readonly state: NamespaceState | undefined;
  readonly historyId: string;
  readonly notCompared: Trace["notCompared"];
  /** Returns the time of a correct clock. */
  readonly clock: () => number;
  readonly choices: Choices;
  /** How many holders make calls at the same time, and how many calls they make in all. */
  readonly holders: number;
  readonly calls: number;
  /** How far the clocks of most holders are off, at most. Some are off by more than the store accepts. */
  readonly offsetMs: number;
  /** Makes the store's state name another history; `undefined` if it reports none. */
  readonly changeHistory?: (historyId: string) => Promise<void>;
}

/** A grant as its holder knows it. */
interface Knowledge {
  readonly request: LeaseRequest;
  node: number;
  from: number;
  until: number;
  generation: number;
  grantNonce: string;
  /** The nonce of its renewal without an answer. */
  pending: string;
}

/** Another history than the store reports. */
const OTHER_HISTORY = "other";

/** Makes calls, and returns the trace of them. */
export async function recordTraffic(traffic: Traffic): Promise<Trace> {
  const { port, terms, clock, choices, holders, calls, offsetMs, changeHistory } = traffic;
  const recorded: RecordedCall[] = [];
  let position = 0;
  let tokens = 0;
  const token = () => `t${++tokens}`;
  const happens = (chance: number) => choices.next() < chance;
  const oneOf = <T>(all: readonly T[]) => all[choices.between(0, all.length - 1)] as T;
  const known: Knowledge[] = [];
  const renewals: GrantProof[] = [];

  async function acquire(request: LeaseRequest, nowMs: number): Promise<Knowledge | undefined> {
    const began = position++;
    const answer = await port.acquire(terms, request, nowMs);
    recorded.push({ kind: "acquire", request, nowMs, answer, began, ended: position++ });
    if (answer.outcome !== "granted") return undefined;
    const { node, from, until } = answer;
    return { request, node, from, until, generation: 0, grantNonce: request.nonce, pending: "" };
  }

  async function renew(proof: GrantProof, nowMs: number) {
    const began = position++;
    const answer = await port.renew(terms, proof, nowMs);
    recorded.push({ kind: "renew", proof, nowMs, answer, began, ended: position++ });
    return answer.outcome === "granted" ? answer : undefined;
  }

  async function release(proof: GrantProof, nextTick: number): Promise<void> {
    const began = position++;
    await port.release(terms, proof, nextTick);
    recorded.push({ kind: "release", proof, nextTick, began, ended: position++ });
  }

  const proofOf = (
    { request: { owner }, node, generation, grantNonce }: Knowledge,
    nonce: string,
  ): GrantProof => ({ owner, node, generation, grantNonce, nonce });

  async function act(own: Knowledge | undefined, nowMs: number): Promise<Knowledge | undefined> {
    // Sometimes as a copy of a holder of now or of before, whose next renewal then has a nonce of its own.
    const mine = known.length > 0 && happens(0.15) ? { ...oneOf(known), pending: "" } : own;
    if (!mine || happens(0.1)) {
      const owner = token();
      const got = await acquire({ owner, nonce: owner }, nowMs);
      // The answer is lost now and then.
      if (!got || happens(0.1)) return own;
      known.push(got);
      return got;
    }
    const way = choices.next();
    if (way < 0.1) await acquire(mine.request, nowMs);
    else if (way < 0.2 && renewals.length > 0) await renew(oneOf(renewals), nowMs);
    else if (way < 0.75) {
      mine.pending ||= token();
      const proof = proofOf(mine, mine.pending);
      renewals.push(proof);
      const answer = await renew(proof, nowMs);
      if (happens(0.1)) return own;
      if (!answer) return undefined;
      if (mine.pending !== proof.nonce) return own;
      Object.assign(mine, {
        ...{ until: answer.until, generation: proof.generation + 1, grantNonce: proof.nonce, pending: "" },
      });
    } else {
      // A release that is late may be about an earlier grant of the same request.
      const earliest = mine.from - (happens(0.3) ? terms.ttlTicks : 0);
      await release(proofOf(mine, mine.pending), choices.between(Math.max(0, earliest), mine.until));
      return undefined;
    }
    return own;
  }

  async function hold(share: number): Promise<void> {
    const offset = choices.between(-offsetMs, offsetMs);
    let own: Knowledge | undefined;
    for (let made = 0; made < share; made++) {
      const wrong = happens(0.03) ? (happens(0.5) ? 1 : -1) * 2 * terms.maxSkewMs : 0;
      own = await act(own, Math.floor(clock()) + offset + wrong);
    }
  }

  // Of the part after a change of the history, most answers are that the fence is up.
  const shares = changeHistory ? [0.8, 0.2] : [1];
  for (const [index, part] of shares.entries()) {
    if (index > 0 && changeHistory) {
      await changeHistory(OTHER_HISTORY);
      recorded.push({ kind: "history", historyId: OTHER_HISTORY, began: position++, ended: position++ });
    }
    const share = Math.ceil((calls * part) / holders);
    await Promise.all(Array.from({ length: holders }, () => hold(share)));
  }
  const { state, historyId, notCompared } = traffic;
  return { terms, state, historyId, notCompared, calls: recorded };
}

// LeasePort: the interface that leases need from a store.

import type { AnswerOptions, CallOptions } from "../backend/call.ts";
import type { Grant } from "../internal.ts";
import type { GrantProof, LeaseAnswer, LeaseRequest, LeaseTerms, NamespaceState, NodeSpace } from "./rule.ts";

/** Limits of an acquire, and a callback for its late answer. */
export interface AcquireOptions extends CallOptions {
  /** Gets the grant of an answer that arrives after the call has timed out. A late refusal is ignored. */
  readonly onLateGrant?: (grant: Grant) => void;
}

/** The leases of one namespace in a store. Each call is one or more atomic steps of the rule. */
export interface LeasePort {
  acquire(
    terms: LeaseTerms,
    request: LeaseRequest,
    nowMs: number,
    options?: AcquireOptions,
  ): Promise<LeaseAnswer>;
  renew(terms: LeaseTerms, proof: GrantProof, nowMs: number, options?: CallOptions): Promise<LeaseAnswer>;
  /** @param nextTick the tick after the last one that the holder stamped */
  release(space: NodeSpace, proof: GrantProof, nextTick: number): Promise<void>;
  /** Reads the state of the namespace, `undefined` if the store does not know it, and the store's time. */
  read(): Promise<NamespaceSnapshot>;
}

/** The state of a namespace at a time of the store. */
export interface NamespaceSnapshot {
  readonly state: NamespaceState | undefined;
  readonly storeMs: number;
}

/** Returns the options of the call that acquires: its late answer counts only if it grants a node. */
export function acquireCallOptions({
  onLateGrant,
  ...limits
}: AcquireOptions = {}): AnswerOptions<LeaseAnswer | null> {
  return {
    ...limits,
    onLateAnswer: (answer) => {
      if (answer?.outcome === "granted") onLateGrant?.(answer);
    },
  };
}

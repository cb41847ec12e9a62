// Port of leases: what they ask of a store.

import type { AnswerOptions, CallOptions } from "../backend/call.ts";
import type { LeaseAnswer, LeaseClaim, LeaseRequest, NamespaceState, NodeSpace } from "./rule.ts";

/** Limits of an acquire. `onLateAnswer` gets `null` if the late answer grants nothing. */
export type AcquireOptions = AnswerOptions<LeaseAnswer | null>;

/** The leases of one namespace in a store. Each call is one or more atomic steps of the protocol. */
export interface LeasePort {
  acquire(
    space: NodeSpace,
    request: LeaseRequest,
    nowMs: number,
    options?: AcquireOptions,
  ): Promise<LeaseAnswer>;
  renew(space: NodeSpace, claim: LeaseClaim, nowMs: number, options?: CallOptions): Promise<LeaseAnswer>;
  release(space: NodeSpace, claim: LeaseClaim, firstUnstamped: number): Promise<void>;
  /** Reads the state of the namespace, `undefined` before its first grant, and the store's time. */
  read(): Promise<NamespaceReading>;
}

/** The state of a namespace and the store's time. */
export interface NamespaceReading {
  readonly state: NamespaceState | undefined;
  readonly storeMs: number;
}

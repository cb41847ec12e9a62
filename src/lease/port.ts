// What leases ask of a store, on whichever backend, and how its answers are read.

import type { CallOptions } from "../backend/call.ts";
import type { Backend } from "../backend/ports.ts";
import { memoryStore } from "./memory.ts";
import { redisStore } from "./native/redis.ts";
import { sqlStore } from "./native/sql.ts";
import type { NamespaceState, LeaseAnswer, LeaseClaim, LeaseRequest, NodeSpace } from "./rule.ts";

/** What is known of an acquire besides what it asks. */
export interface AcquireOptions extends CallOptions {
  /** Gets the answer that comes when it is no longer waited for; `null` if that grants nothing. */
  readonly onLateAnswer?: (answer: LeaseAnswer | null) => void;
}

/** The steps of the protocol, on a store. */
export interface LeasePort {
  acquire(space: NodeSpace, ask: LeaseRequest, nowMs: number, asking?: AcquireOptions): Promise<LeaseAnswer>;
  renew(space: NodeSpace, claim: LeaseClaim, nowMs: number, asking?: CallOptions): Promise<LeaseAnswer>;
  release(space: NodeSpace, claim: LeaseClaim, unused: number): Promise<void>;
  /** What is kept of the namespace, `undefined` before its first grant, and the store's time. */
  read(): Promise<{ readonly book: NamespaceState | undefined; readonly storeMs: number }>;
}

/** The leases of a namespace. */
export function leasePort(backend: Backend, namespace: string): LeasePort {
  if ("eval" in backend) return redisStore(backend, namespace);
  if ("query" in backend) return sqlStore(backend, namespace);
  return memoryStore(backend, namespace);
}

// What leases ask of a store, on whichever backend, and how its answers are read.

import type { Asking } from "../backend/call.ts";
import type { Backend } from "../backend/ports.ts";
import { memoryStore } from "./memory.ts";
import { redisStore } from "./native/redis.ts";
import { sqlStore } from "./native/sql.ts";
import type { Answer, Ask, Book, Claim, Space } from "./rule.ts";

/** What is known of an acquire besides what it asks. */
export interface Acquiring extends Asking {
  /** Gets the answer that comes when it is no longer waited for; `null` if that grants nothing. */
  readonly late?: (answer: Answer | null) => void;
}

/** The steps of the protocol, on a store. */
export interface LeaseStore {
  acquire(space: Space, ask: Ask, nowMs: number, asking?: Acquiring): Promise<Answer>;
  renew(space: Space, claim: Claim, nowMs: number, asking?: Asking): Promise<Answer>;
  release(space: Space, claim: Claim, unused: number): Promise<void>;
  /** What is kept of the namespace, `undefined` before its first grant, and the store's time. */
  read(): Promise<{ readonly book: Book | undefined; readonly storeMs: number }>;
}

/** The leases of a namespace. */
export function storeOf(backend: Backend, namespace: string): LeaseStore {
  if ("eval" in backend) return redisStore(backend, namespace);
  if ("query" in backend) return sqlStore(backend, namespace);
  return memoryStore(backend, namespace);
}

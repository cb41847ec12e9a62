// What running once asks of a store. Each call is one step: it is done as a whole or not at all.

import type { CallOptions } from "../backend/call.ts";
import type { Backend } from "../backend/ports.ts";
import { memoryStore } from "./memory.ts";
import { redisStore } from "./native/redis.ts";
import { sqlStore } from "./native/sql.ts";
import type { AcquireResult, LockRequest } from "./rule.ts";

/** How a beginning is asked for. */
export interface AcquireOptions extends CallOptions {
  /** Gets the outcome that comes when it is no longer waited for. */
  readonly onLateAnswer?: (beginning: AcquireResult) => void;
}

/** The keys of one name, in a store. */
export interface OncePort {
  acquire(key: string, claim: LockRequest, asking?: AcquireOptions): Promise<AcquireResult>;
  /** The others resolve to whether it was the owner's. */
  extend(key: string, claim: Omit<LockRequest, "fingerprint">, asking?: CallOptions): Promise<boolean>;
  complete(key: string, claim: Pick<LockRequest, "owner" | "keepMs">, value: string | null): Promise<boolean>;
  release(key: string, owner: string, asking?: CallOptions): Promise<boolean>;
}

export function oncePort(backend: Backend, name: string): OncePort {
  if ("eval" in backend) return redisStore(backend, name);
  if ("query" in backend) return sqlStore(backend, name);
  return memoryStore(backend, name);
}

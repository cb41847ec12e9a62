// The idempotency port: the operations that a key needs from a store, each one atomic step.

import type { AnswerOptions, CallOptions } from "../backend/call.ts";
import type { AcquireResult, ForgetResult, LockRequest, PeekResult } from "./rule.ts";

/** The keys of one name in a store. Each operation throws a {@link BackendError} if the store fails. */
export interface OncePort {
  acquire(key: string, request: LockRequest, options?: AnswerOptions<AcquireResult>): Promise<AcquireResult>;
  /** Extends the lock. Resolves to whether the owner still holds it. */
  extend(key: string, request: Omit<LockRequest, "fingerprint">, options?: CallOptions): Promise<boolean>;
  /** Completes the work with a value. Resolves to whether the key was the owner's. */
  complete(
    key: string,
    request: Pick<LockRequest, "owner" | "keepMs">,
    value: string | null,
  ): Promise<boolean>;
  /** Makes the key absent again. Resolves to whether the owner held its lock. */
  release(key: string, owner: string, options?: CallOptions): Promise<boolean>;
  /** Reads the state of a key. Changes nothing. */
  peek(key: string): Promise<PeekResult>;
  /** Makes the key absent, unless a run holds its lock. */
  forget(key: string): Promise<ForgetResult>;
}

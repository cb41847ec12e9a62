// Selects the rate limit port for a kind of backend.

import type { Backend } from "../backend/ports.ts";
import { cellRateLimitPort } from "./cells.ts";
import { consumeTogetherInMemory, memoryRateLimitPort } from "./memory.ts";
import { consumeTogetherOnRedis, redisRateLimitPort } from "./native/redis.ts";
import { sqlRateLimitPort } from "./native/sql.ts";
import type { KeyCall, RateLimitPort } from "./port.ts";
import type { ConsumeResult, Gcra } from "./rule.ts";

/** Opens the keys of a limit on a backend. */
export function rateLimitPort(backend: Backend, name: string, gcra: Gcra): RateLimitPort {
  if ("eval" in backend) return redisRateLimitPort(backend, name, gcra);
  if ("query" in backend) return sqlRateLimitPort(backend, name, gcra);
  if ("swap" in backend) return cellRateLimitPort(backend, name, gcra);
  return memoryRateLimitPort(backend, name, gcra);
}

/**
 * Counts a call of several different keys in one step, if all of them are allowed. The result of a call that is allowed, but
 * not counted because another one is denied, has the TAT from before it.
 *
 * @returns `undefined` if the store has no such step
 */
export async function consumeTogether(
  backend: Backend,
  calls: readonly KeyCall[],
): Promise<readonly ConsumeResult[] | undefined> {
  if ("eval" in backend) return consumeTogetherOnRedis(backend, calls);
  if ("change" in backend) return consumeTogetherInMemory(backend, calls);
  return undefined;
}

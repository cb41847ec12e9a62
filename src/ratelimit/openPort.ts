// Selects the rate limit port for a kind of backend.

import type { Backend } from "../backend/ports.ts";
import { cellRateLimitPort } from "./cells.ts";
import { memoryRateLimitPort } from "./memory.ts";
import { redisRateLimitPort } from "./native/redis.ts";
import { sqlRateLimitPort } from "./native/sql.ts";
import type { RateLimitPort } from "./port.ts";
import type { Gcra } from "./rule.ts";

/** Opens the keys of a limit on a backend. */
export function rateLimitPort(backend: Backend, name: string, gcra: Gcra): RateLimitPort {
  if ("eval" in backend) return redisRateLimitPort(backend, name, gcra);
  if ("query" in backend) return sqlRateLimitPort(backend, name, gcra);
  if ("swap" in backend) return cellRateLimitPort(backend, name, gcra);
  return memoryRateLimitPort(backend, name, gcra);
}

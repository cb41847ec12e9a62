// Selects the rate limit port for a kind of backend.

import type { Backend } from "../backend/ports.ts";
import { memoryStore } from "./memory.ts";
import { redisStore } from "./native/redis.ts";
import { sqlStore } from "./native/sql.ts";
import type { RateLimitPort } from "./port.ts";
import type { Gcra } from "./rule.ts";

/** Opens the keys of a limit on a backend. */
export function rateLimitPort(backend: Backend, name: string, gcra: Gcra): RateLimitPort {
  if ("eval" in backend) return redisStore(backend, name, gcra);
  if ("query" in backend) return sqlStore(backend, name, gcra);
  return memoryStore(backend, name, gcra);
}

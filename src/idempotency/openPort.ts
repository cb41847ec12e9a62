// Selects the idempotency port for a kind of backend.

import type { Backend } from "../backend/ports.ts";
import { memoryStore } from "./memory.ts";
import { redisStore } from "./native/redis.ts";
import { sqlStore } from "./native/sql.ts";
import type { OncePort } from "./port.ts";

/** Opens the keys of a name on a backend. */
export function oncePort(backend: Backend, name: string): OncePort {
  if ("eval" in backend) return redisStore(backend, name);
  if ("query" in backend) return sqlStore(backend, name);
  return memoryStore(backend, name);
}

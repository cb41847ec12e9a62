// Selects the idempotency port for a kind of backend.

import type { Backend } from "../backend/ports.ts";
import { cellOncePort } from "./cells.ts";
import { memoryOncePort } from "./memory.ts";
import { redisOncePort } from "./native/redis.ts";
import { sqlOncePort } from "./native/sql.ts";
import type { OncePort } from "./port.ts";

/** Opens the keys of a name on a backend. */
export function oncePort(backend: Backend, name: string): OncePort {
  if ("eval" in backend) return redisOncePort(backend, name);
  if ("query" in backend) return sqlOncePort(backend, name);
  if ("swap" in backend) return cellOncePort(backend, name);
  return memoryOncePort(backend, name);
}

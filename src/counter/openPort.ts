// Opens the port of a counter, by the kind of backend.

import type { Backend } from "../backend/ports.ts";
import { cellCounterPort } from "./cells.ts";
import { memoryCounterPort } from "./memory.ts";
import { redisCounterPort } from "./native/redis.ts";
import { sqlCounterPort } from "./native/sql.ts";
import type { CounterPort } from "./port.ts";

/** Returns the port of the counter with a name. */
export function counterPort(backend: Backend, name: string): CounterPort {
  if ("eval" in backend) return redisCounterPort(backend, name);
  if ("query" in backend) return sqlCounterPort(backend, name);
  if ("swap" in backend) return cellCounterPort(backend, name);
  return memoryCounterPort(backend, name);
}

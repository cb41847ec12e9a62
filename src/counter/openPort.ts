// Opens the port of a counter, by the kind of backend.

import type { Backend } from "../backend/ports.ts";
import { memoryStore } from "./memory.ts";
import { redisStore } from "./native/redis.ts";
import { sqlStore } from "./native/sql.ts";
import type { CounterPort } from "./port.ts";

/** Returns the port of the counter with a name. */
export function counterPort(backend: Backend, name: string): CounterPort {
  if ("eval" in backend) return redisStore(backend, name);
  if ("query" in backend) return sqlStore(backend, name);
  return memoryStore(backend, name);
}

// Opens the port of a lease namespace, by the kind of backend.

import type { Backend } from "../backend/ports.ts";
import { memoryStore } from "./memory.ts";
import { redisStore } from "./native/redis.ts";
import { sqlStore } from "./native/sql.ts";
import type { LeasePort } from "./port.ts";

/** Returns the port of the leases with a name. */
export function leasePort(backend: Backend, name: string): LeasePort {
  if ("eval" in backend) return redisStore(backend, name);
  if ("query" in backend) return sqlStore(backend, name);
  return memoryStore(backend, name);
}

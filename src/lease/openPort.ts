// Opens the port of a lease namespace, by the kind of backend.

import type { Backend } from "../backend/ports.ts";
import { cellLeasePort } from "./cells.ts";
import { memoryLeasePort } from "./memory.ts";
import { redisLeasePort } from "./native/redis.ts";
import { sqlLeasePort } from "./native/sql.ts";
import type { LeasePort } from "./port.ts";

/** Returns the port of the leases of a namespace. */
export function leasePort(backend: Backend, name: string): LeasePort {
  if ("eval" in backend) return redisLeasePort(backend, name);
  if ("query" in backend) return sqlLeasePort(backend, name);
  if ("swap" in backend) return cellLeasePort(backend, name);
  return memoryLeasePort(backend, name);
}

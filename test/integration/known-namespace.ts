// The Redis of the tests has just come up, and does not lease in a namespace that it does not know: it might have
// forgotten it. Where a test is not about that, the namespace is made known before.

import { fromIORedis } from "bitflake/backend";
import { type LeaseOptions, leaseNode } from "bitflake/lease";
import { Redis } from "ioredis";

/** Leases a node and gives it back. */
export async function makeKnown(url: string, options: Omit<LeaseOptions, "backend">): Promise<void> {
  const client = new Redis(url);
  const lease = await leaseNode({ backend: fromIORedis(client), ...options, fence: false });
  await lease.release();
  await client.quit();
}

// A Redis that has just started does not grant nodes in an unknown namespace, because it might have forgotten it. Tests
// of other behaviour make the namespace known first.

import { fromIORedis } from "bitflake/backend";
import { type LeaseOptions, leaseNode } from "bitflake/lease";
import { Redis } from "ioredis";

/** Makes a namespace known: leases a node and releases it. */
export async function makeKnown(url: string, options: Omit<LeaseOptions, "backend">): Promise<void> {
  const client = new Redis(url);
  const lease = await leaseNode({ backend: fromIORedis(client), ...options, fence: false });
  await lease.release();
  await client.quit();
}

// Leases: the cost per ID, and the cost of a lease beside a bare round trip to the same Redis.

import { fromIORedis, memory } from "../dist/backend.js";
import { makeGenerator } from "../dist/index.js";
import { leaseNode } from "../dist/lease.js";
import { isShort, keep, median, race } from "./measure.mjs";

// Other nodes than those of threads.mjs.
const widths = { timestampBits: 42, datacenterBits: 0, machineBits: 1, sequenceBits: 20 };

/** Nanoseconds per ID, with and without a lease. */
export async function leased() {
  const plain = makeGenerator(widths, { machineId: 1 });
  const { generator } = await leaseNode({ backend: memory(), preset: widths, ttlMs: 3_600_000 });
  return race(
    {
      "SnowflakeGenerator.nextId()": (n) => {
        for (let i = 0; i < n; i++) keep(plain.nextId());
      },
      "the same, on a lease": (n) => {
        for (let i = 0; i < n; i++) keep(generator.nextId());
      },
    },
    { count: 500_000, rounds: 40 },
  );
}

/**
 * Measures the median nanoseconds of a bare round trip, and of a lease among 1024 nodes of which 1000 are taken.
 *
 * @param redis a client of ioredis
 */
export async function acquired(redis) {
  const prefix = `bitflake-bench-${process.pid}`;
  // The first thousand are leased at once.
  const backend = fromIORedis(redis, { prefix, timeoutMs: 60_000 });
  const options = { backend, preset: "single_dc", ttlMs: 600_000, maxSkewMs: 60_000 };
  // A Redis that has just started grants nothing in an unknown namespace.
  await leaseNode({ ...options, fence: false });
  await Promise.all(Array.from({ length: 999 }, () => leaseNode(options)));
  const bare = [];
  const acquire = [];
  for (let i = 0; i < (isShort ? 200 : 2000); i++) {
    const start = performance.now();
    await redis.call("EVAL", "return 1", "0");
    const middle = performance.now();
    const lease = await leaseNode(options);
    const end = performance.now();
    await lease.release();
    bare.push(middle - start);
    acquire.push(end - middle);
  }
  await redis.del(`${prefix}:{default}:lease`, `${prefix}:{default}:lease:0`);
  return { "Redis, EVAL": median(bare) * 1e6, "leaseNode, 1000 of 1024 taken": median(acquire) * 1e6 };
}

// Counters on Redis, one value at a time and by the block.

import { fromIORedis } from "../dist/backend.js";
import { Counter } from "../dist/counter.js";
import { isShort, keep } from "./measure.mjs";

const BLOCK = 1000;
const ROUNDS = isShort ? 3 : 30;

/** Measures the nanoseconds per value of sequential calls. */
async function time({ next, count }) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) keep(await next());
  return Number(process.hrtime.bigint() - start) / count;
}

/** Returns the best round of each candidate. The candidates alternate, so that other load affects all of them. */
async function race(candidates) {
  const best = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, candidate] of Object.entries(candidates)) {
      best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, await time(candidate));
    }
  }
  return best;
}

/**
 * Measures the nanoseconds per value of INCR, of a counter with block 1, and of one by the block.
 *
 * @param redis a client of ioredis
 */
export async function counters(redis) {
  const prefix = `bitflake-bench-${process.pid}`;
  const backend = fromIORedis(redis, { prefix });
  const single = new Counter({ backend, name: "single" });
  const leased = new Counter({ backend, name: "leased", block: BLOCK });
  try {
    return await race({
      "Redis, INCR": { next: () => redis.incr(`${prefix}:incr`), count: 1000 },
      "Counter, block 1": { next: () => single.next(), count: 1000 },
      [`Counter, block ${BLOCK}`]: { next: () => leased.next(), count: 20 * BLOCK },
    });
  } finally {
    await redis.del(`${prefix}:incr`, `${prefix}:{single}:counter`, `${prefix}:{leased}:counter`);
  }
}

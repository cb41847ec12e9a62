// Four threads and the main one make IDs with one node ID.

import { Worker } from "node:worker_threads";
import { SharedGenerator } from "bitflake/threads";

const shared = new SharedGenerator("twitter", { machineId: 3 });

/** Makes IDs in a worker thread. */
function inThread(count: number): Promise<BigInt64Array> {
  const workerData = { handle: shared.handle, count };
  const worker = new Worker(new URL("worker.js", import.meta.url), { workerData });
  return new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
}

export async function makeIds(count: number): Promise<bigint[]> {
  const threads = Array.from({ length: 4 }, () => inThread(count));
  const own = shared.nextIds(count);
  return [...own, ...(await Promise.all(threads)).flatMap((ids) => [...ids])];
}

// A SharedGenerator: what it costs in one thread, and how much of the layout's cap four threads reach together.

import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { makeGenerator } from "../dist/index.js";
import { SharedGenerator } from "../dist/threads.js";
import { keep, race } from "./measure.mjs";

const THREADS = 4;
const COUNT = 2_000_000;
const widths = { timestampBits: 41, datacenterBits: 0, machineBits: 1, sequenceBits: 21 };

/** Nanoseconds per ID in one thread, of either generator. */
export function alone() {
  const plain = makeGenerator(widths, { machineId: 0 });
  const shared = new SharedGenerator(widths, { machineId: 1 });
  return race(
    {
      "SnowflakeGenerator.nextId()": (n) => {
        for (let i = 0; i < n; i++) keep(plain.nextId());
      },
      "SharedGenerator.nextId()": (n) => {
        for (let i = 0; i < n; i++) keep(shared.nextId());
      },
    },
    { count: 500_000, rounds: 40 },
  );
}

const message = (worker) =>
  new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));

/** The share of the twitter layout's 4096 IDs a millisecond that the threads reach, and how many repeat; best of three. */
export async function together() {
  const { handle } = new SharedGenerator("twitter", { datacenterId: 9, machineId: 9 });
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const words = new SharedArrayBuffer(THREADS * COUNT * 8);
  const workers = Array.from(
    { length: THREADS },
    (_, at) => new Worker(new URL(import.meta.url), { workerData: { handle, gate, words, at } }),
  );
  await Promise.all(workers.map(message));
  let share = 0;
  let repeated = 0;
  for (let round = 1; round <= 3; round++) {
    const done = workers.map(message);
    const start = process.hrtime.bigint();
    Atomics.store(gate, 0, round);
    Atomics.notify(gate, 0);
    await Promise.all(done);
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    share = Math.max(share, (THREADS * COUNT) / ms / 4096);
    const ids = new BigUint64Array(words).slice().sort();
    for (let i = 1; i < ids.length; i++) if (ids[i] === ids[i - 1]) repeated++;
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  return { threads: THREADS, share, repeated };
}

if (!isMainThread && workerData?.words) {
  const { handle, gate, words, at } = workerData;
  const shared = SharedGenerator.attach(handle);
  const target = new BigUint64Array(words, at * COUNT * 8, COUNT);
  parentPort.postMessage("ready");
  for (let round = 0; ; round++) {
    Atomics.wait(gate, 0, round);
    for (let i = 0; i < COUNT; i++) target[i] = shared.nextId();
    parentPort.postMessage("done");
  }
}

// One of the threads of workers.slow.test.ts: attaches, says that it is ready, and makes IDs when the gate opens.

import { parentPort, workerData } from "node:worker_threads";
import { SharedGenerator } from "../../dist/threads.js";

const { handle, gate, words, at, count, skewMs } = workerData;
const { now } = Date;
if (skewMs) Date.now = () => now() + skewMs;
const generator = SharedGenerator.attach(handle);
const target = new BigUint64Array(words, at * count * 8, count);

parentPort.postMessage("ready");
Atomics.wait(gate, 0, 0);
const refusals = {};
let made = 0;
for (let calls = 0; made < count && calls < 2 * count; calls++) {
  try {
    target[made] = generator.nextId();
    made++;
  } catch ({ code }) {
    refusals[code] = (refusals[code] ?? 0) + 1;
  }
}
parentPort.postMessage({ made, refusals });

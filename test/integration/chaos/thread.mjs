// A thread of a holder: joins the generator of each lease that it gets in a message, and makes IDs until that lease is
// released. It gets no message when another node is leased meanwhile: its generator must notice.

import { setTimeout } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { between, burst, Pen } from "./bursts.mjs";

const { at, dist, turn, offset, ownClock, expected, path } = workerData;
const { SharedGenerator } = await import(new URL("threads.js", dist).href);
const clock = ownClock ? () => Date.now() + Atomics.load(offset, 0) : undefined;

// --random-seed gives all threads the same random numbers, so each one skips a different count.
for (let skipped = 0; skipped < at * 1000; skipped++) Math.random();

parentPort.on("message", async ({ handle, lease }) => {
  const generator = SharedGenerator.attach(handle, clock);
  const pen = new Pen(`${path}.${lease}.${at}.ids`);
  while (Atomics.load(turn, 0) === lease) {
    try {
      await burst(generator, pen, 4);
      await setTimeout(between(0, 60));
    } catch (error) {
      if (!expected.includes(error.code)) throw error;
      await setTimeout(between(1, 30));
    }
  }
  pen.close();
});

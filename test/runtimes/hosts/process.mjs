// Node, Deno or Bun plays a scene: `process.mjs <scene> <variables as JSON>`. Prints the outcome as JSON.

import { createRequire } from "node:module";
import * as threads from "node:worker_threads";
import * as bitflake from "bitflake";
import { decode, makeGenerator, nextId } from "bitflake";
import { play } from "../contract/scenes.mjs";
import { runWebThread } from "./web-thread.mjs";

/** Node has no Worker of the web's kind. */
function runNodeThread(job) {
  const worker = new threads.Worker(new URL("./node-thread.mjs", import.meta.url), { workerData: job });
  return new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
}

const [scene, env] = process.argv.slice(2);
const outcome = await play(scene, {
  bitflake,
  named: { decode, makeGenerator, nextId },
  load: (name) => import(name),
  required: createRequire(import.meta.url)("bitflake"),
  env: JSON.parse(env),
  runThread: (job) =>
    (globalThis.Worker ? runWebThread : runNodeThread)({ ...job, module: "bitflake/threads" }),
});
console.log(JSON.stringify(outcome));
process.exit();

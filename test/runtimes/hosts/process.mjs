// Program for Node, Deno and Bun that runs a suite: `process.mjs SUITE VARIABLES`, the variables as JSON. Prints the outcome as
// JSON.

import { createRequire } from "node:module";
import * as threads from "node:worker_threads";
import * as bitflake from "bitflake";
import { decode, makeGenerator, nextId } from "bitflake";
import { runSuite } from "../contract/suites.mjs";
import { runWebThread } from "./web-thread.mjs";

/** Runs a job in a thread of Node, which has no web Worker. */
function runNodeThread(job) {
  const worker = new threads.Worker(new URL("./node-thread.mjs", import.meta.url), { workerData: job });
  return new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
}

const [suite, env] = process.argv.slice(2);
const outcome = await runSuite(suite, {
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

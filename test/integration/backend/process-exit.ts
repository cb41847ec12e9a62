// The process of process-exit.test.ts: asks, is left without an answer, closes its client, and has nothing more to do.

import { setTimeout } from "node:timers/promises";
import { callStore } from "../../../src/backend/call.ts";
import type { Backend } from "../../../src/backend/index.ts";
import { postgresAdapters } from "../postgres-clients.ts";
import { redisAdapters } from "../redis-clients.ts";

/** Asks for as little as there is, and says how it went. */
async function outcome(backend: Backend, maxWaitMs?: number): Promise<string> {
  const call = async () => {
    if ("eval" in backend) return backend.eval("return 'x'", [], []);
    if ("query" in backend) return backend.query("SELECT 1", []);
    throw new TypeError("there is nothing to ask");
  };
  const asked = callStore(backend, "test: leaving", call, () => "answered", { maxWaitMs });
  return asked.catch((error) => error.reason);
}

const [, , name, url] = process.argv;
const adapter = [...redisAdapters, ...postgresAdapters].find((one) => one.name === name);
if (!adapter) throw new Error(`there is no ${name}`);

// Its timer would keep the process for a minute.
const { port, close } = await adapter.open(url, { timeoutMs: 60_000 });
console.log(await outcome(port));
await new Promise((frozen) => process.stdin.once("data", frozen));
console.log(await outcome(port, 200));
await new Promise((woken) => process.stdin.once("data", woken));
// The late answer, or the late failure: nobody waits for it any more.
await setTimeout(300);
await close();
process.stdin.destroy();
console.log("closed");

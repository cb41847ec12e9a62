// Program of process-exit.test.ts: sends a call that gets no answer, closes its client, and has nothing more to do.

import { setTimeout } from "node:timers/promises";
import { callStore } from "../../../src/backend/call.ts";
import type { Backend } from "../../../src/backend/index.ts";
import { postgresAdapters } from "../postgres-clients.ts";
import { redisAdapters } from "../redis-clients.ts";

/** Sends a minimal call and returns its outcome. */
async function outcome(backend: Backend, maxWaitMs?: number): Promise<string> {
  const call = async () => {
    if ("eval" in backend) return backend.eval("return 'x'", [], []);
    if ("query" in backend) return backend.query("SELECT 1", []);
    throw new TypeError("the backend is neither Redis nor SQL");
  };
  const result = callStore(backend, "test: leaving", call, () => "answered", { maxWaitMs });
  return result.catch((error) => error.reason);
}

const [, , name, url] = process.argv;
const adapter = [...redisAdapters, ...postgresAdapters].find((one) => one.name === name);
if (!adapter) throw new Error(`unknown adapter: ${name}`);

// The timer of this call would keep the process alive for a minute.
const { port, close } = await adapter.open(url, { timeoutMs: 60_000 });
console.log(await outcome(port));
await new Promise((frozen) => process.stdin.once("data", frozen));
console.log(await outcome(port, 200));
await new Promise((woken) => process.stdin.once("data", woken));
// Gives the late answer or error time to arrive, which no caller waits for.
await setTimeout(300);
await close();
process.stdin.destroy();
console.log("closed");

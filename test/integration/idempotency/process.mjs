// A process of idempotency.test.ts, on the built package: acquires a key, prints that, runs its work and prints the
// outcome. The test kills or stops it in between.

import { setTimeout } from "node:timers/promises";
import { Idempotency } from "../../../dist/idempotency.js";
import { open } from "../client.mjs";

const { name, lockMs, workMs, ...plan } = JSON.parse(process.argv[2]);
const [backend, close] = open(plan);
const once = new Idempotency({ backend, name, lockMs });
const work = async (signal) => {
  console.log("started");
  await setTimeout(workMs, undefined, { signal }).catch(() => {});
  return process.pid;
};
await once.once("k", "f", work).then(
  ({ value, isReplay }) => console.log(isReplay ? "replayed" : "ran", value),
  ({ code }) => console.log(code),
);
await close();

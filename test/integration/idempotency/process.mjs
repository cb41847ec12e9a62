// One of the processes of idempotency.test.ts, on the built package: takes a key, says so, does its work, and says what
// came of it. Killed in between, it is the crash.

import { Idempotency } from "../../../dist/idempotency.js";
import { open } from "../client.mjs";

const { name, lockMs, workMs, ...plan } = JSON.parse(process.argv[2]);
const [backend, close] = open(plan);
const once = new Idempotency({ backend, name, lockMs });
const work = async () => {
  console.log("started");
  await new Promise((wake) => setTimeout(wake, workMs));
  return process.pid;
};
await once.once("k", "f", work).then(
  ({ value, isReplay }) => console.log(isReplay ? "replayed" : "ran", value),
  ({ code }) => console.log(code),
);
await close();

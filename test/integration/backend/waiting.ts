// Program of process-exit.test.ts: waits for an answer that never arrives.

import { callStore } from "../../../src/backend/call.ts";
import { memory } from "../../../src/backend/index.ts";

const [, , timeoutMs, where] = process.argv;
const backend = { ...memory(), timeoutMs: Number(timeoutMs) };
const never = () => new Promise(() => {});
callStore(backend, "test: waiting", never, () => true, { background: where === "background" }).catch(
  (error) => console.log(error.reason),
);

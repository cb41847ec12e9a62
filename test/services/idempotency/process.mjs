// One of the processes of idempotency.test.ts, on the built package: takes a key, says so, does its work, and says what
// came of it. Killed in between, it is the crash.

import { createRequire } from "node:module";
import { fromIORedis, fromPg, fromSqlite } from "../../../dist/backend.js";
import { Idempotency } from "../../../dist/idempotency.js";

const { client, address, prefix, name, lockMs, workMs } = JSON.parse(process.argv[2]);
// Only the client that is asked for is loaded: not each Node has all of them.
const require = createRequire(import.meta.url);

/** Each client, with what closes it. */
const open = {
  ioredis() {
    const redis = new (require("ioredis").Redis)(address);
    return [fromIORedis(redis, { prefix }), () => redis.quit()];
  },
  pg() {
    const pool = new (require("pg").Pool)({ connectionString: address });
    return [fromPg(pool, { prefix }), () => pool.end()];
  },
  "node:sqlite"() {
    const db = new (require("node:sqlite").DatabaseSync)(address);
    return [fromSqlite(db, { prefix, timeoutMs: 30_000 }), () => db.close()];
  },
};

const [backend, close] = open[client]();
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

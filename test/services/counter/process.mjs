// One of the processes of counter.test.ts, on the built package: takes values by the block, several calls
// at once, and prints them.

import { createRequire } from "node:module";
import { fromIORedis, fromPg, fromSqlite } from "../../../dist/backend.js";
import { Counter } from "../../../dist/counter.js";

const { client, address, prefix, name, block, count } = JSON.parse(process.argv[2]);
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
const counter = new Counter({ backend, name, block });
const values = [];
while (values.length < count) {
  const calls = Array.from({ length: Math.min(50, count - values.length) }, () => counter.next());
  values.push(...(await Promise.all(calls)));
}
await close();
console.log(JSON.stringify(values.map(String)));

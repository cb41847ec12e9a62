// How the processes that tests start open a store, on the built package: by the name of a client.

import { createRequire } from "node:module";
import { fromIORedis, fromMysql2, fromPg, fromSqlite } from "../../dist/backend.js";

// Only the client that is asked for is loaded: not each Node has all of them.
const require = createRequire(import.meta.url);

/** Only a store that hangs does not answer in this time: the machine runs other tests too. */
const timeoutMs = 60_000;

const clients = {
  ioredis(address, prefix) {
    const redis = new (require("ioredis").Redis)(address);
    return [fromIORedis(redis, { prefix, timeoutMs }), () => redis.quit()];
  },
  pg(address, prefix) {
    const pool = new (require("pg").Pool)({ connectionString: address });
    return [fromPg(pool, { prefix, timeoutMs }), () => pool.end()];
  },
  mysql2(address, prefix) {
    const pool = require("mysql2/promise").createPool(address);
    return [fromMysql2(pool, { prefix, timeoutMs }), () => pool.end()];
  },
  "node:sqlite"(address, prefix) {
    const db = new (require("node:sqlite").DatabaseSync)(address);
    return [fromSqlite(db, { prefix, timeoutMs }), () => db.close()];
  },
};

/** The backend, and what closes it. */
export function open({ client, address, prefix }) {
  return clients[client](address, prefix);
}

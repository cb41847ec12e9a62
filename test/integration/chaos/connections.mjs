// Connections of the chaos test to each store, by clients that behave differently in an outage.

import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import { createPool } from "mysql2/promise";
import pg from "pg";
import { between } from "./bursts.mjs";

/** Repeats an action until the store is there. */
async function insist(action) {
  for (;;) {
    try {
      return await action();
    } catch {
      await setTimeout(50);
    }
  }
}

/**
 * By store, a function that connects to it, also if it is down.
 *
 * `backends` is the module bitflake/backend, `settings` are those of the adapter.
 */
export const connections = {
  async redis({ fromIORedis }, url, settings) {
    // By default ioredis queues commands while it is not connected, and repeats commands without an answer.
    const failing = { enableOfflineQueue: false, maxRetriesPerRequest: 0 };
    const client = new Redis(url, { retryStrategy: () => 50, ...(Math.random() < 0.3 ? failing : {}) });
    client.on("error", () => {});
    await Promise.race([once(client, "ready").catch(() => {}), setTimeout(1000)]);
    return { backend: fromIORedis(client, settings), close: () => client.disconnect() };
  },

  async postgres({ fromPg }, url, settings) {
    const pool = new pg.Pool({ connectionString: url, max: between(1, 4) });
    pool.on("error", () => {});
    return { backend: fromPg(pool, settings), close: () => pool.end() };
  },

  async mariadb({ fromMysql2 }, url, settings) {
    const pool = createPool({ uri: url, connectionLimit: between(1, 4), connectTimeout: 2000 });
    return { backend: fromMysql2(pool, settings), close: () => pool.end() };
  },

  async nats({ fromNatsKv }, url, settings) {
    const reconnect = { maxReconnectAttempts: -1, reconnectTimeWait: 50, reconnectJitter: 50 };
    // By default a process that begins while the server is frozen waits for it for longer than the test takes.
    const options = { servers: url, timeout: 1000, ...reconnect };
    const connection = await insist(() => connect(options));
    const kv = await insist(() => new Kvm(connection).create("chaos", { allow_direct: false }));
    return { backend: fromNatsKv(kv, settings), close: () => connection.close() };
  },

  async etcd({ fromEtcd }, url, settings) {
    return { backend: fromEtcd({ endpoints: url, ...settings }), close: () => {} };
  },
};

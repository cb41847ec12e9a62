// Pairs of servers: the second replaces the first without its last writes.

import { setTimeout } from "node:timers/promises";
import { type Backend, fromIORedis, fromPg, setup } from "bitflake/backend";
import { Redis } from "ioredis";
import pg from "pg";
import { startPostgres, startRedis, startSentinel, startStandby } from "./servers.ts";

/** Adds a cleanup step. The steps run in reverse order. */
type Undo = (step: () => unknown) => void;

/** A store of two servers, of which the second replaces the first. */
export interface Pair {
  readonly backend: Backend;
  /** Stops the replication from the first server to the second. */
  cut(): Promise<unknown>;
  /** Kills the first server and lets the second be promoted. */
  fail(): Promise<unknown>;
}

/** Starts a Redis with a replica that a Sentinel promotes. */
export async function redisPair(undo: Undo): Promise<Pair> {
  const primary = await startRedis();
  undo(() => primary.stop());
  const admin = new Redis(primary.url, { retryStrategy: () => null });
  admin.on("error", () => {});
  undo(() => admin.disconnect());
  // The replica has its own user: when that is disabled, only the replica cannot connect.
  await admin.call("ACL", "SETUSER", "replica", "on", ">secret", "~*", "&*", "+@all");
  const of = ["--replicaof", "127.0.0.1", String(primary.port), "--masteruser", "replica"];
  const replica = await startRedis({ more: [...of, "--masterauth", "secret"] });
  undo(() => replica.stop());
  // Wait for the first synchronization: a replica that is promoted before has no lease at all.
  const second = new Redis(replica.url);
  undo(() => second.disconnect());
  while (!/master_link_status:up/.test(await second.info("replication"))) await setTimeout(20);
  const sentinel = await startSentinel(primary, "ids");
  undo(() => sentinel.stop());
  const watch = new Redis(sentinel.url);
  undo(() => watch.disconnect());
  // The Sentinel must have found the replica, and got its status.
  const isKnown = async () => /flags,slave,/.test(String(await watch.call("SENTINEL", "REPLICAS", "ids")));
  while (!(await isKnown())) await setTimeout(50);
  const client = new Redis({
    sentinels: [{ host: "127.0.0.1", port: sentinel.port }],
    name: "ids",
    retryStrategy: () => 50,
    sentinelRetryStrategy: () => 50,
    maxRetriesPerRequest: 0,
  });
  client.on("error", () => {});
  undo(() => client.disconnect());
  return {
    backend: fromIORedis(client, { timeoutMs: 500 }),
    async cut() {
      await admin.call("ACL", "SETUSER", "replica", "off");
      await admin.call("CLIENT", "KILL", "TYPE", "replica");
    },
    fail: () => primary.kill(),
  };
}

/** Starts a PostgreSQL with an asynchronous standby that is promoted. */
export async function postgresPair(undo: Undo): Promise<Pair> {
  const primary = await startPostgres();
  undo(() => primary.stop());
  const pools: pg.Pool[] = [];
  const poolOf = ({ url }: { readonly url: string }) => {
    const pool = new pg.Pool({ connectionString: url });
    pool.on("error", () => {});
    undo(() => pool.end());
    pools.push(pool);
    return pool;
  };
  let current = poolOf(primary);
  const backend = fromPg({ query: (text, params) => current.query(text, params) }, { timeoutMs: 500 });
  await setup(backend);
  const standby = await startStandby(primary);
  undo(() => standby.stop());
  const next = poolOf(standby);
  const receivers = async (pool: pg.Pool) =>
    Number((await pool.query("SELECT COUNT(*) AS many FROM pg_stat_wal_receiver")).rows[0].many);
  while ((await receivers(next)) === 0) await setTimeout(20);
  return {
    backend,
    async cut() {
      await next.query("ALTER SYSTEM SET primary_conninfo = ''");
      await next.query("SELECT PG_RELOAD_CONF()");
      while ((await receivers(next)) > 0) await setTimeout(20);
    },
    async fail() {
      await primary.kill();
      await next.query("SELECT PG_PROMOTE()");
      current = next;
    },
  };
}

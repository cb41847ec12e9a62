// Two servers, of which the second takes the first one's place without its last writes.

import { setTimeout } from "node:timers/promises";
import { type Backend, fromIORedis, fromPg, setup } from "bitflake/backend";
import { Redis } from "ioredis";
import pg from "pg";
import { startPostgres, startRedis, startSentinel, startStandby } from "./servers.ts";

/** Takes what is to be done at the end, the last first. */
type Undo = (step: () => unknown) => void;

/** A store of two servers, of which the second takes the first one's place. */
export interface Pair {
  readonly backend: Backend;
  /** Keeps what is written from now on from the second. */
  cut(): Promise<unknown>;
  /** Ends the first, and has the second promoted. */
  fail(): Promise<unknown>;
}

/** A Sentinel promotes the replica. */
export async function redisPair(undo: Undo): Promise<Pair> {
  const primary = await startRedis();
  undo(() => primary.stop());
  const admin = new Redis(primary.url, { retryStrategy: () => null });
  admin.on("error", () => {});
  undo(() => admin.disconnect());
  // The replica has a user of its own: without it, it cannot come back, and all others can.
  await admin.call("ACL", "SETUSER", "replica", "on", ">secret", "~*", "&*", "+@all");
  const of = ["--replicaof", "127.0.0.1", String(primary.port), "--masteruser", "replica"];
  const replica = await startRedis({ more: [...of, "--masterauth", "secret"] });
  undo(() => replica.stop());
  // Until it has all that the primary has: a replica that is promoted before has no lease at all.
  const second = new Redis(replica.url);
  undo(() => second.disconnect());
  while (!/master_link_status:up/.test(await second.info("replication"))) await setTimeout(20);
  const sentinel = await startSentinel(primary, "ids");
  undo(() => sentinel.stop());
  const watch = new Redis(sentinel.url);
  undo(() => watch.disconnect());
  // It asks the primary for its replicas, and the replica how it is.
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

/** An asynchronous standby is promoted. */
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

// Failover of PostgreSQL to an asynchronous standby that lacks the last writes.

import { setTimeout } from "node:timers/promises";
import pg from "pg";
import type { Server } from "./servers.ts";

/** Runs one statement on a server and returns its rows. */
async function query(
  server: Server,
  sql: string,
  params: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    return (await client.query(sql, params)).rows;
  } finally {
    await client.end();
  }
}

/** Waits until a condition in SQL is true. */
async function until(server: Server, sql: string, params: unknown[] = []): Promise<void> {
  for (;;) {
    const [row] = await query(server, `SELECT ${sql} AS "isSo"`, params);
    if (row?.["isSo"] === true) return;
    await setTimeout(20);
  }
}

/** Waits until a standby has replayed all writes of its primary. */
export async function catchUp(primary: Server, standby: Server): Promise<void> {
  const [row] = await query(primary, "SELECT PG_CURRENT_WAL_LSN() AS at");
  await until(standby, "PG_LAST_WAL_REPLAY_LSN() >= $1", [row?.["at"]]);
}

/** Ends the replication, so that the standby gets no further writes of the primary. */
export async function cutOff(standby: Server): Promise<void> {
  await query(standby, "ALTER SYSTEM SET primary_conninfo TO ''");
  await query(standby, "SELECT PG_RELOAD_CONF()");
  await until(standby, "NOT EXISTS (SELECT 1 FROM pg_stat_wal_receiver)");
}

/** Kills the primary and promotes its standby. */
export async function failOver(primary: Server, standby: Server): Promise<void> {
  await primary.kill();
  await query(standby, "SELECT PG_PROMOTE(TRUE)");
  await until(standby, "NOT PG_IS_IN_RECOVERY()");
}

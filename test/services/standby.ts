// An asynchronous standby of a PostgreSQL, and a failover to it that loses the last writes.

import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import pg from "pg";
import { find, postgresAccount, type Server, servePostgres, startable } from "./servers.ts";

/** Whether a standby can be started here. */
export const canStandBy: boolean = startable.postgres && find("pg_basebackup") !== undefined;

/** Runs one statement on a server, and returns its rows. */
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

/** Waits until a server answers a question with yes. */
async function until(server: Server, sql: string, params: unknown[] = []): Promise<void> {
  for (;;) {
    const [row] = await query(server, `SELECT ${sql} AS "isSo"`, params);
    if (row?.["isSo"] === true) return;
    await setTimeout(20);
  }
}

/** Starts a standby that streams from a primary. */
export async function startStandby(primary: Server): Promise<Server> {
  const account = postgresAccount();
  const folder = mkdtempSync(join(tmpdir(), "bitflake-standby-"));
  if (account.uid !== undefined) chownSync(folder, account.uid, account.gid as number);
  const from = ["-h", "127.0.0.1", "-p", String(primary.port), "-U", "postgres"];
  const args = ["-D", join(folder, "data"), ...from, "-R", "-X", "stream", "-c", "fast", "--no-sync"];
  execFileSync(find("pg_basebackup") as string, args, { cwd: folder, ...account });
  return servePostgres(folder, account);
}

/** Waits until a standby has replayed all that its primary has written. */
export async function catchUp(primary: Server, standby: Server): Promise<void> {
  const [row] = await query(primary, "SELECT PG_CURRENT_WAL_LSN() AS at");
  await until(standby, "PG_LAST_WAL_REPLAY_LSN() >= $1", [row?.["at"]]);
}

/** Ends the replication: what the primary writes from now on, the standby never gets. */
export async function cutOff(standby: Server): Promise<void> {
  await query(standby, "ALTER SYSTEM SET primary_conninfo TO ''");
  await query(standby, "SELECT PG_RELOAD_CONF()");
  await until(standby, "NOT EXISTS (SELECT 1 FROM pg_stat_wal_receiver)");
}

/** Ends the primary at once, and makes its standby a primary. */
export async function failOver(primary: Server, standby: Server): Promise<void> {
  await primary.kill();
  await query(standby, "SELECT PG_PROMOTE(TRUE)");
  await until(standby, "NOT PG_IS_IN_RECOVERY()");
}

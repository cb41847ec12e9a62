// Servers of the whole run: one Redis and one PostgreSQL. Their addresses are in the environment, for tests and for the
// programs that they start.

import { startable, startPostgres, startRedis } from "./servers.ts";
import { sqliteHere } from "./sqlite-here.ts";

/** Reports tests that are skipped, and how to enable them. In CI it throws instead. */
function reportSkipped(what: string, remedy: string): void {
  const text = `${what} are left out: ${remedy}`;
  if (process.env.CI) throw new Error(text);
  console.log(text);
}

/** Sets the variables that pg and postgres.js read by default. */
function exportPostgres(url: string): void {
  const { hostname, port, username, password, pathname } = new URL(url);
  process.env.DATABASE_URL = url;
  process.env.PGHOST = hostname;
  process.env.PGPORT = port || "5432";
  process.env.PGUSER = decodeURIComponent(username);
  process.env.PGDATABASE = decodeURIComponent(pathname.slice(1));
  if (password) process.env.PGPASSWORD = decodeURIComponent(password);
}

/** Starts the servers that can be started. For the others the user may give an address; tests do not freeze those. */
async function startServers(): Promise<() => Promise<void>> {
  const { REDIS_URL, DATABASE_URL } = process.env;
  const redis = startable.redis ? await startRedis() : undefined;
  if (redis) process.env.REDIS_URL = redis.url;
  else {
    const what = REDIS_URL ? "Tests that freeze and restart a Redis" : "Tests that need a Redis";
    reportSkipped(what, `install redis-server${REDIS_URL ? "" : ", or say where there is one by REDIS_URL"}`);
  }
  const postgres = startable.postgres ? await startPostgres() : undefined;
  if (!postgres) {
    const what = DATABASE_URL ? "Tests that freeze and restart a PostgreSQL" : "Tests that need a PostgreSQL";
    reportSkipped(
      what,
      `install postgresql${DATABASE_URL ? "" : ", or say where there is one by DATABASE_URL"}`,
    );
  }
  const url = postgres?.url ?? DATABASE_URL;
  if (url) exportPostgres(url);
  // Not an error in CI, because an old Node has no SQLite.
  if (!sqliteHere.node || !sqliteHere.better)
    console.log("Tests of SQLite are left out: run them on Node 22.13 or later");
  return async () => {
    await redis?.stop();
    await postgres?.stop();
  };
}

export default startServers;

// The ground of the whole run: one Redis and one PostgreSQL, whose addresses the tests find in the environment, where
// programs that they start find them too.

import { startable, startPostgres, startRedis } from "./servers.ts";
import { sqliteHere } from "./sqlite-here.ts";

/** Says what is left out, and how to get it. In CI nothing is. */
function leaveOut(what: string, remedy: string): void {
  const text = `${what} are left out: ${remedy}`;
  if (process.env.CI) throw new Error(text);
  console.log(text);
}

/** How pg and postgres.js hear of a database that nobody tells them. */
function tellPostgres(url: string): void {
  const { hostname, port, username, password, pathname } = new URL(url);
  process.env.DATABASE_URL = url;
  process.env.PGHOST = hostname;
  process.env.PGPORT = port || "5432";
  process.env.PGUSER = decodeURIComponent(username);
  process.env.PGDATABASE = decodeURIComponent(pathname.slice(1));
  if (password) process.env.PGPASSWORD = decodeURIComponent(password);
}

/** Starts what can be started; otherwise there may be a server elsewhere, which nobody here freezes. */
async function ground(): Promise<() => Promise<void>> {
  const { REDIS_URL, DATABASE_URL } = process.env;
  const redis = startable.redis ? await startRedis() : undefined;
  if (redis) process.env.REDIS_URL = redis.url;
  else {
    const what = REDIS_URL ? "Tests that freeze and restart a Redis" : "Tests that need a Redis";
    leaveOut(what, `install redis-server${REDIS_URL ? "" : ", or say where there is one by REDIS_URL"}`);
  }
  const postgres = startable.postgres ? await startPostgres() : undefined;
  if (!postgres) {
    const what = DATABASE_URL ? "Tests that freeze and restart a PostgreSQL" : "Tests that need a PostgreSQL";
    leaveOut(what, `install postgresql${DATABASE_URL ? "" : ", or say where there is one by DATABASE_URL"}`);
  }
  const url = postgres?.url ?? DATABASE_URL;
  if (url) tellPostgres(url);
  // No installation helps an old Node, so not even CI has more.
  if (!sqliteHere.node || !sqliteHere.better)
    console.log("Tests of SQLite are left out: run them on Node 22.13 or later");
  return async () => {
    await redis?.stop();
    await postgres?.stop();
  };
}

export default ground;

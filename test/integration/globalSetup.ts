// Servers of the whole run: one Redis, PostgreSQL, MariaDB, NATS, etcd and DynamoDB each. Their addresses are in the
// environment, for tests and for the programs that they start.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  prometheusHere,
  type Server,
  startable,
  startDynalite,
  startEtcd,
  startMariadb,
  startNats,
  startPostgres,
  startRedis,
} from "./servers.ts";
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

/** Servers with compare-and-set, and the variables that have their addresses. */
const cellServers = [
  { variable: "NATS_URL", program: "nats-server", isStartable: startable.nats, start: startNats },
  { variable: "ETCD_URL", program: "etcd-server", isStartable: startable.etcd, start: startEtcd },
  { variable: "DYNAMODB_URL", program: "dynalite", isStartable: true, start: startDynalite },
];

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const deno = here("../runtimes/node_modules/@deno/linux-x64-glibc/deno");

/** Starts the servers that can be started. For the others the user may give an address; tests do not freeze those. */
async function startServers(): Promise<() => Promise<void>> {
  const { REDIS_URL, DATABASE_URL, MYSQL_URL } = process.env;
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
  const mariadb = startable.mariadb ? await startMariadb() : undefined;
  if (mariadb) process.env.MYSQL_URL = mariadb.url;
  else {
    const what = MYSQL_URL ? "Tests that freeze and restart a MariaDB" : "Tests that need a MariaDB";
    reportSkipped(
      what,
      `install mariadb-server${MYSQL_URL ? "" : ", or say where there is one by MYSQL_URL"}`,
    );
  }
  const others: Server[] = [];
  for (const { variable, program, isStartable, start } of cellServers) {
    if (isStartable) {
      const server = await start();
      process.env[variable] = server.url;
      others.push(server);
    } else reportSkipped(`Tests that start a ${program}`, `install ${program}`);
  }
  if (existsSync(deno)) process.env.DENO = deno;
  else reportSkipped("Tests of Deno KV", "run npm ci --prefix test/runtimes");
  if (!prometheusHere.promtool || !prometheusHere.prometheus)
    reportSkipped("Tests of the alerts", "install prometheus");
  // Not an error in CI, because an old Node has no SQLite.
  if (!sqliteHere.node || !sqliteHere.better)
    console.log("Tests of SQLite are left out: run them on Node 22.13 or later");
  return async () => {
    await redis?.stop();
    await postgres?.stop();
    await mariadb?.stop();
    for (const server of others) await server.stop();
  };
}

export default startServers;

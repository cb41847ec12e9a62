// IDs of SQL and of JavaScript in one table with a primary key: many sessions of a server insert `SELECT next_id()`, while
// processes with leased nodes of the same name insert theirs. It fails if an ID came twice. It runs the sources, so it needs a
// Node that strips types (22.18 or later), the packages of test/integration, and a PostgreSQL or MariaDB to start.
//
// `node bench/sql-collisions.mjs [--server postgres|mariadb] [--sessions 40] [--ids 250000] [--processes 4] [--set-back]`. With
// `--set-back` the server's clock is set back while they run, by 5 ms and by 2 s, which needs libfaketime.

import { fork } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith("bitflake/")
      ? next(new URL(`../src/${specifier.slice("bitflake/".length)}/index.ts`, import.meta.url).href, context)
      : next(specifier, context),
});
const { fromMysql2, fromPg, setup } = await import("bitflake/backend");
const { leaseNode } = await import("bitflake/lease");
const { sqlFunctions } = await import("bitflake/sql");
const require = createRequire(new URL("../test/integration/servers.ts", import.meta.url));
const pg = require("pg");
const mysql = require("mysql2/promise");

const NAME = "collisions";

/** What differs between the servers. `batch` is how many IDs a statement inserts. */
const SERVERS = {
  postgres: {
    dialect: "postgres",
    batch: 5000,
    faketime: "libfaketime.so.1",
    preset: "twitter",
    nodeSql: "(id >> 12) & 1023",
    connect(connectionString, max = 1) {
      const pool = new pg.Pool({ connectionString, max });
      return {
        backend: fromPg(pool),
        query: async (sql) => (await pool.query(sql)).rows,
        end: () => pool.end(),
      };
    },
    series: (count) => `GENERATE_SERIES(1, ${count})`,
    stateOf: ({ code }) => code,
    start: ({ startPostgres }) => startPostgres(),
    // No timer of a lock wait, whose handler reads the clock.
    settings: ["ALTER SYSTEM SET deadlock_timeout = '1h'", "SELECT pg_reload_conf()"],
  },
  mariadb: {
    dialect: "mysql",
    faketime: "libfaketimeMT.so.1",
    // Small, so that a statement has begun less than 2 s ago when the clock steps back by 2 s.
    batch: 200,
    // 64 IDs in a tick: a call reads the present only when the tick of its statement's start is full.
    preset: "large_cluster",
    nodeSql: "(id >> 6) & 65535",
    connect(uri, connectionLimit = 1) {
      const pool = mysql.createPool({ uri, connectionLimit, multipleStatements: true });
      return {
        backend: fromMysql2(pool),
        query: async (sql) => (await pool.query(sql))[0],
        end: () => pool.end(),
      };
    },
    series: (count) => `seq_1_to_${count}`,
    stateOf: ({ sqlState }) => sqlState,
    start: ({ startMariadb }) => startMariadb(),
    settings: ["SET GLOBAL innodb_lock_wait_timeout = 3600"],
  },
};

/** Returns where Debian installs a library of libfaketime. */
const findFaketime = (library) =>
  ["x86_64", "aarch64"]
    .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/${library}`)
    .find((path) => existsSync(path));

/** The offsets of the server's clock, each for a second or more, and how long that is. */
const OFFSETS = [
  ["+0", 2000],
  ["-0.005", 1500],
  ["-2", 3000],
  ["+0", 1500],
  ["+0.5", 1500],
  ["+0.495", 1500],
];

/** A process: inserts IDs of a leased node. */
async function insertFromProcess({ batch, connect, preset }, url, ids) {
  const { backend, query, end } = connect(url, 2);
  const lease = await leaseNode({ backend, preset, name: NAME });
  for (let left = ids; left > 0; left -= batch) {
    const made = lease.generator.nextIds(Math.min(left, batch));
    await query(`INSERT INTO ids VALUES ${made.map((id) => `(${id})`)}`);
  }
  await lease.release();
  await end();
}

/** A session: inserts IDs of SQL. A batch that the set-back clock refuses is tried again. */
async function insertFromSession({ batch, connect, series, stateOf }, url, ids) {
  const { query, end } = connect(url);
  let refused = 0;
  for (let left = ids; left > 0; ) {
    const count = Math.min(left, batch);
    try {
      await query(`INSERT INTO ids SELECT next_id() FROM ${series(count)}`);
      left -= count;
    } catch (error) {
      if (stateOf(error) !== "IDCLK") throw error;
      refused++;
      await sleep(50);
    }
  }
  await end();
  return refused;
}

/**
 * Inserts the IDs of all sessions and processes into a table of a new server.
 *
 * @returns how many rows there are, how many there must be, and how many batches the clock has refused
 */
export async function collide({ name, sessions, ids, processes, setsBack }) {
  const engine = SERVERS[name];
  const folder = mkdtempSync(join(tmpdir(), "bitflake-clock-"));
  const file = join(folder, "offset");
  const setClock = (offset) => writeFileSync(file, `${offset}\n`, { mode: 0o644 });
  const fake = {
    LD_PRELOAD: findFaketime(engine.faketime),
    FAKETIME_TIMESTAMP_FILE: file,
    // Each process reads the file once a second, so at a change their clocks differ. A file that is read at every call would be
    // opened inside of signal handlers, which can block a process for good.
    FAKETIME_CACHE_DURATION: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  if (setsBack) {
    if (!fake.LD_PRELOAD) throw new Error("--set-back needs libfaketime: apt install faketime");
    // The account of the server reads the file.
    chmodSync(folder, 0o755);
    setClock("+0");
    Object.assign(process.env, fake);
  }
  const server = await engine.start(await import("../test/integration/servers.ts"));
  for (const name of Object.keys(fake)) delete process.env[name];
  try {
    const { backend, query, end } = engine.connect(server.url);
    for (const setting of engine.settings) await query(setting);
    await setup(backend, ["lease"]);
    const { install } = sqlFunctions({ dialect: engine.dialect, preset: engine.preset, name: NAME });
    await query(install);
    await query("CREATE TABLE ids (id bigint PRIMARY KEY)");
    const children = Array.from({ length: processes }, () => {
      const child = fork(fileURLToPath(import.meta.url), [
        ...["--server", name, "--url", server.url, "--ids", String(ids)],
      ]);
      return new Promise((resolve, reject) =>
        child.once("exit", (code) =>
          code === 0 ? resolve(0) : reject(new Error(`a process ended with ${code}`)),
        ),
      );
    });
    const running = Promise.all([
      ...children,
      ...Array.from({ length: sessions }, () => insertFromSession(engine, server.url, ids)),
    ]);
    let isOver = false;
    const settled = running.finally(() => {
      isOver = true;
    });
    settled.catch(() => {});
    let changes = 0;
    for (; setsBack && !isOver; changes++) {
      const [offset, ms] = OFFSETS[changes % OFFSETS.length];
      setClock(offset);
      await Promise.race([sleep(ms), settled]);
    }
    const refused = (await settled).reduce((sum, count) => sum + count, 0);
    const [{ made, nodes }] = await query(
      `SELECT COUNT(*) AS made, COUNT(DISTINCT ${engine.nodeSql}) AS nodes FROM ids`,
    );
    await end();
    return {
      rows: Number(made),
      nodes: Number(nodes),
      wanted: (sessions + processes) * ids,
      refused,
      changes,
    };
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const number = { type: "string" };
  const { values } = parseArgs({
    options: {
      server: { type: "string", default: "postgres" },
      url: number,
      sessions: number,
      ids: number,
      processes: number,
      "set-back": { type: "boolean" },
    },
  });
  const ids = Number(values.ids ?? 250_000);
  if (values.url) await insertFromProcess(SERVERS[values.server], values.url, ids);
  else {
    const started = performance.now();
    const { rows, wanted, nodes, refused, changes } = await collide({
      name: values.server,
      sessions: Number(values.sessions ?? 40),
      ids,
      processes: Number(values.processes ?? 4),
      setsBack: values["set-back"] ?? false,
    });
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(
      `${rows} rows of ${wanted}, ${nodes} nodes, 0 collisions, ${refused} batches refused by the clock, which was set ${changes} times; ${seconds} s`,
    );
    if (rows !== wanted) process.exitCode = 1;
  }
}

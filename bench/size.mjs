// Benchmark of a pool and of the service with many taken IDs: status(), start, /health, /metrics, an issue and a refill, with
// 1000 rows and with `--rows` (default 20,000,000). It starts its own PostgreSQL in a temporary folder and removes it.
// `npm run build && npm ci --prefix bench && node bench/size.mjs`.

import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import pg from "pg";
import { fromPg, setup } from "../dist/backend.js";
import { IdPool, NumericIdType } from "../dist/numeric.js";
import { createService } from "../dist/service.js";

const { values } = parseArgs({ options: { rows: { type: "string", default: "20000000" } } });
const MANY = Number(values.rows);
const FEW = 1000;
const PORT = 20_000 + Math.floor(Math.random() * 10_000);

const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1];

/** Returns the median milliseconds of several calls, with a pause before each. */
async function timeOf(call, times = 15, pauseMs = 0) {
  const all = [];
  for (let i = 0; i < times; i++) {
    await setTimeout(pauseMs);
    const started = performance.now();
    await call();
    all.push(performance.now() - started);
  }
  return median(all);
}

/** Returns the path of a program of PostgreSQL: on the PATH, or in Debian's folders. */
function find(program) {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [...process.env.PATH.split(delimiter), ...versions.map((v) => join(debian, v, "bin"))];
  const path = folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
  if (!path) throw new Error(`${program} is not installed`);
  return path;
}

/** Starts a PostgreSQL. Resolves to a function that stops and removes it. */
async function startPostgres() {
  const id = (flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  const account = process.getuid() === 0 ? { uid: id("-u"), gid: id("-g") } : {};
  const folder = mkdtempSync(join(tmpdir(), "bitflake-size-"));
  if (account.uid !== undefined) chownSync(folder, account.uid, account.gid);
  const options = { cwd: folder, ...account, stdio: "ignore" };
  const data = join(folder, "data");
  execFileSync(find("initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], options);
  const settings = [
    `port=${PORT}`,
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    "fsync=off",
  ];
  // Speeds up inserting the rows, which is not measured.
  settings.push("max_wal_size=8GB", "shared_buffers=512MB", "maintenance_work_mem=512MB");
  const server = spawn(find("postgres"), ["-D", data, ...settings.flatMap((set) => ["-c", set])], options);
  const ended = new Promise((resolve) => server.once("exit", resolve));
  return async () => {
    server.kill("SIGINT");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Returns a client of the server, once it answers. */
async function connect() {
  for (let tries = 0; ; tries++) {
    const client = new pg.Pool({ connectionString: `postgres://postgres@127.0.0.1:${PORT}/postgres` });
    client.on("error", () => {}); // Connections that the stopped server closes.
    try {
      await client.query("SELECT 1");
      return client;
    } catch (error) {
      await client.end();
      if (tries === 100) throw error;
      await setTimeout(100);
    }
  }
}

/** Returns the milliseconds of each call with so many taken IDs. */
async function measure(client, rows) {
  const prefix = `size_${rows}`;
  const backend = fromPg(client, { prefix, timeoutMs: 60_000 });
  const type = new NumericIdType({ name: "farmer", length: 12 });
  await setup(backend);
  const first = new IdPool({ backend, type });
  await first.fill();
  await first.stop();
  await client.query(
    `INSERT INTO ${prefix}_ids (type, id, rank, taken)
     SELECT 'farmer', LPAD(CAST(i AS TEXT), 12, '0'), (i * 2654435761) % 4294967296, i FROM GENERATE_SERIES(1, $1::BIGINT) AS i`,
    [rows],
  );
  await client.query(`VACUUM ANALYZE ${prefix}_ids`);
  // As a pool of an earlier version: without a count.
  await client.query(`UPDATE ${prefix}_id_types SET taken = NULL`);
  const times = {};
  const pool = new IdPool({ backend, type });
  const started = performance.now();
  await pool.import([]);
  times["first start after an upgrade (counts once)"] = performance.now() - started;
  const { taken, available } = await pool.status();
  if (taken !== rows) throw new Error(`${taken} taken of ${rows}`);
  times["status()"] = await timeOf(() => pool.status());
  const options = { backend, types: { farmer: { length: 12 } }, log: () => {} };
  times["service: start"] = await timeOf(async () => {
    const service = createService(options);
    await service.start();
    await service.stop();
  }, 5);
  const service = createService(options);
  await service.start();
  for (const path of ["/health", "/metrics"]) {
    times[`service: ${path}`] = await timeOf(
      async () => {
        const response = await service(new Request(`http://127.0.0.1${path}`));
        if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
        await response.arrayBuffer();
        // The pause lets the service's cache expire.
      },
      5,
      1500,
    );
  }
  await service.stop();
  times["issue()"] = await timeOf(() => pool.issue(), 500);
  times["issueIds(100)"] = await timeOf(() => pool.issueIds(100), 20);
  await pool.fill({ to: available + 2000 });
  times["fill() of 500"] = await timeOf(async () => {
    await pool.issueIds(500);
    await pool.fill({ to: available + 2000 });
  }, 5);
  await pool.stop();
  return times;
}

const stop = await startPostgres();
try {
  const client = await connect();
  const few = await measure(client, FEW);
  const many = await measure(client, MANY);
  console.log(`${"".padEnd(46)} ${`${FEW} rows`.padStart(14)} ${`${MANY} rows`.padStart(16)}    ratio`);
  for (const [what, ms] of Object.entries(few)) {
    const [one, other] = [ms, many[what]].map((time) => `${time.toFixed(2)} ms`);
    console.log(
      `${what.padEnd(46)} ${one.padStart(14)} ${other.padStart(16)} ${(many[what] / ms).toFixed(2).padStart(8)}`,
    );
  }
  await client.end();
} finally {
  await stop();
}

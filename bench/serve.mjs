// The service beside a bare node:http handler, Fastify and Hono with the same response, each in its own process; the command
// `serve` with a log, and with a key and a limit; and numeric IDs from SQLite and PostgreSQL. wrk measures all of them in turn:
// it takes less of the processor than they do, so that they are the limit. `npm run build && node bench/serve.mjs`, with
// `--short` for a trial run. The frameworks are those of test/integration. PostgreSQL is measured if DATABASE_URL is set.

import { execFile, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import { makeGenerator } from "../dist/index.js";
import { isShort, median } from "./measure.mjs";

const [ROUNDS, SECONDS] = isShort ? [1, 1] : [9, 2];
const ID_PATH = "/generate_snowflake_id";
const NUMERIC_PATH = "/v1/idgenerator/farmer/id";
const API_KEY = "a-key-of-the-benchmark";

const file = fileURLToPath(import.meta.url);
const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "bitflake-bench-"));

/** The processes to end if a measurement fails. */
const children = new Set();
process.on("exit", () => {
  for (const child of children) child.kill();
});

// --- The measured processes

const generator = makeGenerator("twitter");
const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** Servers without bitflake's service: each resolves to its port. */
const servers = {
  async bare() {
    const server = createServer((_request, response) => {
      const body = `{"id":"${generator.nextId()}"}`;
      response.writeHead(200, {
        ...headers,
        "content-type": "application/json",
        "content-length": body.length,
      });
      response.end(body);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server.address().port;
  },
  async fastify(load) {
    const app = load("fastify")();
    app.get(ID_PATH, (_request, reply) => reply.headers(headers).send({ id: String(generator.nextId()) }));
    await app.listen({ port: 0, host: "127.0.0.1" });
    return app.server.address().port;
  },
  async hono(load) {
    const app = new (load("hono").Hono)();
    app.get(ID_PATH, (context) => context.json({ id: String(generator.nextId()) }, 200, headers));
    return new Promise((listening) => {
      load("@hono/node-server").serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) =>
        listening(port),
      );
    });
  },
};

/** Starts one of them. */
async function startServer(name) {
  const child = fork(file, ["serve", name]);
  children.add(child);
  const [port] = await once(child, "message");
  const stop = async () => {
    child.disconnect();
    await once(child, "exit");
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

/** Starts the command with flags. Its log is written to a pipe that nothing parses. */
async function startCommand(flags, env = {}) {
  const args = [cli, "serve", "--port", "0", "--json", "--lame-duck-ms", "0", ...flags];
  const stdio = ["ignore", "pipe", "pipe"];
  // The command takes pg from the folder that it runs in.
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const child = spawn(process.execPath, args, { cwd, stdio, env: { ...process.env, ...env } });
  children.add(child);
  let log = "";
  child.stderr.on("data", (data) => {
    log = `${log}${data}`.slice(-2000);
  });
  const [line] = await Promise.race([
    once(createInterface(child.stdout), "line"),
    once(child, "exit").then(([code]) => {
      throw new Error(`serve ended with ${code}: ${log}`);
    }),
  ]);
  const stop = async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  return { url: JSON.parse(line).url, stop };
}

const memory = ["--store", "memory:", "--log", "none"];

/** What answers with a Snowflake ID, and the headers that it needs. */
const contenders = {
  "bare node:http": { start: () => startServer("bare") },
  "bitflake serve": { start: () => startCommand(memory) },
  "bitflake serve --log json": { start: () => startCommand(["--store", "memory:", "--log", "json"]) },
  "bitflake serve, key and limit": {
    start: () => startCommand([...memory, "--rate-limit", "60000000"], { BITFLAKE_API_KEYS: API_KEY }),
    headers: { authorization: `Bearer ${API_KEY}` },
  },
  fastify: { start: () => startServer("fastify") },
  hono: { start: () => startServer("hono") },
};

// --- The measurement

/** Sends load for some seconds; resolves to the answers per second. */
async function send(url, connections, { method = "GET", headers = {} } = {}) {
  const script = join(folder, "request.lua");
  writeFileSync(script, `wrk.method = "${method}"\n`);
  const fields = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const args = ["-t", 1, "-c", connections, "-d", SECONDS, "-s", script, ...fields, url].map(String);
  const { stdout } = await promisify(execFile)("wrk", args);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url}: ${stdout}`);
  return Number(/^Requests\/sec: +([\d.]+)$/m.exec(stdout)[1]);
}

/** Measures the contenders in turn: the medians, and the medians of the ratios to the bare handler of the same round. */
async function compare() {
  const started = [];
  for (const [name, { start, headers }] of Object.entries(contenders)) {
    started.push({ name, headers, ...(await start()), rates: [] });
  }
  for (let round = -1; round < ROUNDS; round++) {
    for (const { url, headers, rates } of started) {
      const rate = await send(url + ID_PATH, 10, { headers });
      if (round >= 0) rates.push(rate); // The first round compiles.
    }
  }
  for (const { stop } of started) await stop();
  const [bare] = started;
  return started.map(({ name, rates }) => ({
    name,
    perSecond: Math.round(median(rates)),
    "of bare": Number(median(rates.map((rate, round) => rate / bare.rates[round])).toFixed(2)),
  }));
}

/** Drops the tables with a prefix from PostgreSQL. */
async function dropTables(url, prefix) {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query("SELECT tablename FROM pg_tables WHERE starts_with(tablename, $1)", [
    prefix,
  ]);
  for (const { tablename } of rows) await client.query(`DROP TABLE ${client.escapeIdentifier(tablename)}`);
  await client.end();
}

/** Measures numeric IDs, one for each request, on 32 connections. */
async function numeric(store, prefix = `bench_${process.pid}`) {
  const types = join(folder, "types.json");
  writeFileSync(types, JSON.stringify({ farmer: { length: 14 } }));
  const { url, stop } = await startCommand([
    "--store",
    store,
    "--store-prefix",
    prefix,
    "--types",
    types,
    "--log",
    "none",
    "--no-fence",
  ]);
  const rates = [];
  for (let round = -1; round < ROUNDS; round++) {
    const rate = await send(url + NUMERIC_PATH, 32, { method: "POST" });
    if (round >= 0) rates.push(rate);
  }
  await stop();
  return { perSecond: Math.round(median(rates)) };
}

if (process.argv[2] === "serve") {
  const load = createRequire(new URL("../test/integration/package.json", import.meta.url));
  process.on("disconnect", () => process.exit());
  process.send(await servers[process.argv[3]](load));
} else {
  try {
    console.table(await compare());
    console.log("numeric IDs on SQLite", await numeric(`sqlite:${join(folder, "bench.db")}`));
    const { DATABASE_URL } = process.env;
    if (DATABASE_URL) {
      const prefix = `bench_${process.pid}`;
      console.log("numeric IDs on PostgreSQL", await numeric(DATABASE_URL, prefix));
      await dropTables(DATABASE_URL, `${prefix}_`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

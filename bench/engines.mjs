// Stores: what each operation takes on each engine, in calls of the port and in times of a bare round trip on the same client in
// the same run. It runs the sources, so it needs a Node that strips types (22.18 or later), the packages of test/integration, and
// the servers that the integration tests start. `node bench/engines.mjs [engine ...]`
//
// `--write` puts the table into docs/stores.md. `--holders` lets 1,000 holders start at once, and counts their swaps.

import { readFileSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { median } from "./measure.mjs";

// The clients of the integration tests import the package by its name.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith("bitflake/")
      ? next(new URL(`../src/${specifier.slice("bitflake/".length)}/index.ts`, import.meta.url).href, context)
      : next(specifier, context),
});
const source = (path) => import(`../src/${path}.ts`);
const test = (path) => import(`../test/integration/${path}.ts`);

const { setup } = await source("backend/index");
const { Counter } = await source("counter/index");
const { Idempotency } = await source("idempotency/index");
const { leasePort } = await source("lease/openPort");
const { RateLimit } = await source("ratelimit/index");
const cells = await test("cell-clients");
const { d1Adapter, durableObjectAdapters } = await test("cloudflare-clients");
const { libsqlAdapter } = await test("libsql-clients");
const { mysqlAdapters } = await test("mysql-clients");
const { postgresAdapters } = await test("postgres-clients");
const { redisAdapters } = await test("redis-clients");
const servers = await test("servers");
const { sqliteAdapters } = await test("sqlite-clients");

const deno = new URL("../test/runtimes/node_modules/@deno/linux-x64-glibc/deno", import.meta.url).pathname;

/** Engines: what starts the server, the client, and how often an acquire may take a bare round trip. */
const engines = {
  Redis: { start: servers.startRedis, client: redisAdapters[0], goal: 5 },
  PostgreSQL: { start: servers.startPostgres, client: postgresAdapters[0], goal: 5 },
  // In this process, so a bare statement is no trip.
  SQLite: { client: sqliteAdapters[0], goal: Infinity },
  MariaDB: { start: servers.startMariadb, client: mysqlAdapters[0], goal: 5 },
  libSQL: { client: libsqlAdapter, goal: Infinity },
  D1: { client: d1Adapter, goal: 5 },
  "Durable Object": { client: durableObjectAdapters[0], goal: 15 },
  NATS: { start: servers.startNats, client: cells.natsAdapters[0], goal: 15 },
  etcd: { start: servers.startEtcd, client: cells.etcdAdapter, goal: 15 },
  DynamoDB: { start: servers.startDynalite, client: cells.dynamoDBAdapter, goal: 15 },
  "Deno KV": { address: deno, client: cells.denoKvAdapter, goal: 15 },
};

const NODES = 1024;
const TAKEN = 1000;
const isWriting = process.argv.includes("--write");
const isTogether = process.argv.includes("--holders");
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

/** Returns a port that counts its calls, by method. */
function counted(port) {
  const calls = { eval: 0, query: 0, read: 0, swap: 0, list: 0 };
  const counting = { ...port };
  for (const method of Object.keys(calls)) {
    const call = port[method]?.bind(port);
    if (!call) continue;
    counting[method] = (...args) => {
      calls[method]++;
      return call(...args);
    };
  }
  return { port: counting, calls };
}

const sum = (calls) => Object.values(calls).reduce((a, b) => a + b);

/** A call that does nothing but travel. */
function bareOf(port) {
  if (port.eval) return () => port.eval("return 1", [], []);
  if (port.query) return () => port.query("SELECT 1 AS one", []);
  return () => port.read("bitflake:bare");
}

let requests = 0;

/** Terms and requests of holders of one namespace. */
const terms = (now) => ({
  ...{ shape: "s", first: 0, count: NODES, epochMs: now - 1000, tickMs: 1, ttlTicks: 600_000 },
  ...{ maxSkewMs: 60_000, maxSkewTicks: 60_000, maxReachTicks: 720_000, usesFence: false },
});

async function acquire(port, name, own) {
  const request = { owner: `o${++requests}`, nonce: `n${requests}` };
  const answer = await leasePort(port, name).acquire(own, request, Date.now());
  if (answer.outcome !== "granted") throw new Error(`${name}: ${answer.outcome}`);
  return { ...request, node: answer.node, generation: 0, grantNonce: request.nonce };
}

/** Returns what each operation takes. */
async function measure(opened) {
  const { port, calls } = counted(opened);
  await setup(port, ["lease", "counter", "idempotency", "ratelimit"]);
  const own = terms(Date.now());
  const holders = [];
  await acquire(port, "bench", own);
  const fill = async () => {
    while (holders.length < TAKEN - 1) {
      holders.push(null);
      await acquire(port, "bench", own);
    }
  };
  await Promise.all(Array.from({ length: 20 }, fill));

  const counter = new Counter({ backend: port, name: "bench" });
  const limit = new RateLimit({ backend: port, name: "bench", limit: 1_000_000, windowMs: 1000 });
  const once = new Idempotency({ backend: port, name: "bench" });
  let keys = 0;
  let held = await acquire(port, "bench", own);
  const store = leasePort(port, "bench");
  const operations = {
    "a bare round trip": bareOf(port),
    "counter, block 1": () => counter.next(),
    "rate limit": () => limit.limit(`user ${keys++ % 50}`),
    "idempotency, first run": () => once.once(`key ${keys++}`, "f", () => 1),
    "lease, renewal": async () => {
      const nonce = `r${++requests}`;
      const answer = await store.renew(own, { ...held, nonce }, Date.now());
      if (answer.outcome !== "granted") throw new Error(answer.outcome);
      held = { ...held, generation: held.generation + 1, grantNonce: nonce };
    },
    "lease, acquire": async () => {
      const lease = await acquire(port, "bench", own);
      return () => leasePort(port, "bench").release(own, lease, 0);
    },
  };
  const times = Object.fromEntries(Object.keys(operations).map((name) => [name, { ms: [], calls: [] }]));
  for (let round = 0; round < 60; round++) {
    for (const [name, run] of Object.entries(operations)) {
      const before = sum(calls);
      const start = performance.now();
      const cleanUp = await run();
      times[name].ms.push(performance.now() - start);
      times[name].calls.push(sum(calls) - before);
      if (typeof cleanUp === "function") await cleanUp();
    }
  }
  const bare = median(times["a bare round trip"].ms);
  return Object.fromEntries(
    Object.entries(times).map(([name, { ms, calls }]) => [
      name,
      { ms: median(ms), calls: median(calls), ratio: median(ms) / bare },
    ]),
  );
}

/** Lets 1,000 holders start at once. Returns their swaps, and how long the last one took. */
async function startTogether(opened) {
  const { port, calls } = counted({ ...opened, timeoutMs: 120_000 });
  await setup(port, ["lease"]);
  const own = terms(Date.now());
  const start = performance.now();
  const granted = await Promise.all(Array.from({ length: TAKEN }, () => acquire(port, "together", own)));
  if (new Set(granted.map(({ node }) => node)).size !== TAKEN) throw new Error("a node was granted twice");
  return { ...calls, seconds: (performance.now() - start) / 1000 };
}

/** Puts the table of all engines into docs/stores.md, in place of the one that is there. */
function writeTable(rows) {
  const path = new URL("../docs/stores.md", import.meta.url);
  const text = readFileSync(path, "utf8");
  const operations = Object.keys(rows[0].figures).slice(1);
  const lines = [
    ["engine", "a bare round trip", ...operations],
    Array(operations.length + 2).fill("---"),
    ...rows.map(({ engine, figures }) => [
      engine,
      `${Math.round(figures["a bare round trip"].ms * 1000)} µs`,
      ...operations.map((name) => `${figures[name].calls} · ${figures[name].ratio.toFixed(1)}`),
    ]),
  ];
  const table = lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  const [before, after] = text.split(/(?<=## What each operation takes\n[^#|]*)\n\|[^#]*\|\n/);
  if (after === undefined) throw new Error("docs/stores.md has no table to replace");
  writeFileSync(path, `${before}\n${table}\n${after}`);
}

const rows = [];
for (const [engine, { start, address, client, goal }] of Object.entries(engines)) {
  if (wanted.length > 0 && !wanted.includes(engine)) continue;
  const server = await start?.();
  const connection = await client.open(server?.url ?? address ?? ":memory:", {
    prefix: "bench",
    timeoutMs: 30_000,
  });
  try {
    if (isTogether) console.log(engine, await startTogether(connection.port));
    else {
      const figures = await measure(connection.port);
      console.log(engine, figures);
      const { ratio } = figures["lease, acquire"];
      if (ratio > goal)
        console.log(`${engine}: an acquire takes ${ratio.toFixed(1)} round trips, the goal is ${goal}`);
      rows.push({ engine, figures });
    }
  } finally {
    await connection.close();
    await server?.stop();
  }
}
if (isWriting) writeTable(rows);

// Idempotency on real stores: conformance of each, processes that crash or stop, and stores that fail.

import { type ChildProcess, spawn } from "node:child_process";
import { once as event } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { createPool } from "mysql2/promise";
import { Pool } from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { type Backend, fromIORedis, fromMysql2, fromPg, setup } from "../../src/backend/index.ts";
import { Idempotency, idempotent } from "../../src/idempotency/index.ts";
import { oncePort } from "../../src/idempotency/openPort.ts";
import { conformance, portConformance } from "../idempotency/conformance.ts";
import { mysqlAdapters } from "./mysql-clients.ts";
import { postgresAdapters } from "./postgres-clients.ts";
import { redisAdapters } from "./redis-clients.ts";
import { startable, startMariadb, startPostgres, startRedis } from "./servers.ts";
import { sqliteAdapters } from "./sqlite-clients.ts";
import { clean, featureStores, onStore, openOnce } from "./stores.ts";

/** A prefix of this run alone, because the servers may have other users. */
const prefix = `once_${process.pid}`;
const TABLE = `"${prefix}_once"`;

describe.each(featureStores(prefix, "one of each engine"))(
  "idempotency on $name",
  ({ engine, isRepresentative, open, runs }) => {
    let port: Backend;
    onStore(open, ["idempotency"], (opened) => {
      port = opened;
    });
    // Each operation takes a round trip or two, on each store.
    // Deno KV takes 64 kB.
    const longestValue = engine === "denokv" ? 60_000 : undefined;
    portConformance(() => port, runs(30), undefined, longestValue);
    // The code above the port is the same for each client of a store, and its tests are slow.
    if (isRepresentative && !["memory", "pglite"].includes(engine))
      conformance(() => port, undefined, longestValue);

    // memory.test.ts tests this for memory.
    if (engine === "memory") return;
    test("expired records are deleted", async () => {
      await clean(port);
      await setup(port, ["idempotency"]);
      const store = oncePort(port, "old");
      const request = { fingerprint: "f", owner: "gone", lockMs: 1, keepMs: 1 };
      for (let call = 0; call < 20; call++) await store.acquire(`key ${call}`, request);
      await new Promise((wake) => setTimeout(wake, 50));
      const next = new Idempotency({ backend: port, name: "new" });
      await next.once("k", "f", () => 1);
      // Rows are deleted in the background.
      const countOf = async () => {
        if ("query" in port) {
          const [row] = await port.query(`SELECT CAST(COUNT(*) AS TEXT) AS count FROM ${TABLE}`, []);
          return row?.["count"];
        }
        if ("eval" in port)
          return port.eval("return #redis.call('KEYS', ARGV[1]) .. ''", [], [`${prefix}:*`]);
        return "1";
      };
      await expect.poll(async () => String(await countOf()), { timeout: 30_000 }).toBe("1");
    });
  },
);

const { REDIS_URL, DATABASE_URL, MYSQL_URL } = process.env;

/** Stores that processes can share, with the arguments by which a child opens them. */
const shared: { client: string; address: string; open(): Promise<Backend> }[] = [];
const folder = mkdtempSync(join(tmpdir(), "bitflake-once-"));
afterAll(() => rmSync(folder, { recursive: true }));
const [redis] = redisAdapters;
const [postgres] = postgresAdapters;
const [mysql] = mysqlAdapters;
const sqlite = sqliteAdapters.find(({ name }) => name.includes("node:sqlite"));
if (REDIS_URL && redis) {
  const open = openOnce(() => redis.open(REDIS_URL, { prefix }));
  shared.push({ client: "ioredis", address: REDIS_URL, open });
}
if (DATABASE_URL && postgres) {
  const open = openOnce(() => postgres.open(DATABASE_URL, { prefix }));
  shared.push({ client: "pg", address: DATABASE_URL, open });
}
if (MYSQL_URL && mysql) {
  const open = openOnce(() => mysql.open(MYSQL_URL, { prefix }));
  shared.push({ client: "mysql2", address: MYSQL_URL, open });
}
if (sqlite) {
  const address = join(folder, "once.db");
  const open = openOnce(async () => sqlite.open(address, { prefix }));
  shared.push({ client: "node:sqlite", address, open });
}

const program = fileURLToPath(new URL("idempotency/process.mjs", import.meta.url));

/** Starts a child process, and collects the lines that it prints. */
function start(facts: object): {
  readonly child: ChildProcess;
  readonly lines: string[];
  until(line: string): Promise<void>;
} {
  const child = spawn(process.execPath, [program, JSON.stringify({ prefix, ...facts })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  child.stdout.on("data", (data: Buffer) => lines.push(...data.toString().trim().split("\n")));
  const until = async (line: string) => {
    while (!lines.includes(line) && child.exitCode === null)
      await new Promise((wake) => setTimeout(wake, 10));
    expect(lines).toContain(line);
  };
  return { child, lines, until };
}

describe.each(shared)("processes on $client", ({ client, address, open }) => {
  let port: Backend;
  onStore(open, ["idempotency"], (opened) => {
    port = opened;
  });

  test("of several concurrent ones one runs the work, and later ones get its result", async () => {
    const facts = { client, address, name: "together", lockMs: 30_000, workMs: 1500 };
    const all = Array.from({ length: 4 }, () => start(facts));
    await Promise.all(all.map(({ child }) => event(child, "close")));
    const lines = all.flatMap(({ lines }) => lines);
    const [ran] = lines.filter((line) => line.startsWith("ran "));
    expect(lines.filter((line) => line === "started")).toHaveLength(1);
    const replayed = `replayed ${ran?.slice(4)}`;
    for (const line of lines) expect(["started", ran, "ERR_IN_FLIGHT", replayed]).toContain(line);
    const late = start(facts);
    await event(late.child, "close");
    expect(late.lines).toEqual([replayed]);
  });

  test("one that is killed leaves its key to the next when its lock has ended", async () => {
    const once = new Idempotency({ backend: port, name: "crash", lockMs: 2000 });
    const { child, until } = start({ client, address, name: "crash", lockMs: 2000, workMs: 60_000 });
    await until("started");
    child.kill("SIGKILL");
    await event(child, "close");
    for (;;) {
      const outcome = await once.once("k", "f", () => "next").catch(({ code }) => code);
      if (outcome === "ERR_IN_FLIGHT") await new Promise((wake) => setTimeout(wake, 20));
      else {
        expect(outcome).toEqual({ value: "next", isReplay: false });
        break;
      }
    }
    expect(await once.once("k", "f", () => "third")).toEqual({ value: "next", isReplay: true });
  });

  test("one that is killed leaves its work to one of the calls that wait, and the others get its result", async () => {
    // Much longer than a busy machine may keep the child from extending its lock.
    const lockMs = 6000;
    const options = { backend: port, name: "wait", lockMs, inFlight: "wait", waitMs: 120_000 } as const;
    const { child, until } = start({ client, address, name: "wait", lockMs, workMs: 120_000 });
    await until("started");
    let runs = 0;
    const work = async () => ++runs;
    const calls = Array.from({ length: 5 }, () => new Idempotency(options).once("k", "f", work));
    // Until the child has extended its lock: the time that is left grows.
    const once = new Idempotency({ backend: port, name: "wait", lockMs });
    for (let leftMs = Infinity, isExtended = false; !isExtended; ) {
      const found = await once.peek("k");
      if (found.state !== "in-progress") throw new Error(`the child has lost its key: ${found.state}`);
      isExtended = found.lockedMs > leftMs;
      leftMs = found.lockedMs;
      await new Promise((wake) => setTimeout(wake, 50));
    }
    expect(runs).toBe(0);
    child.kill("SIGKILL");
    await event(child, "close");
    const results = await Promise.all(calls);
    expect(results.map(({ value }) => value)).toEqual([1, 1, 1, 1, 1]);
    expect(results.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
  });

  test("one that was stopped for longer than its lock holds throws LockLostError", async () => {
    const once = new Idempotency({ backend: port, name: "pause", lockMs: 500 });
    const { child, lines, until } = start({ client, address, name: "pause", lockMs: 500, workMs: 60_000 });
    await until("started");
    child.kill("SIGSTOP");
    await new Promise((wake) => setTimeout(wake, 800));
    expect(await once.once("k", "f", () => "other")).toEqual({ value: "other", isReplay: false });
    child.kill("SIGCONT");
    await event(child, "close");
    expect(lines).toEqual(["started", "ERR_LOCK_LOST"]);
    expect(await once.once("k", "f", () => "third")).toEqual({ value: "other", isReplay: true });
  });
});

/** Servers that a test can stop, with a client. */
const servers = [
  {
    name: "Redis",
    isStartable: startable.redis,
    async open() {
      const server = await startRedis();
      const redis = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: 1 });
      redis.on("error", () => {});
      return { server, backend: fromIORedis(redis, { timeoutMs: 2000 }), close: () => redis.disconnect() };
    },
  },
  {
    name: "PostgreSQL",
    isStartable: startable.postgres,
    async open() {
      const server = await startPostgres();
      const pool = new Pool({ connectionString: server.url });
      pool.on("error", () => {});
      const backend = fromPg(pool, { timeoutMs: 2000 });
      await setup({ ...backend, timeoutMs: 60_000 }, ["idempotency"]);
      return { server, backend, close: () => pool.end().catch(() => {}) };
    },
  },
  {
    name: "MariaDB",
    isStartable: startable.mariadb,
    async open() {
      const server = await startMariadb();
      const pool = createPool(server.url);
      const backend = fromMysql2(pool, { timeoutMs: 2000 });
      await setup({ ...backend, timeoutMs: 60_000 }, ["idempotency"]);
      return { server, backend, close: () => pool.end().catch(() => {}) };
    },
  },
];

describe.each(servers.filter(({ isStartable }) => isStartable))("a $name that stops", ({ open }) => {
  test("hanging or killed: requests fail or are allowed by onStoreError, and recover when it is back", async () => {
    const { server, backend, close } = await open();
    try {
      let runs = 0;
      const make = (onStoreError: "fail" | "allow") =>
        idempotent(async () => new Response(`${++runs}`), {
          backend,
          name: "n",
          tenant: () => "",
          onStoreError,
        });
      const [failing, allowing] = [make("fail"), make("allow")];
      const request = (key: string) =>
        new Request("https://shop.example/", { method: "POST", headers: { "idempotency-key": key } });
      expect(await (await failing(request("a"))).text()).toBe("1");

      server.pause();
      expect((await failing(request("b"))).status).toBe(503);
      expect(runs).toBe(1);
      expect(await (await allowing(request("b"))).text()).toBe("2");
      server.resume();
      // Locks that it acquired late are released. Until then their keys are in flight.
      let response = await failing(request("b"));
      while (response.status !== 200) {
        await new Promise((wake) => setTimeout(wake, 50));
        response = await failing(request("b"));
      }
      expect(await response.text()).toBe("3");

      await server.kill();
      expect((await failing(request("c"))).status).toBe(503);
      expect(await (await allowing(request("c"))).text()).toBe("4");
      await server.restart();
      let again = await failing(request("c"));
      while (again.status !== 200) {
        await new Promise((wake) => setTimeout(wake, 50));
        again = await failing(request("c"));
      }
      expect(await again.text()).toBe("5");
    } finally {
      server.resume();
      await close();
      await server.stop();
    }
  });
});

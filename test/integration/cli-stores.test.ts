// The stores of the command line that are servers with compare-and-set, and groups of Redis servers, with each client.

import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { setup } from "../../src/backend/index.ts";
import { maskedAddress } from "../../src/cli/stores/address.ts";
import { type OpenStore, openStore } from "../../src/cli/stores/openStore.ts";
import { Counter } from "../../src/counter/index.ts";
import { NumericIdType } from "../../src/numeric/index.ts";
import { type CliOptions, cli, storeContext } from "../cli/cliIo.ts";
import { type Server, startable, startRedis, startSentinel } from "./servers.ts";
import { networkTo } from "./silent-proxy.ts";

const { MYSQL_URL = "", NATS_URL = "", ETCD_URL = "" } = process.env;
const name = `cli_${process.pid}`;

const folder = mkdtempSync(join(tmpdir(), "bitflake-cli-stores-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Creates a folder with some of the clients installed. The program has none beside it. */
function placeWith(...clients: string[]): CliOptions {
  const cwd = join(folder, clients.join("-").replaceAll("/", "-") || "empty");
  mkdirSync(join(cwd, "node_modules"), { recursive: true });
  for (const client of clients) {
    const link = join(cwd, "node_modules", client);
    mkdirSync(dirname(link), { recursive: true });
    if (existsSync(link)) continue;
    symlinkSync(fileURLToPath(new URL(`node_modules/${client}`, import.meta.url)), link, "junction");
  }
  return { cwd, programUrl: pathToFileURL(join(folder, "elsewhere", "cli.js")).href };
}

/** Runs a statement on the MariaDB of the run. */
async function administer(sql: string): Promise<void> {
  const connection = await createConnection(MYSQL_URL);
  await connection.query(sql);
  await connection.end();
}

/** The URL of this file's own database, because the table of the command line has the name of a user's table. */
const mysqlUrl = MYSQL_URL && Object.assign(new URL(MYSQL_URL), { pathname: `/${name}` }).href;
beforeAll(async () => {
  if (MYSQL_URL) await administer(`CREATE DATABASE ${name}`);
});
afterAll(async () => {
  if (MYSQL_URL) await administer(`DROP DATABASE ${name}`);
});

/** Each client has its own bucket, because the NATS of the run has other users. */
const stores = [
  { client: "mysql2", url: mysqlUrl, place: placeWith("mysql2") },
  {
    client: "@nats-io/kv",
    url: NATS_URL && `${NATS_URL}/${name}_3`,
    place: placeWith("@nats-io/kv", "@nats-io/transport-node"),
  },
  { client: "nats", url: NATS_URL && `${NATS_URL}/${name}_2`, place: placeWith("nats") },
  { client: "fetch", url: ETCD_URL.replace("http:", "etcd:"), place: placeWith() },
].filter(({ url }) => url !== "");

/** Opens a store with its tables, and returns a counter in it. */
async function openCounter(url: string, place: CliOptions, storeTimeoutMs = 4000) {
  const store = await openStore(url, storeContext(place, { storeTimeoutMs }));
  onTestFinished(() => store.close());
  await setup(store.backend, ["counter"]);
  return { store, counter: new Counter({ backend: store.backend, name }) };
}

/** Returns counters that need no answer of each other. */
function countersIn({ backend }: OpenStore, count: number): Counter[] {
  return Array.from({ length: count }, (_, i) => new Counter({ backend, name: `${name}_${i}` }));
}

/** Calls a store until it answers. */
async function untilItAnswers<T>(call: () => Promise<T>): Promise<T> {
  const started = performance.now();
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (performance.now() - started > 20_000) throw error;
      await setTimeout(20);
    }
  }
}

const untilItCounts = (counter: Counter) => untilItAnswers(() => counter.next());

describe.each(stores)("a store opened with $client", ({ url, place }) => {
  test("answers until it is closed", async () => {
    const { store, counter } = await openCounter(url, place);
    expect(typeof (await counter.next())).toBe("bigint");
    await store.close();
    await expect(counter.next()).rejects.toThrow();
  });

  test("that is down is an error with the reason, and no password", async () => {
    const nowhere = new URL(url);
    nowhere.host = "127.0.0.1:3"; // fetch refuses port 1.
    nowhere.username = "user";
    nowhere.password = "s3cr3t";
    const { code, out, err } = await cli(["lease", "inspect", "--store", nowhere.href], place);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^error: \w+:\/\/user:\*\*\*@127\.0\.0\.1:3\S*: .*(ECONNREFUSED|refused).*\n$/i);
    expect(err).not.toContain("s3cr3t");
  });

  test("works again after its connections were cut, and after they went silent", async () => {
    const network = await networkTo(url);
    onTestFinished(() => network.close());
    const { store } = await openCounter(network.url, place, 500);
    // More of them than a pool has connections.
    const counters = countersIn(store, 4);
    const countAll = () => Promise.all(counters.map(untilItCounts));
    await countAll();
    network.cut();
    await countAll();
    network.silence();
    const hasAnswer = (counter: Counter) =>
      counter.next().then(
        () => true,
        () => false,
      );
    expect(await Promise.all(counters.map(hasAnswer))).toEqual(Array(4).fill(false));
    network.restore();
    await countAll();
  });

  test("is set up before its first use, once", async () => {
    const line = `--store ${url}${url.startsWith("nats") ? "_own" : ""} --store-prefix own`;
    const before = await cli(`lease inspect ${line}`, place);
    const missing = { mysql: /has no lease tables/, nats: /the bucket \w+_own does not exist/, etcd: /^$/ };
    expect(before.err).toMatch(missing[url.split(":")[0] as keyof typeof missing]);
    const outputs = [];
    for (let i = 0; i < 2; i++) outputs.push((await cli(`setup ${line}`, place)).out);
    expect(outputs[0]).toMatch(/^(Created or extended tables|Nothing is missing) in \w+:\S+\n$/);
    expect(outputs[0]?.startsWith("Created")).toBe(url.startsWith("mysql"));
    expect(outputs[1]).toMatch(/^Nothing is missing in /);
    const after = await cli(`lease inspect ${line}`, place);
    expect(after).toMatchObject({ code: 0, out: expect.stringMatching(/^No node has been leased/) });
  });

  test("serves IDs, on a node that lease inspect lists", async () => {
    const controller = new AbortController();
    let checks: Promise<void> | undefined;
    const check = async (base: string) => {
      const idOf = async (path: string) => (await (await fetch(base + path)).json()).id;
      expect(await idOf("/generate_snowflake_id")).toMatch(/^\d+$/);
      expect(await idOf("/generate_counter_id")).toMatch(/^\d+$/);
      expect((await fetch(`${base}/health`)).status).toBe(200);
      const { out } = await cli(`lease inspect --store ${url} --name ${name} --json`, place);
      expect(JSON.parse(out)).toMatchObject({ used: 1, held: [{ isCurrent: true }] });
    };
    const onWrite = (where: string, text: string) => {
      const base = where === "stdout" ? /http:\/\/127\S+/.exec(text)?.[0] : undefined;
      if (base) checks = check(base).finally(() => controller.abort());
    };
    const line = `serve --store ${url} --name ${name} --rate-limit 1000 --port 0 --log none`;
    const { code, out: report, err } = await cli(line, { ...place, onWrite, signal: controller.signal });
    await expect(checks).resolves.toBeUndefined();
    expect([code, err]).toEqual([0, ""]);
    const { out } = await cli(`lease inspect --store ${url} --name ${name}`, place);
    expect(out).toContain(`${name}: 0 held, 0 expired, 1 ever used`);
    const hasClock = url.startsWith("mysql");
    expect(out).toContain(
      hasClock ? "\ntime of the store: " : "\ntime of this machine, because the store has no clock: ",
    );
    const noClock = ", which has no clock: limits and leases go by this machine's";
    expect(report).toContain(`\nstore: ${maskedAddress(url)}${hasClock ? "" : noClock}\n`);
  });
});

test.skipIf(!mysqlUrl)("mysql:// keeps pools, which are filled and counted", async () => {
  const place = placeWith("mysql2");
  const types = join(folder, "types.json");
  writeFileSync(types, '{ "farmer": { "length": 10 } }');
  const line = `--store ${mysqlUrl} --store-prefix pools --types ${types} --type farmer`;
  const { out } = await cli(`pool fill ${line} --to 20`, place);
  expect(out).toContain("farmer: 20 IDs are available, 20 of them new.");
  const status = await cli(`pool status ${line} --json`, place);
  expect(JSON.parse(status.out)).toMatchObject({ available: 20, taken: 0 });
  expect((await cli(`pool accept ${line}`, place)).code).toBe(0);
  const ids = new NumericIdType({ name: "farmer", length: 10 }).generateIds(1200).sort();
  const imported = await cli(`pool import ${line}`, { ...place, stdin: ids.join("\n") });
  expect(imported).toMatchObject({ code: 0, out: expect.stringMatching(/^farmer: 1200 IDs are taken now/) });
  const exported = await cli(`pool export ${line}`, place);
  expect(exported).toMatchObject({
    code: 0,
    out: `${ids.join("\n")}\n`,
    err: "farmer: 1,200 of 1,200, 100%\n",
  });
  const rest = await cli(`pool export ${line} --json --after ${ids[1197]}`, place);
  expect(rest.out).toBe(`{"id":"${ids[1198]}"}\n{"id":"${ids[1199]}"}\n`);
});

test.skipIf(!mysqlUrl)("mariadb:// names the same store as mysql://", async () => {
  const line = `lease inspect --store ${mysqlUrl.replace("mysql:", "mariadb:")} --name ${name} --json`;
  expect(JSON.parse((await cli(line, placeWith("mysql2"))).out)).toMatchObject({ used: 1 });
});

const redisClients = ["ioredis", "redis"].map((client) => ({ client, place: placeWith(client) }));

describe.skipIf(!startable.failover.redis)("the primary that Sentinels name", () => {
  test("is used, and then the replica that replaces it, with both clients", async () => {
    const auth = ["--requirepass", "s3cr3t", "--masterauth", "s3cr3t"];
    const primary = await startRedis({ more: [...auth, "--repl-diskless-sync-delay", "0"] });
    onTestFinished(() => primary.stop());
    const replica = await startRedis({
      more: [...auth, "--replicaof", "127.0.0.1", `${primary.port}`],
    });
    onTestFinished(() => replica.stop());
    const sentinel = await startSentinel(primary, "ids", "s3cr3t");
    onTestFinished(() => sentinel.stop());
    const watch = new Redis(sentinel.url);
    onTestFinished(() => watch.disconnect());
    const isKnown = async () => /flags,slave,/.test(String(await watch.call("SENTINEL", "REPLICAS", "ids")));
    while (!(await isKnown())) await setTimeout(20);

    const url = `redis+sentinel://:s3cr3t@127.0.0.1:3,127.0.0.1:${sentinel.port}/ids/2`;
    const opened = [];
    for (const { place } of redisClients) opened.push(await openCounter(url, place, 5000));
    for (const { store, counter } of opened) {
      expect(store.description).toBe(`redis+sentinel://:***@127.0.0.1:3,127.0.0.1:${sentinel.port}/ids/2`);
      expect(typeof (await counter.next())).toBe("bigint");
    }
    // In the database that the address names, and on the replica, so that its promotion loses nothing.
    const admin = new Redis(replica.port, { password: "s3cr3t", db: 2 });
    while ((await admin.get(`bitflake:{${name}}:counter`)) !== "2") await setTimeout(20);
    admin.disconnect();
    await primary.kill();
    for (const { counter } of opened) await untilItCounts(counter);
  });

  test.each(redisClients)(
    "is an error with the reason if no Sentinel answers, with $client",
    async ({ place }) => {
      const { code, err } = await cli(
        "lease inspect --store redis+sentinel://:s3cr3t@127.0.0.1:3/ids --store-timeout-ms 500",
        place,
      );
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/^error: redis\+sentinel:\/\/:\*\*\*@127.0.0.1:3\/ids: .+\n$/),
      ]);
      expect(err).not.toContain("s3cr3t");
    },
  );
});

/** Starts a Redis Cluster of two nodes. */
async function startCluster(): Promise<Server[]> {
  const options = { cluster: true, more: ["--cluster-node-timeout", "60000"] };
  const nodes = [await startRedis(options), await startRedis(options)];
  for (const node of nodes) onTestFinished(() => node.stop());
  const admins = nodes.map(({ url }) => new Redis(url));
  for (const [i, admin] of admins.entries()) {
    await admin.call("CLUSTER", "ADDSLOTSRANGE", i * 8192, i * 8192 + 8191);
    await admin.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
  }
  const bus = (await admins[1]?.call("CONFIG", "GET", "cluster-port")) as string[] | undefined;
  await admins[0]?.call("CLUSTER", "MEET", "127.0.0.1", nodes[1]?.port as number, String(bus?.[1]));
  const isUp = async (admin: Redis) => /cluster_state:ok/.test(String(await admin.call("CLUSTER", "INFO")));
  for (const admin of admins) {
    while (!(await isUp(admin))) await setTimeout(20);
    admin.disconnect();
  }
  return nodes;
}

describe.skipIf(!startable.redis)("a Redis Cluster", () => {
  test("has each name on its node, and works again after an outage, with both clients", async () => {
    const nodes = await startCluster();
    const [first, second] = nodes as [Server, Server];
    const url = `redis+cluster://127.0.0.1:3,127.0.0.1:${first.port}`;
    const keys = Array.from({ length: 8 }, (_, i) => `${name}_${i}`);
    const calls: (() => Promise<unknown>)[] = [];
    for (const { place } of redisClients) {
      const store = await openStore(url, storeContext(place, { storeTimeoutMs: 5000 }));
      onTestFinished(() => store.close());
      const { backend } = store;
      if (!("eval" in backend)) throw new Error("no Redis");
      const set = (key: string) => backend.eval("return redis.call('SET', KEYS[1], 1)", [key], []);
      calls.push(...keys.map((key) => () => set(key)));
    }
    const callAll = () => Promise.all(calls.map(untilItAnswers));
    await callAll();
    second.pause();
    const hasAnswer = (call: () => Promise<unknown>) =>
      call().then(
        () => true,
        () => false,
      );
    expect(new Set(await Promise.all(calls.map(hasAnswer)))).toEqual(new Set([true, false]));
    second.resume();
    await callAll();
    await second.restart();
    await callAll();
    for (const { port } of nodes) {
      const admin = new Redis(port);
      expect((await admin.keys("*")).length).toBeGreaterThan(0);
      admin.disconnect();
    }
  });

  test.each(redisClients)(
    "is an error with the reason if no node answers, with $client",
    async ({ place }) => {
      const { code, err } = await cli("lease inspect --store redis+cluster://:s3cr3t@127.0.0.1:3", place);
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/^error: redis\+cluster:\/\/:\*\*\*@127.0.0.1:3: .+\n$/),
      ]);
      expect(err).not.toContain("s3cr3t");
    },
  );
});

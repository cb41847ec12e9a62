// Leases on stores that go back: a Redis that restarts, is cut off from its replicas, or loses one of its two keys;
// tables and keys of an earlier version; and a copied process.

import { randomFillSync } from "node:crypto";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test, vi } from "vitest";
import { fromIORedis, type RedisPort, type SqlPort, setup } from "../../src/backend/index.ts";
import { qualifiedTable } from "../../src/backend/storeNames.ts";
import {
  inspect,
  LeaseExpiredError,
  LeaseFenceError,
  leaseNode,
  StoreCutOffError,
} from "../../src/lease/index.ts";
import { leasePort } from "../../src/lease/openPort.ts";
import type { LeaseAnswer, LeaseTerms } from "../../src/lease/rule.ts";
import { type Server, startable, startRedis } from "./servers.ts";
import { clean, stores } from "./stores.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function connect({ url }: Pick<Server, "url">): { client: Redis; port: RedisPort } {
  const client = new Redis(url, { retryStrategy: () => 20 });
  client.on("error", () => {});
  undo.push(() => client.disconnect());
  return { client, port: fromIORedis(client) };
}

async function started(options?: Parameters<typeof startRedis>[0]): Promise<Server> {
  const server = await startRedis(options);
  undo.push(() => server.stop());
  return server;
}

/** Waits until a condition holds. */
async function until(condition: () => unknown): Promise<void> {
  for (let tries = 0; tries < 10_000; tries++) {
    if (await condition()) return;
    await new Promise((wake) => setTimeout(wake, 10));
  }
  throw new Error(`never: ${condition}`);
}

const HOUR = 3_600_000;
/** Two nodes for a few hours, in ticks of a second. */
const unfenced: LeaseTerms = {
  shape: "41.0.1.21 epoch 0 tick 1000 both fields leased",
  ...{
    first: 0,
    count: 2,
    epochMs: 0,
    tickMs: 1000,
    ttlTicks: 7200,
    maxSkewMs: HOUR,
    maxSkewTicks: 3600,
    maxReachTicks: 14_400,
  },
  usesFence: false,
};
const fenced: LeaseTerms = { ...unfenced, usesFence: true };
const requestOf = (owner: string) => ({ owner, nonce: "n" });
const nodeOf = (answer: LeaseAnswer) => (answer.outcome === "granted" ? answer.node : answer.outcome);

const KEY = "bitflake:{n}:lease";
const INDEX = `${KEY}:0`;

describe.skipIf(!startable.redis)("a Redis", () => {
  // Long enough for a restart, and short enough to wait for.
  const short = { namespace: "n", ttlMs: 3000, maxSkewMs: 1000, onExpired: "throw" } as const;

  test("grants nothing in an unknown namespace after its start until forgotten grants have ended", async () => {
    const { port } = connect(await started());
    const slow = { ...short, ttlMs: 9000 };
    const attempt = leaseNode({ backend: port, ...slow });
    await expect(attempt).rejects.toThrow(LeaseFenceError);
    const { untilMs } = (await attempt.catch((error) => error)) as LeaseFenceError;
    // Redis reports its uptime in whole seconds.
    expect(untilMs).toBeGreaterThan(Date.now() + 1000);
    expect(untilMs).toBeLessThan(Date.now() + 11_300);
    expect((await inspect(port, "n")).shape).toBeUndefined();
    const lease = await leaseNode({ backend: port, ...slow, waitMs: 30_000 });
    expect(Date.now()).toBeGreaterThan(untilMs - 1500);
    await lease.release();
    // In a known namespace the uptime does not matter.
    await (await leaseNode({ backend: port, ...short, ttlMs: HOUR })).release();
    // Without a fence it is granted at once.
    const other = await leaseNode({ backend: port, name: "other", fence: false });
    await other.release();
  });

  test("grants nothing after a restart without persistence until forgotten grants have ended", async () => {
    const server = await started();
    const { client, port } = connect(server);
    const lease = await leaseNode({ backend: port, ...short, ttlMs: 4000, fence: false });
    await server.restart();
    await until(() => client.status === "ready");
    const heir = await leaseNode({ backend: port, ...short, ttlMs: 4000, waitMs: 20_000 });
    // The same node, from after the ticks that the previous holder could stamp.
    expect(heir.node).toBe(lease.node);
    expect(Number(heir.generator.nextId() >> 22n)).toBeGreaterThan(lease.until.getTime() - 1_577_836_800_000);
    expect(() => lease.generator.nextId()).toThrow(LeaseExpiredError);
    await heir.release();
  });

  test("renews its grants after a restart with persistence, and grants nothing new for a time", async () => {
    const server = await started({ durable: true });
    const { client, port } = connect(server);
    const long = { ...short, ttlMs: 20_000 };
    const lease = await leaseNode({ backend: port, ...long, fence: false });
    const failed: unknown[] = [];
    lease.onRenewalFailed((error) => failed.push(error));
    // A process with a fence has stored the history.
    await expect(leasePort(port, "n").read()).resolves.toMatchObject({ state: { historyId: "" } });
    const other = await leaseNode({ backend: port, ...long });
    const began = Date.now();
    await server.restart();
    await until(() => client.status === "ready");
    const attempt = leaseNode({ backend: port, ...long }).catch((error) => error);
    const error = (await attempt) as LeaseFenceError;
    expect(error).toBeInstanceOf(LeaseFenceError);
    expect(error.untilMs).toBeGreaterThan(began + 20_000);
    expect(error.untilMs).toBeLessThan(Date.now() + 22_300);
    const { until: before } = other.status();
    await until(() => other.status().until > before);
    expect([lease.status().state, other.status().state]).toEqual(["held", "held"]);
    expect(other.status().grants).toBe(1);
    // A process without a fence does not wait, and the fence stays for the others.
    const free = await leaseNode({ backend: port, ...long, fence: false });
    expect([lease.node, other.node, free.node]).toEqual([0, 1, 2]);
    await expect(leaseNode({ backend: port, ...long })).rejects.toThrow(LeaseFenceError);
    await Promise.all([lease, other, free].map((one) => one.release()));
  });

  test("grants nothing in an unknown namespace after its promotion until forgotten grants have ended", async () => {
    const primary = await started();
    const replica = await started({ more: ["--replicaof", "127.0.0.1", String(primary.port)] });
    const { client, port } = connect(replica);
    await until(async () => /master_link_status:up/.test(await client.info("replication")));
    await client.call("REPLICAOF", "NO", "ONE");
    // Up for longer than the longest lease of the namespace.
    await until(async () => /uptime_in_seconds:(?![012]\b)/.test(await client.info("server")));
    const brief = { ...short, ttlMs: 500 };
    const began = Date.now();
    const error = (await leaseNode({ backend: port, ...brief }).catch((reason) => reason)) as LeaseFenceError;
    expect(error).toBeInstanceOf(LeaseFenceError);
    // The longest lease, and the time for which a primary without its replicas still grants.
    expect(error.untilMs).toBeGreaterThan(began + 5000);
    const lease = await leaseNode({ backend: port, ...brief, waitMs: 20_000 });
    expect(Date.now()).toBeGreaterThanOrEqual(error.untilMs);
    await lease.release();
  });

  test("renews and grants nothing without its replicas, until it has one again or another history", async () => {
    const primary = await started();
    const replica = await started({ more: ["--replicaof", "127.0.0.1", String(primary.port)] });
    const { client, port } = connect(primary);
    const store = leasePort(port, "n");
    expect(nodeOf(await store.acquire(unfenced, requestOf("a"), Date.now()))).toBe(0);
    const proof = (generation: number) => ({
      ...{ owner: "a", node: 0, generation, nonce: `r${generation}` },
      grantNonce: generation === 0 ? "n" : `r${generation - 1}`,
    });
    const seen = async () => Number(await client.hget(KEY, "seen"));
    await until(async () => /state=online/.test(await client.info("replication")));
    expect(await store.renew(fenced, proof(0), Date.now())).toMatchObject({ outcome: "granted" });
    await until(async () => Date.now() - (await seen()) < 5000);
    await replica.kill();
    await until(async () => /connected_slaves:0/.test(await client.info("replication")));
    // As if the replica had just been connected, however long its end took.
    await client.hset(KEY, "seen", Date.now());
    expect(await store.renew(fenced, proof(1), Date.now())).toMatchObject({ outcome: "granted" });
    // As if the replica had been connected six seconds ago.
    const long = Date.now() - 6000;
    await client.hset(KEY, "seen", long);
    const cut = { outcome: "cutOff", seenMs: long };
    expect(await store.renew(fenced, proof(2), Date.now())).toMatchObject(cut);
    expect(await store.acquire(fenced, requestOf("b"), Date.now())).toMatchObject(cut);
    const attempt = leaseNode({ backend: port, name: "n", preset: PAIR, ...ticks });
    await expect(attempt).rejects.toThrow(StoreCutOffError);
    await expect(attempt).rejects.toMatchObject({ namespace: "n", seenMs: long });
    // The refusals changed nothing: the same renewal is granted when a replica is back.
    await replica.restart();
    await until(async () => /state=online/.test(await client.info("replication")));
    await until(async () => nodeOf(await store.renew(fenced, proof(2), Date.now())) === 0);
    // A Redis that is promoted in its place waits until the one that was cut off grants no more.
    const before = Math.floor(Date.now() / 1000);
    await client.hset(KEY, "seen", String(long));
    expect(await client.wait(1, 0)).toBe(1);
    const other = connect(replica);
    await other.client.call("REPLICAOF", "NO", "ONE");
    const promoted = leasePort(other.port, "n");
    expect(await promoted.renew(fenced, proof(3), Date.now())).toMatchObject({ outcome: "granted" });
    const { fence = 0, staleUntil = 0 } = (await promoted.read()).state ?? {};
    expect(fence - before).toBeGreaterThanOrEqual(14_405);
    expect(staleUntil - before).toBeGreaterThanOrEqual(3605);
    await replica.kill();
    await until(async () => /connected_slaves:0/.test(await client.info("replication")));
    // A request without a fence ends the cutoff, for other processes too.
    await client.hset(KEY, "seen", String(long));
    expect(await store.renew(fenced, proof(3), Date.now())).toMatchObject({ outcome: "cutOff" });
    expect(await store.renew(unfenced, proof(3), Date.now())).toMatchObject({ outcome: "granted" });
    expect(await store.renew(fenced, proof(4), Date.now())).toMatchObject({ outcome: "granted" });
  });

  test("remains cut off when it restarts after a refusal, and waits after it has a replica again", async () => {
    const primary = await started({ durable: true });
    const { client, port } = connect(primary);
    const store = leasePort(port, "n");
    expect(nodeOf(await store.acquire(unfenced, requestOf("a"), Date.now()))).toBe(0);
    const proof = { ...{ owner: "a", node: 0, generation: 0, nonce: "r0" }, grantNonce: "n" };
    expect(await store.renew(fenced, proof, Date.now())).toMatchObject({ outcome: "granted" });
    // As if a replica had been connected six seconds ago.
    const long = Date.now() - 6000;
    await client.hset(KEY, "seen", long);
    const cut = { outcome: "cutOff", seenMs: long };
    const acquire = () => store.acquire(fenced, requestOf("b"), Date.now());
    expect(await acquire()).toMatchObject(cut);
    const restart = async () => {
      await primary.restart();
      await until(async () => (await acquire().catch(() => ({ outcome: "down" }))).outcome !== "down");
    };
    await restart();
    expect(await acquire()).toMatchObject(cut);
    await started({ more: ["--replicaof", "127.0.0.1", String(primary.port)] });
    await until(async () => (await acquire()).outcome !== "cutOff");
    expect((await acquire()).outcome).toBe("fenced");
    // A grant ends it. Without a refusal before, a restart continues: its replicas are only not connected again yet.
    const next = { ...proof, nonce: "r1", generation: 1, grantNonce: "r0" };
    expect(await store.renew(fenced, next, Date.now())).toMatchObject({ outcome: "granted" });
    expect(await client.hexists(KEY, "cut")).toBe(0);
    await client.hset(KEY, "seen", long);
    await restart();
    expect((await acquire()).outcome).toBe("fenced");
  });
});

const PAIR = { timestampBits: 41, datacenterBits: 0, machineBits: 1, sequenceBits: 21 };
const ticks = { epochMs: 0, tickMs: 1000 };

describe.skipIf(!process.env["REDIS_URL"])("the sorted set of a Redis is only a hint", () => {
  const open = async () => {
    const { client, port } = connect({ url: process.env["REDIS_URL"] ?? "" });
    const clean = () => client.del(KEY, INDEX);
    await clean();
    undo.push(clean);
    const store = leasePort(port, "n");
    const acquire = async (owner: string) =>
      nodeOf(await store.acquire(unfenced, requestOf(owner), Date.now()));
    const until_ = async (node: number) => (await store.read()).state?.nodes.get(node)?.until ?? 0;
    return { client, store, acquire, end: until_ };
  };

  test("grants no node twice and finds free nodes when the set is deleted", async () => {
    const { client, store, acquire } = await open();
    expect([await acquire("a"), await acquire("b")]).toEqual([0, 1]);
    await client.del(INDEX);
    expect(await acquire("c")).toBe("taken");
    expect(await client.zcard(INDEX)).toBe(2);
    await store.release(unfenced, { ...requestOf("b"), node: 1, generation: 0, grantNonce: "n" }, 0);
    await client.del(INDEX);
    expect(await acquire("c")).toBe(1);
    await client.del(INDEX);
    expect(await acquire("d")).toBe("taken");
    // The same request gets the same node.
    await client.del(INDEX);
    expect(await acquire("c")).toBe(1);
  });

  test("grants nodes again when the hash is deleted", async () => {
    const { client, acquire } = await open();
    expect([await acquire("a"), await acquire("b")]).toEqual([0, 1]);
    await client.del(KEY);
    expect([await acquire("c"), await acquire("d")]).toEqual([0, 1]);
    expect(await acquire("e")).toBe("taken");
  });

  test.each<[string, readonly (string | number)[], string | number]>([
    ["that says a node is free, and it is not", [1, "0000000000000000"], "taken"],
    ["of a node that nobody had", [1, "0000000000000007"], "taken"],
    ["of no number", [1, "x"], "taken"],
  ])("grants nothing for an entry %s", async (_title, entry, granted) => {
    const { client, acquire, end } = await open();
    expect([await acquire("a"), await acquire("b")]).toEqual([0, 1]);
    await client.zadd(INDEX, ...entry);
    expect(await acquire("c")).toBe(granted);
    // The set has been rebuilt from the hash.
    expect(await client.zrange(INDEX, "0", "-1", "WITHSCORES")).toEqual([
      "0000000000000000",
      String(await end(0)),
      "0000000000000001",
      String(await end(1)),
    ]);
  });

  test("finds a node that is missing in the hash", async () => {
    const { client, acquire } = await open();
    expect([await acquire("a"), await acquire("b")]).toEqual([0, 1]);
    await client.hdel(KEY, "0");
    expect(await acquire("c")).toBe(0);
    await client.hdel(KEY, "0");
    await client.zrem(INDEX, "0000000000000001");
    expect(await acquire("d")).toBe(0);
    expect(await acquire("e")).toBe("taken");
  });

  test("ignores an owner field that names the node of another owner", async () => {
    const { client, acquire } = await open();
    expect(await acquire("a")).toBe(0);
    await client.hset(KEY, "@b", "0");
    expect(await acquire("b")).toBe(1);
    await client.hset(KEY, "@c", "7");
    expect(await acquire("c")).toBe("taken");
  });

  test("reads, renews and releases nodes that bitflake 0.1.0 wrote", async () => {
    const { client, store, acquire } = await open();
    const now = Math.floor(Date.now() / 1000);
    const owner = "1234-5678 pod 7";
    await client.hset(KEY, "shape", unfenced.shape, "0", `${now} ${now + 100} ${owner}`, `@${owner}`, "0");
    await client.hset(KEY, "1", `${now} ${now + 50} `);
    await client.zadd(INDEX, now + 100, "0000000000000000", now + 50, "0000000000000001");
    expect((await store.read()).state).toMatchObject({
      nodes: new Map([
        [0, { owner, from: now, until: now + 100, generation: 0, nonce: "" }],
        [1, { owner: null, from: now, until: now + 50, generation: 0, nonce: "" }],
      ]),
      ...{ historyId: "", fence: 0, staleUntil: 0, longestReachTicks: 0 },
    });
    const proof = { owner, node: 0, generation: 0, grantNonce: "", nonce: "n" };
    expect(await store.renew(fenced, proof, Date.now())).toMatchObject({ outcome: "granted", from: now });
    expect(await acquire("b")).toBe("taken");
    await store.release(unfenced, { ...proof, generation: 1, grantNonce: "n", nonce: "" }, now);
    expect((await store.read()).state?.nodes.get(0)).toMatchObject({ owner: null, until: now });
  });

  test("ends a copy of a lease at its next renewal", async () => {
    const { port } = connect({ url: process.env["REDIS_URL"] ?? "" });
    undo.push(() => new Promise((done) => done(vi.restoreAllMocks())));
    let at = 0;
    // The random bytes of the process, which its copy repeats.
    vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => {
      const bytes = new Uint8Array((array as Uint8Array).buffer);
      bytes.set(bytes.map((_, i) => (at + i) * 7 + process.pid));
      at += bytes.length;
      return array;
    });
    const namespace = `copies ${process.pid}`;
    const options = { backend: port, namespace, ttlMs: 60_000, fence: false };
    let one: Awaited<ReturnType<typeof leaseNode>>;
    let copy: typeof one;
    // Again, if the first has renewed its lease before the second has one.
    for (;;) {
      at = 0;
      const began = performance.now();
      one = await leaseNode(options);
      at = 0;
      copy = await leaseNode(options);
      if (performance.now() - began < 800) break;
      await Promise.all([one.release(), copy.release()]);
    }
    vi.mocked(crypto.getRandomValues).mockImplementation(
      (array) => randomFillSync(array as Uint8Array) as never,
    );
    expect(copy.node).toBe(one.node);
    const started = Date.now();
    const states = () => [one.status().state, copy.status().state].sort();
    await until(() => states().includes("lost"));
    // Each renews after a second.
    expect(Date.now() - started).toBeLessThan(60_000);
    expect(states()).toEqual(["held", "lost"]);
    const [lost, held] = one.status().state === "lost" ? [one, copy] : [copy, one];
    expect(() => lost.generator.nextId()).toThrow(LeaseExpiredError);
    expect(held.generator.nextId()).toBeTypeOf("bigint");
    await lost.release();
    expect((await inspect(port, namespace)).held).toHaveLength(1);
    await held.release();
    expect((await inspect(port, namespace)).held).toEqual([]);
  });
});

describe.each(
  stores(`returns_${process.pid}`).filter(({ engine }) => ["postgres", "sqlite"].includes(engine)),
)("leases on $name", ({ open }) => {
  test("continue from tables of bitflake 0.1.0 after setup() has added columns", async () => {
    const port = (await open()) as SqlPort;
    const [namespaces, nodes] = [qualifiedTable(port, "namespaces"), qualifiedTable(port, "nodes")];
    const now = Math.floor(Date.now() / 1000);
    const tables = [
      `CREATE TABLE ${namespaces} (namespace TEXT PRIMARY KEY, shape TEXT NOT NULL)`,
      `CREATE TABLE ${nodes} (namespace TEXT NOT NULL, space BIGINT NOT NULL, node BIGINT NOT NULL, owner TEXT,
          since BIGINT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (namespace, node))`,
      `INSERT INTO ${namespaces} VALUES ('n', '${unfenced.shape}')`,
      `INSERT INTO ${nodes} VALUES ('n', 0, 0, 'old', ${now}, ${now + 100}), ('n', 0, 1, NULL, -1, -1)`,
    ];
    undo.push(() => clean(port));
    for (const sql of tables) await port.query(sql, []);
    const store = leasePort(port, "n");
    // Without the columns the error names one.
    await expect(store.acquire(fenced, requestOf("a"), Date.now())).rejects.toThrow(
      /generation|longest|nonce/,
    );
    await setup(port, ["lease"]);
    const proof = { owner: "old", node: 0, generation: 0, grantNonce: "", nonce: "n" };
    expect(await store.renew(fenced, proof, Date.now())).toMatchObject({ outcome: "granted", from: now });
    expect(await store.acquire(fenced, requestOf("a"), Date.now())).toMatchObject({
      outcome: "granted",
      node: 1,
    });
    await store.release(fenced, { ...proof, generation: 1, grantNonce: "n", nonce: "" }, now + 5);
    expect((await store.read()).state?.nodes.get(0)).toEqual({
      ...{ owner: null, from: now, until: now + 5, generation: 1, nonce: "n" },
    });
  });
});

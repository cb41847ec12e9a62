// The options that each client gets for an address: users, TLS, groups of servers. The packages are fakes that record them.

import { afterEach, describe, expect, test, vi } from "vitest";
import { openEtcd } from "../../../src/cli/stores/etcd.ts";
import { openStore } from "../../../src/cli/stores/openStore.ts";
import { storeContext } from "../cliIo.ts";

/** Opens a store with fake packages. Returns the arguments of the calls that created clients. */
async function openWith(
  url: string,
  packages: (record: (...args: unknown[]) => void) => Readonly<Record<string, object>>,
  createsMissing = true,
): Promise<unknown[][]> {
  const calls: unknown[][] = [];
  const fakes = packages((...args) => calls.push(args));
  const resolve = (name: string) => {
    if (Object.hasOwn(fakes, name)) return `/fakes/${name}`;
    throw new Error("not installed");
  };
  const load = async (name: string) => {
    if (name === "node:module") return { createRequire: () => ({ resolve }) };
    return fakes[name.replace(/^file:\/\/.*\/fakes\//, "")] ?? import(/* @vite-ignore */ name);
  };
  const store = await openStore(url, storeContext({ import: load }), { createsMissing });
  await store.close();
  return calls;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

type Record_ = (...args: unknown[]) => void;

const ioredis = (record: Record_) => {
  class Fake {
    readonly status = "ready";
    on() {}
    async connect() {}
    async select(database: number) {
      record("select", database);
    }
    disconnect() {}
    async call() {}
  }
  const named = (name: string) =>
    class extends Fake {
      constructor(...args: unknown[]) {
        super();
        record(name, ...args);
      }
    };
  return { ioredis: { Redis: named("Redis"), Cluster: named("Cluster") } };
};

const redis = (record: Record_) => {
  const client = { isOpen: true, on() {}, connect: async () => {}, destroy() {}, eval: async () => {} };
  const create = (name: string) => (options: unknown) => {
    record(name, options);
    return client;
  };
  return {
    redis: {
      createClient: create("client"),
      createSentinel: create("sentinel"),
      createCluster: create("cluster"),
    },
  };
};

const SENTINEL = "rediss+sentinel://user:p%40ss@a,b:1/ids/3?sentinelUsername=guard&sentinelPassword=word";

describe("ioredis", () => {
  test("gets a server", async () => {
    const [created, selected] = await openWith("rediss://user:pass@h/2", ioredis);
    expect(created?.slice(0, 2)).toEqual(["Redis", "rediss://user:pass@h/2"]);
    expect(selected).toEqual(["select", 2]);
  });

  test("gets Sentinels, their user, and that of the primary", async () => {
    const [[name, options] = []] = await openWith(SENTINEL, ioredis);
    expect(name).toBe("Redis");
    expect(options).toMatchObject({
      sentinels: [
        { host: "a", port: 26_379 },
        { host: "b", port: 1 },
      ],
      name: "ids",
      db: 3,
      username: "user",
      password: "p@ss",
      sentinelUsername: "guard",
      sentinelPassword: "word",
      tls: {},
      sentinelTLS: {},
      enableTLSForSentinelMode: true,
    });
  });

  test("gets no TLS and no user without them", async () => {
    const [[, options] = []] = await openWith("redis+sentinel://a/ids", ioredis);
    expect(options).not.toHaveProperty("tls");
    expect(options).toMatchObject({ name: "ids", db: 0, sentinelUsername: undefined });
    expect(options).not.toHaveProperty("username");
  });

  test("gets the nodes of a Cluster, and with TLS it connects by their names", async () => {
    const [[name, hosts, options] = []] = await openWith("rediss+cluster://:pass@a,b:1", ioredis);
    expect([name, hosts]).toEqual([
      "Cluster",
      [
        { host: "a", port: 6379 },
        { host: "b", port: 1 },
      ],
    ]);
    expect(options).toMatchObject({ redisOptions: { password: "pass", tls: {} } });
    const { dnsLookup } = options as { dnsLookup(name: string, done: (...args: unknown[]) => void): void };
    const found: unknown[] = [];
    dnsLookup("node.example", (...args) => found.push(...args));
    expect(found).toEqual([null, "node.example"]);
    const [[, , plain] = []] = await openWith("redis+cluster://a", ioredis);
    expect(plain).not.toHaveProperty("dnsLookup");
  });
});

describe("redis", () => {
  test("gets Sentinels, their user, and that of the primary", async () => {
    const socket = { connectTimeout: 4000, reconnectStrategy: false, tls: true };
    expect(await openWith(SENTINEL, redis)).toEqual([
      [
        "sentinel",
        {
          name: "ids",
          sentinelRootNodes: [
            { host: "a", port: 26_379 },
            { host: "b", port: 1 },
          ],
          nodeClientOptions: {
            username: "user",
            password: "p@ss",
            database: 3,
            disableOfflineQueue: true,
            socket,
          },
          sentinelClientOptions: { username: "guard", password: "word", socket },
        },
      ],
    ]);
  });

  test("gets the nodes of a Cluster", async () => {
    expect(await openWith("redis+cluster://u:p@a,b:1", redis)).toEqual([
      [
        "cluster",
        {
          rootNodes: [{ socket: { host: "a", port: 6379 } }, { socket: { host: "b", port: 1 } }],
          defaults: {
            username: "u",
            password: "p",
            disableOfflineQueue: true,
            socket: { connectTimeout: 4000, reconnectStrategy: false },
          },
        },
      ],
    ]);
  });
});

describe("nats", () => {
  const bucket = (ttl: number) => ({ get() {}, put() {}, history() {}, status: async () => ({ ttl }) });
  const clients = (record: Record_, ttl = 0) => {
    const connection = {
      isClosed: () => false,
      close: async () => {},
      jetstream: () => ({
        views: {
          async kv(name: string, options: object) {
            record("kv", name, options);
            return bucket(ttl);
          },
        },
      }),
    };
    const connect = async (options: object) => {
      record("connect", options);
      return connection;
    };
    return { nats: { connect } };
  };

  test.each([
    ["nats://h", { servers: ["h:4222"] }],
    ["nats://user:p%40ss@a,[::1]:1", { servers: ["a:4222", "[::1]:1"], user: "user", pass: "p@ss" }],
    ["nats+tls://t%2Foken@h", { servers: ["h:4222"], token: "t/oken", tls: {} }],
  ])("gets the servers and the user of %s", async (url, options) => {
    const [connect] = await openWith(url, clients);
    expect(connect).toEqual(["connect", { ...options, timeout: 4000, reconnect: false }]);
  });

  test("opens the bucket with reads from its leader, and creates it unless the command only reads", async () => {
    const bucketOf = async (url: string, createsMissing: boolean) =>
      (await openWith(url, clients, createsMissing))[1];
    expect(await bucketOf("nats://h", true)).toEqual([
      "kv",
      "bitflake",
      { allow_direct: false, replicas: 1 },
    ]);
    expect(await bucketOf("nats://h/ids?replicas=3", true)).toEqual([
      "kv",
      "ids",
      { allow_direct: false, replicas: 3 },
    ]);
    expect(await bucketOf("nats://h/ids?replicas=3", false)).toEqual([
      "kv",
      "ids",
      { allow_direct: false, bindOnly: true },
    ]);
  });

  test("refuses a bucket that forgets values", async () => {
    const forgets = (record: Record_) => clients(record, 60_000);
    await expect(openWith("nats://token@h/ids", forgets)).rejects.toThrow(
      "nats://***@h/ids: the bucket ids has a ttl, so it forgets leases and counters: name a bucket without one",
    );
  });

  test("needs both packages of the newer client", async () => {
    const half = (record: Record_) => ({ ...clients(record), "@nats-io/kv": {} });
    const [connect] = await openWith("nats://h", half);
    expect(connect?.[0]).toBe("connect");
  });
});

describe("mysql2", () => {
  test.each(["mysql://u:p@h/db?ssl={}", "mariadb://h/db"])("gets %s and limits", async (uri) => {
    const mysql2 = (record: Record_) => ({
      mysql2: {
        createPool(options: object) {
          record(options);
          return {
            on() {},
            promise: () => ({ query: async () => [[], []], execute() {}, end: async () => {} }),
          };
        },
      },
    });
    expect(await openWith(uri, mysql2)).toEqual([[{ uri, connectionLimit: 2, connectTimeout: 4000 }]]);
  });
});

describe("etcd", () => {
  const options = { prefix: "ids", timeoutMs: 1000, poolSize: 2 };
  const answers = (urls: string[]) => async (url: string) => {
    urls.push(url);
    return { ok: true, status: 200, text: async () => '{"token":"t"}' };
  };

  test.each([
    ["etcd://a,b:1", ["http://a:2379/v3/kv/range"]],
    [
      "etcds://user:pass@[::1]",
      ["https://[::1]:2379/v3/auth/authenticate", "https://[::1]:2379/v3/kv/range"],
    ],
  ])("at %s is called by its gateway", async (url, expected) => {
    const urls: string[] = [];
    await openEtcd(url, options, answers(urls));
    expect(urls).toEqual(expected);
  });

  test("is tried at each host, and its error has the reason of fetch", async () => {
    const urls: string[] = [];
    const refuse = async (url: string) => {
      urls.push(url);
      throw new TypeError("fetch failed", { cause: Object.assign(new Error(""), { code: "ECONNREFUSED" }) });
    };
    await expect(openEtcd("etcd://a,b:1", options, refuse)).rejects.toThrow("ECONNREFUSED");
    expect(urls.map((url) => new URL(url).host)).toEqual(["a:2379", "b:1"]);
  });

  test("keeps an error without a cause", async () => {
    const fail = () => Promise.reject(new Error("no such thing"));
    await expect(openEtcd("etcd://h", options, fail)).rejects.toThrow("no such thing");
  });

  test("is reached by the global fetch", async () => {
    const urls: string[] = [];
    vi.stubGlobal("fetch", answers(urls));
    const store = await openStore("etcd://h", storeContext({}), { createsMissing: false });
    await store.close();
    expect(urls.map((url) => new URL(url).host)).toEqual(["h:2379"]);
  });

  test("gets no request after it is closed", async () => {
    const urls: string[] = [];
    const { backend, close } = await openEtcd("etcd://h", options, answers(urls));
    close();
    await expect("swap" in backend && backend.read("x")).rejects.toThrow("the connection is closed");
    expect(urls).toHaveLength(1);
  });
});

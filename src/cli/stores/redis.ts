// Redis, with the package ioredis or redis: one server, the primary that Sentinels name, or a Cluster.

import { fromIORedis, fromNodeRedis, type IORedisClient, type NodeRedisClient } from "../../backend/index.ts";
import type { Io } from "../io.ts";
import { loadFirstPackage } from "../packages.ts";
import { redisDatabase, SENTINEL_PATH, schemeOf, serversOf } from "./address.ts";
import { type Connection, type ConnectionOptions, waitUntilConnected } from "./connection.ts";
import { type OpenedClient, reconnectingClient } from "./reconnectingClient.ts";
import type { Host } from "./servers.ts";

/** The options of a connection to a Redis, by the names that both packages have. */
interface RedisUser {
  readonly username?: string;
  readonly password?: string;
}

/** A group of Redis servers in an address. */
interface RedisGroup {
  readonly hosts: readonly Host[];
  readonly isSecure: boolean;
  readonly user: RedisUser;
}

/** A primary that Sentinels name. */
interface SentinelGroup extends RedisGroup {
  /** The name that the Sentinels have for the primary. */
  readonly name: string;
  readonly database: number;
  readonly sentinelUser: RedisUser;
}

/** Returns a user's options, without those that are empty: clients would send them. */
function userOptions(username = "", password = ""): RedisUser {
  return { ...(username !== "" && { username }), ...(password !== "" && { password }) };
}

function parseCluster(url: string): RedisGroup {
  const { scheme, hosts, username, password } = serversOf(url, 6379);
  return { hosts, isSecure: scheme.startsWith("rediss"), user: userOptions(username, password) };
}

function parseSentinel(url: string): SentinelGroup {
  const { scheme, hosts, username, password, path, parameters } = serversOf(url, 26_379);
  const [, name = "", database = "0"] = SENTINEL_PATH.exec(path) ?? [];
  return {
    hosts,
    isSecure: scheme.startsWith("rediss"),
    user: userOptions(username, password),
    name,
    database: Number(database),
    sentinelUser: userOptions(parameters.get("sentinelUsername"), parameters.get("sentinelPassword")),
  };
}

/** A client or Cluster of `ioredis`. */
type IORedisConnection = IORedisClient & {
  readonly status: string;
  on(event: "error", listener: (error: Error) => void): unknown;
  connect(): Promise<unknown>;
  disconnect(): void;
};

/** The part of `ioredis` that the command line uses. */
interface IORedis {
  readonly Redis: {
    new (url: string, options: object): IORedisConnection & { select(database: number): Promise<unknown> };
    new (options: object): IORedisConnection;
  };
  readonly Cluster: new (hosts: readonly Host[], options: object) => IORedisConnection;
}

/** A client, Sentinel or Cluster of `redis`. Before version 5 its clients have `disconnect` in place of `destroy`. */
type NodeRedisConnection = NodeRedisClient & {
  readonly isOpen: boolean;
  on(event: "error", listener: (error: unknown) => void): unknown;
  connect(): Promise<unknown>;
  destroy?(): unknown;
  disconnect?(): Promise<void>;
};

/** The part of `redis` that the command line uses. Before version 5 it has no Sentinels. */
interface NodeRedis {
  createClient(options: object): NodeRedisConnection;
  createCluster(options: object): NodeRedisConnection;
  createSentinel(options: object): NodeRedisConnection;
}

/** Opens a client of `ioredis`, which connects in the background. */
function openIORedis({ Redis, Cluster }: IORedis, url: string, timeoutMs: number): OpenedIORedis {
  const limits = { lazyConnect: true, connectTimeout: timeoutMs, maxRetriesPerRequest: 1 };
  switch (schemeOf(url).replace("rediss", "redis")) {
    case "redis+sentinel": {
      const { hosts, isSecure, user, name, database, sentinelUser } = parseSentinel(url);
      const client = new Redis({
        ...limits,
        ...user,
        sentinels: hosts,
        name,
        db: database,
        sentinelUsername: sentinelUser.username,
        sentinelPassword: sentinelUser.password,
        sentinelCommandTimeout: timeoutMs,
        // It tries each Sentinel once, and the next call opens a new client.
        sentinelRetryStrategy: () => null,
        ...(isSecure && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
      });
      return { client, connect: () => client.connect() };
    }
    case "redis+cluster": {
      const { hosts, isSecure, user } = parseCluster(url);
      const { lazyConnect, ...perNode } = limits;
      const client = new Cluster(hosts, {
        lazyConnect,
        slotsRefreshTimeout: timeoutMs,
        redisOptions: { ...perNode, ...user, ...(isSecure && { tls: {} }) },
        // The certificates of managed clusters are for names, not for the addresses that these names resolve to.
        ...(isSecure && {
          dnsLookup: (name: string, done: (error: null, address: string) => void) => done(null, name),
        }),
      });
      return { client, connect: () => client.connect() };
    }
    default: {
      // ioredis ignores a database that does not exist and uses another one, so the database is selected here.
      const database = redisDatabase(url);
      const client = new Redis(url, limits);
      const select = () => database !== "" && client.select(Number(database));
      return { client, connect: () => client.connect().then(select) };
    }
  }
}

interface OpenedIORedis {
  readonly client: IORedisConnection;
  connect(): Promise<unknown>;
}

function withIORedis(package_: IORedis, url: string, options: ConnectionOptions): Promise<Connection> {
  const { prefix, timeoutMs } = options;
  let last: unknown;
  const { use, ready, close } = reconnectingClient(timeoutMs, () => {
    const { client, connect } = openIORedis(package_, url, timeoutMs);
    // Without a listener, an outage would end the process. Callers get the error from their command.
    client.on("error", (error) => {
      const reason = (Object(error) as { lastNodeError?: Error }).lastNodeError ?? error;
      // Of a Cluster without an open connection, the rejection has the better message.
      if (reason.message !== "Connection is closed.") last = reason;
    });
    return {
      client,
      ready: connect(),
      isOver: () => client.status === "end",
      close: () => client.disconnect(),
    };
  });
  const call: IORedisClient["call"] = (...command) => use((client) => client.call(...command));
  const backend = fromIORedis({ call }, { prefix, timeoutMs });
  return waitUntilConnected(timeoutMs, ready, { backend, close }, () => last);
}

/** Creates a client of `redis`. */
function createNodeRedis(package_: NodeRedis, url: string, connectTimeout: number): NodeRedisConnection {
  // While it reconnects by itself, it does not report whether the server answers. So it gives up, and the next call opens a
  // new client.
  const socketOf = (isSecure: boolean) => ({
    connectTimeout,
    reconnectStrategy: false,
    ...(isSecure && { tls: true }),
  });
  switch (schemeOf(url).replace("rediss", "redis")) {
    case "redis+sentinel": {
      const { hosts, isSecure, user, name, database, sentinelUser } = parseSentinel(url);
      const socket = socketOf(isSecure);
      return package_.createSentinel({
        name,
        sentinelRootNodes: hosts,
        nodeClientOptions: { ...user, database, disableOfflineQueue: true, socket },
        sentinelClientOptions: { ...sentinelUser, socket },
      });
    }
    case "redis+cluster": {
      const { hosts, isSecure, user } = parseCluster(url);
      return package_.createCluster({
        rootNodes: hosts.map((socket) => ({ socket })),
        defaults: { ...user, disableOfflineQueue: true, socket: socketOf(isSecure) },
      });
    }
    default:
      return package_.createClient({ url, disableOfflineQueue: true, socket: socketOf(false) });
  }
}

/** Opens a client of `redis`. */
function openNodeRedis(
  package_: NodeRedis,
  url: string,
  timeoutMs: number,
  onError: (error: unknown) => void,
): OpenedClient<Pick<NodeRedisConnection, "eval">> {
  const client = createNodeRedis(package_, url, timeoutMs);
  client.on("error", onError);
  // A Cluster or a Sentinel stays open when its servers are gone.
  let hasFailed = false;
  const failing = (error: unknown) => {
    // After an error of the server about the script itself, another connection would not help.
    hasFailed ||= !/^(ERR|OOM|MISCONF|BUSY) /.test(String((error as Error | undefined)?.message));
    throw error;
  };
  return {
    client: { eval: (script, options) => client.eval(script, options).catch(failing) },
    ready: client.connect(),
    isOver: () => hasFailed || !client.isOpen,
    close: () => (client.destroy ? client.destroy() : client.disconnect?.()),
  };
}

function withNodeRedis(package_: NodeRedis, url: string, options: ConnectionOptions): Promise<Connection> {
  const { prefix, timeoutMs } = options;
  let last: unknown;
  const onError = (error: unknown) => {
    last = error;
  };
  const { use, ready, close } = reconnectingClient(timeoutMs, () =>
    openNodeRedis(package_, url, timeoutMs, onError),
  );
  const backend = fromNodeRedis(
    { eval: (script, args) => use((client) => client.eval(script, args)) },
    { prefix, timeoutMs },
  );
  // A Sentinel tries to connect again and again, and only its events have the reason.
  return waitUntilConnected(timeoutMs, ready, { backend, close }, () => last);
}

/** Connects to a Redis. */
export async function openRedis(url: string, io: Io, options: ConnectionOptions): Promise<Connection> {
  const { name, module } = await loadFirstPackage("redis://", ["ioredis", "redis"], io);
  return name === "ioredis"
    ? withIORedis(module as IORedis, url, options)
    : withNodeRedis(module as NodeRedis, url, options);
}

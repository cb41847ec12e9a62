// Redis, with the package ioredis or redis.

import { fromIORedis, fromNodeRedis, type IORedisClient, type NodeRedisClient } from "../../backend/index.ts";
import type { Io } from "../io.ts";
import { loadFirstPackage } from "../packages.ts";
import { redisDatabase } from "./address.ts";
import { type Connection, type ConnectionOptions, waitUntilConnected } from "./connection.ts";
import { reconnectingClient } from "./reconnectingClient.ts";

/** The part of `ioredis` that the command line uses. */
interface IORedis {
  readonly Redis: new (
    url: string,
    options: object,
  ) => IORedisClient & {
    on(event: "error", listener: (error: unknown) => void): unknown;
    connect(): Promise<unknown>;
    select(database: number): Promise<unknown>;
    disconnect(): void;
  };
}

/** The part of `redis` that the command line uses. Before version 5 its clients have `disconnect` in place of `destroy`. */
interface NodeRedis {
  createClient(options: object): NodeRedisClient & {
    readonly isOpen: boolean;
    on(event: "error", listener: (error: unknown) => void): unknown;
    connect(): Promise<unknown>;
    destroy?(): void;
    disconnect?(): Promise<void>;
  };
}

function withIORedis({ Redis }: IORedis, url: string, options: ConnectionOptions): Promise<Connection> {
  const { prefix, timeoutMs } = options;
  // ioredis ignores a database that does not exist and uses another one, so the database is selected here.
  const database = redisDatabase(url);
  let last: unknown;
  const { use, ready, close } = reconnectingClient(timeoutMs, () => {
    const client = new Redis(url, {
      lazyConnect: true,
      connectTimeout: timeoutMs,
      maxRetriesPerRequest: 1,
    });
    // Without a listener, an outage would end the process. Callers get the error from their command.
    client.on("error", (error) => {
      last = error;
    });
    return {
      client,
      ready: client.connect().then(() => database !== "" && client.select(Number(database))),
      close: () => client.disconnect(),
    };
  });
  const call: IORedisClient["call"] = (...command) => use((client) => client.call(...command));
  const backend = fromIORedis({ call }, { prefix, timeoutMs });
  return waitUntilConnected(timeoutMs, ready, { backend, close }, () => last);
}

function withNodeRedis(
  { createClient }: NodeRedis,
  url: string,
  options: ConnectionOptions,
): Promise<Connection> {
  const { prefix, timeoutMs } = options;
  const { use, ready, close } = reconnectingClient(timeoutMs, () => {
    const client = createClient({
      url,
      disableOfflineQueue: true,
      // While it reconnects by itself, it does not report whether the server answers. So it gives up, and the next call
      // opens a new client.
      socket: { connectTimeout: timeoutMs, reconnectStrategy: false },
    });
    client.on("error", () => {});
    return {
      client,
      ready: client.connect(),
      isOver: () => !client.isOpen,
      close: () => (client.destroy ? client.destroy() : client.disconnect?.()),
    };
  });
  const backend = fromNodeRedis(
    { eval: (script, args) => use((client) => client.eval(script, args)) },
    { prefix, timeoutMs },
  );
  return waitUntilConnected(timeoutMs, ready, { backend, close });
}

/** Connects to a Redis. */
export async function openRedis(url: string, io: Io, options: ConnectionOptions): Promise<Connection> {
  const { name, module } = await loadFirstPackage("redis://", ["ioredis", "redis"], io);
  return name === "ioredis"
    ? withIORedis(module as IORedis, url, options)
    : withNodeRedis(module as NodeRedis, url, options);
}

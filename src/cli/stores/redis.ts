// Redis, with ioredis or redis, whichever is installed.

import { fromIORedis, fromNodeRedis, type IORedisClient, type NodeRedisClient } from "../../backend/index.ts";
import type { Io } from "../io.ts";
import { loadFirstPackage } from "../packages.ts";
import type { ConnectionOptions } from "./openStore.ts";
import { type Connection, reconnectingClient, waitUntilConnected } from "./reconnectingClient.ts";

/** What is used of `ioredis`. */
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

/** What is used of `redis`; before version 5 its clients could only be disconnected. */
interface NodeRedis {
  createClient(options: object): NodeRedisClient & {
    readonly isOpen: boolean;
    on(event: "error", listener: (error: unknown) => void): unknown;
    connect(): Promise<unknown>;
    destroy?(): void;
    disconnect?(): Promise<void>;
  };
}

/** The database that an address names, as text; empty if it names none. */
export function redisDatabase(url: string): string {
  const from = url.includes("@") ? url.lastIndexOf("@") + 1 : url.indexOf("//") + 2;
  return /^[^/?#]*\/([^?#]*)/.exec(url.slice(from))?.[1] ?? "";
}

function withIORedis({ Redis }: IORedis, url: string, settings: ConnectionOptions): Promise<Connection> {
  const { prefix, timeoutMs } = settings;
  // By itself it says nothing of a database that there is not, and works in another.
  const database = redisDatabase(url);
  let last: unknown;
  const { use, ready, close } = reconnectingClient(timeoutMs, () => {
    const client = new Redis(url, {
      lazyConnect: true,
      connectTimeout: timeoutMs,
      maxRetriesPerRequest: 1,
    });
    // Without a listener an outage would end the process; a caller meanwhile gets an error.
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
  settings: ConnectionOptions,
): Promise<Connection> {
  const { prefix, timeoutMs } = settings;
  const { use, ready, close } = reconnectingClient(timeoutMs, () => {
    const client = createClient({
      url,
      disableOfflineQueue: true,
      // While it connects again by itself, nothing says whether the server still answers. So it gives up, and the next
      // call opens a new client.
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
    { eval: (script, options) => use((client) => client.eval(script, options)) },
    { prefix, timeoutMs },
  );
  return waitUntilConnected(timeoutMs, ready, { backend, close });
}

/** Connects to a Redis. */
export async function openRedis(url: string, io: Io, settings: ConnectionOptions): Promise<Connection> {
  const { name, module } = await loadFirstPackage("redis://", ["ioredis", "redis"], io);
  return name === "ioredis"
    ? withIORedis(module as IORedis, url, settings)
    : withNodeRedis(module as NodeRedis, url, settings);
}

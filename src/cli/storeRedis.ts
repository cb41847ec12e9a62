// Redis, with ioredis or redis, whichever is installed.

import { fromIORedis, fromNodeRedis, type IORedisClient, type NodeRedisClient } from "../backend/index.ts";
import { type Connection, established } from "./connect.ts";
import { loadFirst } from "./packages.ts";
import type { World } from "./world.ts";

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
    on(event: "error", listener: (error: unknown) => void): unknown;
    connect(): Promise<unknown>;
    destroy?(): void;
    disconnect?(): Promise<void>;
  };
}

/** The database that an address names, as text; empty if it names none. */
export function databaseIn(url: string): string {
  const from = url.includes("@") ? url.lastIndexOf("@") + 1 : url.indexOf("//") + 2;
  return /^[^/?#]*\/([^?#]*)/.exec(url.slice(from))?.[1] ?? "";
}

function withIORedis({ Redis }: IORedis, url: string, ms: number): Promise<Connection> {
  const client = new Redis(url, { lazyConnect: true, connectTimeout: ms, maxRetriesPerRequest: 1 });
  let last: unknown;
  // Without a listener an outage would end the process; who asks meanwhile hears of it.
  client.on("error", (error) => {
    last = error;
  });
  const connection = { backend: fromIORedis(client), close: () => client.disconnect() };
  // By itself it says nothing of a database that there is not, and works in another.
  const database = databaseIn(url);
  const connecting = client.connect().then(() => database !== "" && client.select(Number(database)));
  return established(ms, connecting, connection, () => last);
}

function withNodeRedis({ createClient }: NodeRedis, url: string, ms: number): Promise<Connection> {
  let isUp = false;
  const client = createClient({
    url,
    disableOfflineQueue: true,
    // It would try for ever; at the start once is enough.
    socket: { connectTimeout: ms, reconnectStrategy: () => (isUp ? 500 : false) },
  });
  client.on("error", () => {});
  const close = () => (client.destroy ? client.destroy() : client.disconnect?.());
  const connecting = client.connect().then(() => {
    isUp = true;
  });
  return established(ms, connecting, { backend: fromNodeRedis(client), close });
}

/** Connects to a Redis. */
export async function openRedis(url: string, world: World, ms: number): Promise<Connection> {
  const { name, module } = await loadFirst("redis://", ["ioredis", "redis"], world);
  return name === "ioredis"
    ? withIORedis(module as IORedis, url, ms)
    : withNodeRedis(module as NodeRedis, url, ms);
}

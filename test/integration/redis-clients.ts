// Redis clients with their adapters.

import { Redis as Upstash } from "@upstash/redis";
import { fromIORedis, fromNodeRedis, fromUpstash, type PortSettings, type RedisPort } from "bitflake/backend";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { bridge } from "./upstash-bridge.ts";

export interface RedisConnection {
  readonly port: RedisPort;
  close(): Promise<void>;
}

export interface RedisAdapter {
  readonly name: string;
  /** Connects. The client does not retry later calls, and an outage does not end the process. */
  open(url: string, settings?: PortSettings): Promise<RedisConnection>;
}

/** By default Upstash's client sends concurrent calls in one request. */
function upstash(name: string, enableAutoPipelining: boolean): RedisAdapter {
  return {
    name,
    async open(url, settings) {
      const between = await bridge(url);
      const { token } = between;
      const client = new Upstash({ url: between.url, token, retry: false, enableAutoPipelining });
      return { port: fromUpstash(client, settings), close: () => between.close() };
    },
  };
}

export const redisAdapters: readonly RedisAdapter[] = [
  {
    name: "fromIORedis",
    async open(url, settings) {
      const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => 50 });
      client.on("error", () => {});
      return { port: fromIORedis(client, settings), close: async () => client.disconnect() };
    },
  },
  {
    name: "fromNodeRedis",
    async open(url, settings) {
      const client = createClient({
        url,
        disableOfflineQueue: true,
        socket: { reconnectStrategy: () => 50 },
      });
      const failed = new Promise((resolve) => client.on("error", resolve));
      // connect() resolves when there is a connection, which may be never.
      await Promise.race([client.connect(), failed]);
      return { port: fromNodeRedis(client, settings), close: async () => client.destroy() };
    },
  },
  upstash("fromUpstash", true),
  upstash("fromUpstash without pipelines", false),
];

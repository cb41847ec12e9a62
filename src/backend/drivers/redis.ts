// Adapters for Redis clients: ioredis, node-redis and Upstash. Each maps EVAL to the client's own method.

import { resolvePortSettings } from "../portSettings.ts";
import type { PortSettings, RedisPort } from "../ports.ts";

/** A client or cluster of `ioredis`: the methods that the adapter calls. */
export interface IORedisClient {
  /** Sends a command. */
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** A client, pool, cluster or sentinel of `redis`: the methods that the adapter calls. */
export interface NodeRedisClient {
  /** Sends EVAL. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A client of `@upstash/redis`: the methods that the adapter calls. */
export interface UpstashClient {
  /** Sends EVAL. */
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
}

/**
 * Creates a port from a client of `ioredis`.
 *
 * @param client your client, or a Cluster. Its connection and retry settings stay as they are, and its `keyPrefix` comes
 *   before `prefix`
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
 *
 * @example
 * ```ts ioredis
 * import { fromIORedis } from "bitflake/backend";
 * import { Redis } from "ioredis";
 *
 * const client = new Redis(process.env.REDIS_URL ?? "redis://127.0.0.1:6379");
 * const backend = fromIORedis(client);
 * await backend.eval("return ARGV[1]", [], ["hello"]); // => 'hello'
 * await client.quit();
 * ```
 */
export function fromIORedis(client: IORedisClient, options: PortSettings = {}): RedisPort {
  return {
    ...resolvePortSettings(client, "call", options),
    eval: (script, keys, args) => client.call("EVAL", script, String(keys.length), ...keys, ...args),
  };
}

/**
 * Creates a port from a client of `redis` (node-redis).
 *
 * @param client your connected client, or a pool, cluster or sentinel
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
 *
 * @example
 * ```ts redis
 * import { fromNodeRedis } from "bitflake/backend";
 * import { createClient } from "redis";
 *
 * const client = createClient({ url: process.env.REDIS_URL });
 * client.on("error", console.error); // otherwise an outage ends the process
 * await client.connect();
 * const backend = fromNodeRedis(client);
 * await backend.eval("return ARGV[1]", [], ["hello"]); // => 'hello'
 * await client.close();
 * ```
 */
export function fromNodeRedis(client: NodeRedisClient, options: PortSettings = {}): RedisPort {
  return {
    ...resolvePortSettings(client, "eval", options),
    eval: (script, keys, args) => client.eval(script, { keys: [...keys], arguments: [...args] }),
  };
}

/**
 * Creates a port from a client of `@upstash/redis`, which uses HTTP and so runs at the edge.
 *
 * @param client your client
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
 *
 * @example
 * ```ts upstash
 * import { Redis } from "@upstash/redis";
 * import { fromUpstash } from "bitflake/backend";
 *
 * const backend = fromUpstash(Redis.fromEnv()); // UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN
 * await backend.eval("return ARGV[1]", [], ["hello"]); // => 'hello'
 * ```
 */
export function fromUpstash(client: UpstashClient, options: PortSettings = {}): RedisPort {
  return {
    ...resolvePortSettings(client, "eval", options),
    eval: (script, keys, args) => client.eval(script, [...keys], [...args]),
  };
}

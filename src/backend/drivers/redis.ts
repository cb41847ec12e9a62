// Adapters for clients of Redis: each turns EVAL into the call that its client has for it.

import { resolvePortSettings } from "../portSettings.ts";
import type { PortSettings, RedisPort } from "../ports.ts";

/** What is asked of an ioredis client or cluster. */
export interface IORedisClient {
  /** Sends a command. */
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** What is asked of a client, pool, cluster or sentinel of the `redis` package. */
export interface NodeRedisClient {
  /** Sends EVAL. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** What is asked of an Upstash client. */
export interface UpstashClient {
  /** Sends EVAL. */
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
}

/**
 * Makes a port from a client of `ioredis`.
 *
 * @param client yours, or a Cluster: how it connects and retries is not touched. A `keyPrefix` of it comes before `prefix`
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client is none, or an option is wrong or unknown
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
 * Makes a port from a client of `redis` (node-redis).
 *
 * @param client yours, connected; or a pool, cluster or sentinel
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client is none, or an option is wrong or unknown
 *
 * @example
 * ```ts redis
 * import { fromNodeRedis } from "bitflake/backend";
 * import { createClient } from "redis";
 *
 * const client = createClient({ url: process.env.REDIS_URL });
 * client.on("error", console.error); // or an outage ends the process
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
 * Makes a port from a client of `@upstash/redis`, which talks HTTP and so runs at the edge.
 *
 * @param client yours
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client is none, or an option is wrong or unknown
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

// Adapters for clients of Redis: each turns EVAL into the call that its client has for any command.

import type { PortSettings, RedisPort } from "./ports.ts";
import { portSettings } from "./settings.ts";

/** What is asked of an ioredis client or cluster. */
export interface IORedisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** What is asked of a client of the `redis` package. */
export interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
}

/** What is asked of an Upstash client. */
export interface UpstashClient {
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
}

/** EVAL as a list of words. */
function words(script: string, keys: readonly string[], args: readonly string[]): string[] {
  return [script, String(keys.length), ...keys, ...args];
}

/**
 * Makes a port from a client of `ioredis`.
 *
 * @param client yours: how it connects and retries is not touched. A `keyPrefix` of the client is not used; say `prefix`
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client is none, or an option is wrong or unknown
 *
 * @example
 * ```ts no-run
 * import { fromIORedis } from "bitflake/backend";
 * import { Redis } from "ioredis";
 *
 * const backend = fromIORedis(new Redis("redis://127.0.0.1:6379"));
 * ```
 */
export function fromIORedis(client: IORedisClient, options: PortSettings = {}): RedisPort {
  return {
    ...portSettings(client, "call", options),
    eval: (script, keys, args) => client.call("EVAL", ...words(script, keys, args)),
  };
}

/**
 * Makes a port from a client of `redis` (node-redis).
 *
 * @param client yours, connected
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client is none, or an option is wrong or unknown
 *
 * @example
 * ```ts no-run
 * import { fromNodeRedis } from "bitflake/backend";
 * import { createClient } from "redis";
 *
 * const backend = fromNodeRedis(await createClient({ url: "redis://127.0.0.1:6379" }).connect());
 * ```
 */
export function fromNodeRedis(client: NodeRedisClient, options: PortSettings = {}): RedisPort {
  return {
    ...portSettings(client, "sendCommand", options),
    eval: (script, keys, args) => client.sendCommand(["EVAL", ...words(script, keys, args)]),
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
 * ```ts no-run
 * import { fromUpstash } from "bitflake/backend";
 * import { Redis } from "@upstash/redis";
 *
 * const backend = fromUpstash(new Redis({ url: "https://example.upstash.io", token: "secret" }));
 * ```
 */
export function fromUpstash(client: UpstashClient, options: PortSettings = {}): RedisPort {
  return {
    ...portSettings(client, "eval", options),
    eval: (script, keys, args) => client.eval(script, [...keys], [...args]),
  };
}

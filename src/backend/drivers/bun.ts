// Adapters for the clients that Bun has built in: Bun.SQL on PostgreSQL, and Bun.RedisClient.

import { resolvePortSettings } from "../portSettings.ts";
import type { PortSettings, RedisPort, SqlPort } from "../ports.ts";
import { fromPostgresJs, type PostgresSettings } from "./postgres.ts";

/** A `Bun.SQL`: the methods that the adapter calls. */
export interface BunSqlClient {
  /** Runs a statement with parameters. */
  unsafe(text: string, params: string[]): PromiseLike<unknown>;
}

/** A `Bun.RedisClient`: the methods that the adapter calls. */
export interface BunRedisClient {
  /** Sends a command. */
  send(command: string, args: string[]): Promise<unknown>;
}

/** Gives an error of Bun.SQL the `code` that those of other clients have. Bun has PostgreSQL's code in `errno`. */
function withCode(error: unknown): unknown {
  const { errno, message } = Object(error) as { errno?: unknown; message?: unknown };
  if (typeof errno !== "string") return error;
  return Object.assign(new Error(String(message), { cause: error }), { code: errno });
}

/**
 * Creates a port from a `Bun.SQL` that is connected to PostgreSQL. For a file of SQLite, use `fromSqlite` with Bun's
 * `node:sqlite`; for MySQL, `fromMysql2`.
 *
 * @param sql your client. With PgBouncer in between it needs `prepare: false`
 * @param options `prefix` of the tables, default `"bitflake"`; their `schema`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
 *
 * @example
 * ```ts bun
 * import { fromBunSql, setup } from "bitflake/backend";
 * import { SQL } from "bun";
 *
 * const sql = new SQL(process.env.DATABASE_URL ?? "postgres://127.0.0.1/app");
 * const backend = fromBunSql(sql);
 * await setup(backend);
 * const [row] = await backend.query("SELECT CAST($1 AS TEXT) AS echo", ["hello"]);
 * row.echo; // => 'hello'
 * await sql.end();
 * ```
 */
export function fromBunSql(sql: BunSqlClient, options: PostgresSettings = {}): SqlPort {
  resolvePortSettings(sql, "unsafe", options, "schema");
  const unsafe = async (text: string, params: string[]) => {
    try {
      return (await sql.unsafe(text, params)) as unknown[];
    } catch (error) {
      throw withCode(error);
    }
  };
  return fromPostgresJs({ unsafe }, options);
}

/**
 * Creates a port from a `Bun.RedisClient`.
 *
 * @param client your client. Its connection and retry settings stay as they are
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
 *
 * @example
 * ```ts bun
 * import { fromBunRedis } from "bitflake/backend";
 * import { RedisClient } from "bun";
 *
 * const client = new RedisClient(process.env.REDIS_URL ?? "redis://127.0.0.1:6379");
 * const backend = fromBunRedis(client);
 * await backend.eval("return ARGV[1]", [], ["hello"]); // => 'hello'
 * client.close();
 * ```
 */
export function fromBunRedis(client: BunRedisClient, options: PortSettings = {}): RedisPort {
  return {
    ...resolvePortSettings(client, "send", options),
    eval: (script, keys, args) => client.send("EVAL", [script, String(keys.length), ...keys, ...args]),
  };
}

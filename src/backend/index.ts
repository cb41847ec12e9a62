// bitflake/backend: the only door to Redis and SQL.

export { ArgumentError, BackendError } from "../core.ts";
export { memory } from "./memory.ts";
export type { Backend, MemoryPort, PortSettings, RedisPort, SqlPort, SqlRow } from "./ports.ts";
export {
  fromPGlite,
  fromPg,
  fromPostgresJs,
  type PgClient,
  type PgResult,
  type PostgresJsClient,
  type PostgresSettings,
} from "./postgres.ts";
export {
  fromIORedis,
  fromNodeRedis,
  fromUpstash,
  type IORedisClient,
  type NodeRedisClient,
  type UpstashClient,
} from "./redis.ts";
export { fromSqlite, type SqliteDatabase, type SqliteStatement } from "./sqlite.ts";
export { type Feature, type SqlTarget, setup, setupSql } from "./tables.ts";

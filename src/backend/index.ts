// bitflake/backend: Redis, SQL databases and memory as backends of the features.

export { ArgumentError, BackendError } from "../internal.ts";
export type { SqlTarget } from "./definitions.ts";
export { memory } from "./drivers/memory.ts";
export {
  fromPGlite,
  fromPg,
  fromPostgresJs,
  type PgClient,
  type PgResult,
  type PostgresJsClient,
  type PostgresSettings,
} from "./drivers/postgres.ts";
export {
  fromIORedis,
  fromNodeRedis,
  fromUpstash,
  type IORedisClient,
  type NodeRedisClient,
  type UpstashClient,
} from "./drivers/redis.ts";
export { fromSqlite, type SqliteDatabase, type SqliteStatement } from "./drivers/sqlite.ts";
export type { Backend, MemoryPort, PortSettings, RedisPort, SqlPort, SqlRow } from "./ports.ts";
export type { Feature } from "./schema.ts";
export { setup, setupSql } from "./setup.ts";

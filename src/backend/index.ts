// bitflake/backend: Redis, SQL databases, stores with compare-and-set and memory as backends of the features.

export { ArgumentError, BackendError } from "../internal.ts";
export type { SqlTarget } from "./definitions.ts";
export { type BunRedisClient, type BunSqlClient, fromBunRedis, fromBunSql } from "./drivers/bun.ts";
export { type D1Client, type D1QueryResult, type D1Statement, fromD1 } from "./drivers/d1.ts";
export {
  type DenoKv,
  type DenoKvAtomic,
  type DenoKvEntry,
  type DenoKvKey,
  fromDenoKv,
} from "./drivers/denokv.ts";
export {
  type DurableObjectStorageClient,
  type DurableObjectStubClient,
  type DurableObjectTransactionClient,
  fromDurableObject,
  fromDurableObjectStub,
} from "./drivers/durableObject.ts";
export { type DynamoDBDocumentClient, type DynamoDBSettings, fromDynamoDB } from "./drivers/dynamodb.ts";
export { type EtcdSettings, fromEtcd } from "./drivers/etcd.ts";
export type { EtcdFetch, EtcdRequest, EtcdResponse, EtcdUser } from "./drivers/etcdGateway.ts";
export { fromLibsql, type LibsqlClient, type LibsqlResult } from "./drivers/libsql.ts";
export { memory } from "./drivers/memory.ts";
export { fromMysql2, type Mysql2Connection, type Mysql2Pool } from "./drivers/mysql2.ts";
export { fromNatsKv, type NatsKv, type NatsKvEntry } from "./drivers/nats.ts";
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
export type { MysqlTarget } from "./mysqlSchema.ts";
export type {
  Backend,
  Cell,
  CellPort,
  ListedCell,
  MemoryPort,
  MysqlPort,
  MysqlResult,
  MysqlStatement,
  PortSettings,
  RedisPort,
  SqlPort,
  SqlRow,
  SwapResult,
} from "./ports.ts";
export type { Feature } from "./schema.ts";
export { setup, setupSql } from "./setup.ts";

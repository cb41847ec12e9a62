// The clients as their packages type them: each adapter takes its own, and refuses what is none. Compiled by
// types.slow.test.ts, never run.

import { DatabaseSync } from "node:sqlite";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument, DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { D1Database, DurableObjectState, Rpc } from "@cloudflare/workers-types";
import { PGlite } from "@electric-sql/pglite";
import { createClient as createLibsql } from "@libsql/client";
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";
import { Redis as Upstash } from "@upstash/redis";
import { Redis as CloudflareUpstash } from "@upstash/redis/cloudflare";
import Database from "better-sqlite3";
import {
  type CellPort,
  type DurableObjectStubClient,
  fromD1,
  fromDurableObject,
  fromDurableObjectStub,
  fromDynamoDB,
  fromEtcd,
  fromIORedis,
  fromLibsql,
  fromMysql2,
  fromNatsKv,
  fromNodeRedis,
  fromPGlite,
  fromPg,
  fromPostgresJs,
  fromSqlite,
  fromUpstash,
  type RedisPort,
  type SqlPort,
} from "bitflake/backend";
import { Cluster, Redis } from "ioredis";
import mysqlCallbacks from "mysql2";
import mysql from "mysql2/promise";
import { connect as connect2 } from "nats";
import pg from "pg";
import postgres from "postgres";
import { createClient, createClientPool, createCluster, createSentinel } from "redis";

const settings = { prefix: "app", timeoutMs: 1000 };

/** What a Worker gets from its platform. The stub is that of a class with the methods of a port. */
declare const cloudflare: {
  readonly db: D1Database;
  readonly state: DurableObjectState;
  readonly stub: Rpc.Provider<DurableObjectStubClient & Rpc.DurableObjectBranded>;
};

export const redisPorts: readonly RedisPort[] = [
  fromIORedis(new Redis()),
  fromIORedis(new Redis(), settings),
  fromIORedis(new Cluster([{ host: "127.0.0.1", port: 7000 }])),
  fromNodeRedis(createClient()),
  fromNodeRedis(await createClient({ url: "redis://127.0.0.1:6379", RESP: 3 }).connect(), settings),
  fromNodeRedis(createClient({ RESP: 2 })),
  fromNodeRedis(createClientPool()),
  fromNodeRedis(createCluster({ rootNodes: [] })),
  fromNodeRedis(createSentinel({ name: "main", sentinelRootNodes: [] })),
  fromUpstash(new Upstash({ url: "https://example.upstash.io", token: "secret" })),
  fromUpstash(new CloudflareUpstash({ url: "https://example.upstash.io", token: "secret" }), settings),
];

export const sqlPorts: readonly SqlPort[] = [
  fromPg(new pg.Pool()),
  fromPg(new pg.Client()),
  fromPg(await new pg.Pool().connect(), { ...settings, schema: "ids" }),
  fromPostgresJs(postgres()),
  fromPostgresJs(postgres({ types: { bigint: postgres.BigInt } }), { ...settings, schema: "ids" }),
  fromPGlite(new PGlite()),
  fromPGlite(await PGlite.create("memory://"), { ...settings, schema: "ids" }),
  fromSqlite(new DatabaseSync(":memory:")),
  fromSqlite(new DatabaseSync(":memory:", { readBigInts: true }), settings),
  fromSqlite(new Database(":memory:")),
  fromLibsql(createLibsql({ url: "file:ids.db" })),
  fromLibsql(createLibsql({ url: "libsql://ids.turso.io", intMode: "bigint" }), settings),
  fromD1(cloudflare.db),
  fromD1(cloudflare.db, settings),
];

export const cellPorts: readonly CellPort[] = [
  fromMysql2(mysql.createPool("mysql://127.0.0.1/app")),
  fromMysql2(mysql.createPool({ host: "127.0.0.1", typeCast: false }), settings),
  fromMysql2(await mysql.createPool({}).getConnection()),
  fromMysql2(await mysql.createConnection("mysql://127.0.0.1/app")),
  fromMysql2(mysqlCallbacks.createPool({}).promise()),
  fromDurableObject(cloudflare.state.storage),
  fromDurableObject(cloudflare.state.storage, settings),
  fromDurableObjectStub(() => cloudflare.stub),
  fromDurableObjectStub(() => cloudflare.stub, settings),
  fromDynamoDB(DynamoDBDocument.from(new DynamoDBClient()), { table: "ids" }),
  fromDynamoDB(DynamoDBDocument.from(new DynamoDBClient()), { table: "ids", ...settings }),
  fromNatsKv(await new Kvm(await connect()).create("ids")),
  fromNatsKv(await new Kvm(await connect()).open("ids"), settings),
  fromNatsKv(await (await connect2()).jetstream().views.kv("ids")),
  fromEtcd({ endpoints: "http://127.0.0.1:2379" }),
  fromEtcd({ endpoints: ["http://127.0.0.1:2379"], fetch, ...settings }),
  fromEtcd({
    endpoints: "https://etcd.example",
    auth: { name: "ids", password: "secret" },
    fetch: (url, request) => fetch(url, { ...request, redirect: "error" }),
  }),
];

// One client for another.
// @ts-expect-error
fromIORedis(createClient());
// @ts-expect-error
fromIORedis(new Upstash({ url: "https://example.upstash.io", token: "secret" }));
// @ts-expect-error
fromNodeRedis(new Redis());
// @ts-expect-error
fromUpstash(createClient());
// @ts-expect-error
fromPg(postgres());
// @ts-expect-error
fromPg(new DatabaseSync(":memory:"));
// @ts-expect-error
fromPostgresJs(new pg.Pool());
// @ts-expect-error
fromPGlite(new Database(":memory:"));
// @ts-expect-error
fromSqlite(new pg.Pool());
// @ts-expect-error
fromDynamoDB(new DynamoDBClient(), { table: "ids" });
// @ts-expect-error
fromDynamoDB(DynamoDBDocumentClient.from(new DynamoDBClient()), { table: "ids" });
// @ts-expect-error
fromNatsKv(await connect());
// @ts-expect-error
fromNatsKv(new Kvm(await connect()));

// @ts-expect-error
fromLibsql(cloudflare.db);
// @ts-expect-error
fromD1(createLibsql({ url: "file:ids.db" }));
// @ts-expect-error
fromD1(new DatabaseSync(":memory:"));
// @ts-expect-error
fromDurableObject(cloudflare.stub);
// @ts-expect-error
fromDurableObjectStub(cloudflare.stub);
// @ts-expect-error
fromDurableObjectStub(() => cloudflare.db);
// @ts-expect-error
fromMysql2(mysqlCallbacks.createPool({}));
// @ts-expect-error
fromMysql2(new pg.Pool());
// @ts-expect-error
fromPg(mysql.createPool({}));

// What is no client.
// @ts-expect-error
fromIORedis("redis://127.0.0.1:6379");
// @ts-expect-error
fromPg({ connectionString: "postgres://127.0.0.1" });
// @ts-expect-error
fromPostgresJs(postgres);
// @ts-expect-error
fromSqlite("ids.db");
// @ts-expect-error
fromSqlite({ prepare: () => 1 });
// @ts-expect-error
fromIORedis(undefined);

// @ts-expect-error
fromMysql2("mysql://127.0.0.1/app");
// @ts-expect-error
fromEtcd("http://127.0.0.1:2379");
// @ts-expect-error
fromEtcd({ endpoints: "http://127.0.0.1:2379", fetch: () => "text" });

// Options that there are not.
// @ts-expect-error
fromIORedis(new Redis(), { keyPrefix: "app" });
// @ts-expect-error
fromIORedis(new Redis(), { schema: "ids" });
// @ts-expect-error
fromSqlite(new DatabaseSync(":memory:"), { schema: "ids" });
// @ts-expect-error
fromPg(new pg.Pool(), { timeoutMs: "1000" });
// @ts-expect-error
fromEtcd({ url: "http://127.0.0.1:2379" });
// @ts-expect-error
fromDynamoDB(DynamoDBDocument.from(new DynamoDBClient()));

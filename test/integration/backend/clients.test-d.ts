// The clients as their packages type them: each adapter takes its own, and refuses what is none. Compiled by
// types.slow.test.ts, never run.

import { DatabaseSync } from "node:sqlite";
import { PGlite } from "@electric-sql/pglite";
import { Redis as Upstash } from "@upstash/redis";
import { Redis as CloudflareUpstash } from "@upstash/redis/cloudflare";
import Database from "better-sqlite3";
import {
  fromIORedis,
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
import pg from "pg";
import postgres from "postgres";
import { createClient, createClientPool, createCluster, createSentinel } from "redis";

const settings = { prefix: "app", timeoutMs: 1000 };

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

// Options that there are not.
// @ts-expect-error
fromIORedis(new Redis(), { keyPrefix: "app" });
// @ts-expect-error
fromIORedis(new Redis(), { schema: "ids" });
// @ts-expect-error
fromSqlite(new DatabaseSync(":memory:"), { schema: "ids" });
// @ts-expect-error
fromPg(new pg.Pool(), { timeoutMs: "1000" });

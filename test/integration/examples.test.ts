// The examples of doc comments and guides that need a client, fenced by its name: they compile with the client's own
// types, and run. Each stands alone. Those of Cloudflare and Bun run in their runtimes: cloudflare.test.ts and bun.test.ts. The examples of docs/databases.md build on each other: databases.test.ts runs them.

import { mkdirSync } from "node:fs";
import { isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diagnostics, examplesOf, pages, run, sources } from "../docs/snippet.ts";
import { createTable, dynamoDBVariables } from "./cell-clients.ts";
import { inOwnDatabase } from "./database.ts";
import { makeKnown } from "./known-namespace.ts";
import { packages } from "./packages.ts";
import { type Bridge, bridge } from "./upstash-bridge.ts";

const { REDIS_URL, DATABASE_URL, MYSQL_URL, NATS_URL, ETCD_URL, DYNAMODB_URL } = process.env;

/** The clients by the names of their fences, and whether the test can reach their server. */
const clients: Readonly<Record<string, boolean>> = {
  ioredis: Boolean(REDIS_URL),
  redis: Boolean(REDIS_URL),
  upstash: Boolean(REDIS_URL),
  pg: Boolean(DATABASE_URL),
  postgres: Boolean(DATABASE_URL),
  pglite: true,
  libsql: true,
  mysql2: Boolean(MYSQL_URL),
  sqlite: isBuiltin("node:sqlite"),
  nats: Boolean(NATS_URL),
  etcd: Boolean(ETCD_URL),
  dynamodb: Boolean(DYNAMODB_URL),
  drizzle: true,
  express: true,
  fastify: true,
  hono: true,
  opentelemetry: true,
  trpc: true,
  arktype: true,
  zod: true,
  valibot: true,
  honovalidator: true,
  hookform: true,
  t3env: true,
};

/** The examples of one page build on each other, and those of the other listen on a fixed port: they were run by hand. */
const left = ["docs/databases.md", "docs/frameworks.md"];

const examples = [...sources, ...pages.filter((page) => !left.includes(page))]
  .flatMap(examplesOf)
  .filter(({ client }) => client in clients);

describe("examples that need a client", () => {
  let upstash: Bridge | undefined;
  beforeAll(async () => {
    if (!REDIS_URL) return;
    await makeKnown(REDIS_URL, { namespace: "orders", preset: "twitter" });
    upstash = await bridge(REDIS_URL);
    process.env.UPSTASH_REDIS_REST_URL = upstash.url;
    process.env.UPSTASH_REDIS_REST_TOKEN = upstash.token;
  });
  beforeAll(async () => {
    if (!DYNAMODB_URL) return;
    Object.assign(process.env, dynamoDBVariables(DYNAMODB_URL));
    await createTable(new DynamoDBClient(), "bitflake");
  });
  afterAll(() => upstash?.close());

  test("are found, for every client", () => {
    expect(new Set(examples.map(({ client }) => client))).toEqual(new Set(Object.keys(clients)));
  });

  test("compile", () => {
    // A folder below node_modules, where the compiler finds the clients.
    const folder = fileURLToPath(new URL("node_modules/.bitflake/examples", import.meta.url));
    mkdirSync(folder, { recursive: true });
    const typeRoot = fileURLToPath(new URL("node_modules/@types", import.meta.url));
    expect(diagnostics(examples, folder, { lib: "lib.es2023.d.ts", typeRoot })).toEqual({});
  });

  for (const { name, client, code } of examples) {
    const example = () => run(code, packages);
    const isPostgres = client === "pg" || client === "postgres";
    test.skipIf(!clients[client])(name, () => (isPostgres ? inOwnDatabase(example) : example()));
  }
});

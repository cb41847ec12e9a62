// Conformance harness: opens every store in one way, so that each feature's suite runs on all of them.
//
// Each feature has one conformance suite (lease, counter, idempotency, ratelimit and numeric.test.ts), which runs once per
// store of `stores()`. To add an engine:
// 1. Write `<engine>-clients.ts`: for each client of the engine its name, and an `open` that returns a port and `close`.
// 2. Start its server in servers.ts and globalSetup.ts, and put its address into an environment variable.
// 3. Add the engine to `engines` below, and what `clean` deletes.
// All suites then run on it. A feature that does not support the engine filters it out by `engine`.

import { type Backend, type CellPort, type Feature, memory, setup } from "bitflake/backend";
import { afterAll, beforeAll } from "vitest";
import { isMysqlPort } from "../../src/backend/ports.ts";
import { memoryCells } from "../support/memoryCells.ts";
import { bunRedisAdapters, bunSqlAdapters } from "./bun-clients.ts";
import { denoKvAdapter, dynamoDBAdapter, etcdAdapter, natsAdapters } from "./cell-clients.ts";
import { d1Adapter, durableObjectAdapters } from "./cloudflare-clients.ts";
import { libsqlAdapter } from "./libsql-clients.ts";
import { miniflareHere } from "./miniflare-here.ts";
import { mysqlAdapters } from "./mysql-clients.ts";
import { pgliteAdapter, postgresAdapters } from "./postgres-clients.ts";
import { redisAdapters } from "./redis-clients.ts";
import { sqliteAdapters } from "./sqlite-clients.ts";

/** An open connection to a store. */
export interface Connection {
  readonly port: Backend;
  close(): unknown;
}

/** A client of an engine. */
interface Client {
  readonly name: string;
  open(address: string, settings: { readonly prefix: string }): Connection | Promise<Connection>;
}

/** Memory that only has compare-and-set. Its clock is this process's. */
const memoryCellsClient: Client = {
  name: "cells in memory",
  open: () => ({ port: memoryCells(Date.now), close: () => {} }),
};

const memoryClient: Client = { name: "memory", open: () => ({ port: memory(), close: () => {} }) };

/** The engines, each with its clients. The first client is the engine's representative. */
const engines = [
  { engine: "memory", address: () => ":memory:", clients: [memoryClient] },
  { engine: "cells", address: () => ":memory:", clients: [memoryCellsClient] },
  { engine: "redis", address: () => process.env.REDIS_URL, clients: [...redisAdapters, ...bunRedisAdapters] },
  {
    engine: "postgres",
    address: () => process.env.DATABASE_URL,
    clients: [...postgresAdapters, ...bunSqlAdapters],
  },
  { engine: "pglite", address: () => process.env.DATABASE_URL, clients: [pgliteAdapter] },
  { engine: "mariadb", address: () => process.env.MYSQL_URL, clients: mysqlAdapters },
  { engine: "sqlite", address: () => ":memory:", clients: sqliteAdapters },
  { engine: "libsql", address: () => ":memory:", clients: [libsqlAdapter] },
  { engine: "d1", address: () => (miniflareHere ? "DB" : undefined), clients: [d1Adapter] },
  {
    engine: "durable object",
    address: () => (miniflareHere ? "cells" : undefined),
    clients: durableObjectAdapters,
  },
  { engine: "nats", address: () => process.env.NATS_URL, clients: natsAdapters },
  { engine: "etcd", address: () => process.env.ETCD_URL, clients: [etcdAdapter] },
  { engine: "dynamodb", address: () => process.env.DYNAMODB_URL, clients: [dynamoDBAdapter] },
  { engine: "denokv", address: () => process.env.DENO, clients: [denoKvAdapter] },
] as const satisfies readonly {
  readonly engine: string;
  /** The address that the clients open. Without one the engine is left out. */
  address(): string | undefined;
  readonly clients: readonly Client[];
}[];

/** Waits so long for an answer that only a store that hangs does not give it: the machine may run other tests too. */
const withLongTimeout = (connection: Connection): Connection => ({
  port: { ...connection.port, timeoutMs: 60_000 },
  close: () => connection.close(),
});

/** The engines of cells. */
export const cellEngines: readonly string[] = [
  "cells",
  "mariadb",
  "durable object",
  "nats",
  "etcd",
  "dynamodb",
  "denokv",
];

/** Those of them that have no clock. */
export const enginesWithoutClock: readonly string[] = ["nats", "etcd", "dynamodb", "denokv"];

/** Those whose calls cross a bridge to another runtime, and those whose server is emulated. */
const bridged: readonly string[] = ["d1", "durable object", "dynamodb", "denokv"];

/** A store that suites run on. */
export interface Store {
  /** The name of the client, which is unique. */
  readonly name: string;
  readonly engine: (typeof engines)[number]["engine"];
  /** Whether slow tests run on this client. They run once per engine. */
  readonly isRepresentative: boolean;
  /**
   * Returns how often a property is tested here, of the number for an engine's representative: a fifth of that on its other
   * clients, which send the same, and a quarter where each call crosses a bridge to another runtime, or the server is emulated.
   */
  runs(count: number): number;
  /** Opens the store, once per test file. It is cleaned and closed after the tests of the file. */
  open(): Promise<Backend>;
}

/**
 * Returns all stores that are available.
 *
 * @param prefix a prefix of keys and tables for one test file, because the servers may have other users
 */
export function stores(prefix: string): Store[] {
  return engines.flatMap(({ engine, address, clients }) => {
    const url = address();
    if (!url) return [];
    return clients.map((client: Client, index) => ({
      name: client.name,
      engine,
      isRepresentative: index === 0,
      runs: (count) => Math.ceil(count * (index === 0 ? 1 : 0.2) * (bridged.includes(engine) ? 0.25 : 1)),
      open: openOnce(async () => withLongTimeout(await client.open(url, { prefix }))),
    }));
  });
}

/**
 * Returns the stores on which the suite of a feature runs: all, and fewer in CI. Emulated engines of cells are left out there: a
 * feature sends them what it sends the others, and cells.test.ts holds the rules of each feature on them.
 *
 * @param clients with `"one of each engine"`, other clients of an engine are left out in CI too. They send the same, and the
 *   suite of leases runs on all of them
 */
export function featureStores(prefix: string, clients: "all" | "one of each engine" = "all"): Store[] {
  if (!process.env.CI) return stores(prefix);
  return stores(prefix).filter(
    ({ engine, isRepresentative }) =>
      !(bridged.includes(engine) && cellEngines.includes(engine)) && (clients === "all" || isRepresentative),
  );
}

/** Returns a function that opens a store at its first call. The store is cleaned and closed after the tests of the file. */
export function openOnce(open: () => Promise<Connection>): () => Promise<Backend> {
  let opened: Promise<Connection> | undefined;
  afterAll(async () => {
    const connection = await opened;
    if (!connection) return;
    await clean(connection.port);
    await connection.close();
  });
  return async () => {
    opened ??= open();
    return (await opened).port;
  };
}

/** Opens a store before the tests of a suite, with the tables of features, and cleans it after them. */
export function onStore(
  open: Store["open"],
  features: readonly Feature[],
  use: (port: Backend) => void,
): void {
  beforeAll(async () => {
    const port = await open();
    await setup(port, features);
    use(port);
  });
  afterAll(async () => clean(await open()));
}

/** Deletes all keys or tables with the port's prefix. In another store of cells they only count as absent. */
export async function clean(port: Backend): Promise<void> {
  const { prefix } = port as { readonly prefix?: string };
  if (prefix === undefined) return;
  if ("eval" in port) {
    const script =
      "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end return 'done'";
    await port.eval(script, [], [`${prefix}:*`]);
  } else if ("query" in port) {
    const tables =
      port.dialect === "postgres"
        ? "SELECT tablename AS name FROM pg_tables WHERE starts_with(tablename, $1)"
        : "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, length($1)) = $1";
    for (const { name } of await port.query(tables, [`${prefix}_`]))
      await port.query(`DROP TABLE "${name}"`, []);
  } else if (isMysqlPort(port)) {
    const start = `X'${Buffer.from(`${prefix}_`).toString("hex")}'`;
    const tables = `SELECT table_name AS name FROM information_schema.tables
WHERE table_schema = DATABASE() AND LEFT(table_name, CHAR_LENGTH(CONVERT(${start} USING utf8mb4))) = CONVERT(${start} USING utf8mb4)`;
    for (const { name } of (await port.statement(tables)).rows)
      await port.statement(`DROP TABLE IF EXISTS \`${name?.replaceAll("`", "``")}\``);
  } else if ("swap" in port && port.list) {
    // DynamoDB lists only what one name has. Its emulator is the run's own.
    const listed = await port.list(`${prefix}:`).catch((error: { code?: unknown }) => {
      if (error.code === "ERR_ARGUMENT") return [];
      throw error;
    });
    const cells = [...listed];
    const erase = async () => {
      for (let cell = cells.pop(); cell; cell = cells.pop()) await overwrite(port, cell.key, undefined);
    };
    await Promise.all(Array.from({ length: 10 }, erase));
  }
}

/** Writes a cell over any value. `undefined` deletes it, in a store in which a value that was kept for no time is gone. */
export async function overwrite(port: CellPort, key: string, value: string | undefined): Promise<void> {
  // Again, if the store has deleted an ended value meanwhile.
  for (let isWritten = false; !isWritten; ) {
    const { version } = await port.read(key);
    if (value === undefined && version === "") return;
    const keepMs = value === undefined ? 0 : undefined;
    isWritten = (await port.swap(key, version, value ?? "gone", keepMs)).swapped;
  }
}

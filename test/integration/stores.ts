// Conformance harness: opens every store in one way, so that each feature's suite runs on all of them.
//
// Each feature has one conformance suite (lease, counter, idempotency, ratelimit and numeric.test.ts), which runs once per
// store of `stores()`. To add an engine:
// 1. Write `<engine>-clients.ts`: for each client of the engine its name, and an `open` that returns a port and `close`.
// 2. Start its server in servers.ts and globalSetup.ts, and put its address into an environment variable.
// 3. Add the engine to `engines` below, and what `clean` deletes.
// All suites then run on it. A feature that does not support the engine filters it out by `engine`.

import { type Backend, type Feature, memory, setup } from "bitflake/backend";
import { afterAll, beforeAll } from "vitest";
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

const memoryClient: Client = { name: "memory", open: () => ({ port: memory(), close: () => {} }) };

/** The engines, each with its clients. The first client is the engine's representative. */
const engines = [
  { engine: "memory", address: () => ":memory:", clients: [memoryClient] },
  { engine: "redis", address: () => process.env.REDIS_URL, clients: redisAdapters },
  { engine: "postgres", address: () => process.env.DATABASE_URL, clients: postgresAdapters },
  { engine: "pglite", address: () => process.env.DATABASE_URL, clients: [pgliteAdapter] },
  { engine: "sqlite", address: () => ":memory:", clients: sqliteAdapters },
] as const satisfies readonly {
  readonly engine: string;
  /** The address that the clients open. Without one the engine is left out. */
  address(): string | undefined;
  readonly clients: readonly Client[];
}[];

/** A store that suites run on. */
export interface Store {
  /** The name of the client, which is unique. */
  readonly name: string;
  readonly engine: (typeof engines)[number]["engine"];
  /** Whether slow tests run on this client. They run once per engine. */
  readonly isRepresentative: boolean;
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
      open: openOnce(async () => client.open(url, { prefix })),
    }));
  });
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

/** Deletes all keys or tables with the port's prefix. */
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
  }
}

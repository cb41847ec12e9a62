// Every store that features run on, opened and left in the same way: memory, each client of Redis, each of SQL.

import { type Backend, type Feature, memory, setup } from "bitflake/backend";
import { afterAll, beforeAll } from "vitest";
import { pgliteAdapter, postgresAdapters } from "./postgres-clients.ts";
import { redisAdapters } from "./redis-clients.ts";
import { sqliteAdapters } from "./sqlite-clients.ts";

export interface Store {
  readonly name: string;
  open(): Promise<{ readonly port: Backend; close(): unknown }>;
}

/** @param prefix of keys and tables of one suite alone, for the servers may be the user's own */
export function stores(prefix: string): Store[] {
  const { REDIS_URL = "", DATABASE_URL = "" } = process.env;
  const sql = DATABASE_URL ? [...postgresAdapters, pgliteAdapter] : [];
  return [
    { name: "memory", open: async () => ({ port: memory(), close: () => {} }) },
    ...(REDIS_URL ? redisAdapters : []).map(({ name, open }) => ({
      name,
      open: () => open(REDIS_URL, { prefix }),
    })),
    ...sql.map(({ name, open }) => ({ name, open: () => open(DATABASE_URL, { prefix }) })),
    ...sqliteAdapters.map(({ name, open }) => ({ name, open: async () => open(":memory:", { prefix }) })),
  ];
}

/** Takes away all that a port has put into its store: what has its prefix. */
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

/** Opens a store for the tests of a suite, with what features need, and leaves it as it was. */
export function onStore(
  open: Store["open"],
  features: readonly Feature[],
  use: (port: Backend) => void,
): void {
  let opened: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    opened = await open();
    await setup(opened.port, features);
    use(opened.port);
  });
  afterAll(async () => {
    await clean(opened.port);
    await opened.close();
  });
}

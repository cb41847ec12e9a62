// Every store that features run on, opened in the same way: memory, each client of Redis, each of SQL.

import { type Backend, memory } from "bitflake/backend";
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

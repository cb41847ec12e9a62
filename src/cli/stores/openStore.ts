// Opens the store that an address names, with the client that is installed.

import { ArgumentError, type Backend, BackendError, memory } from "../../backend/index.ts";
import { CommandError, describeError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { maskedAddress, type StoreKind, storeKindOf } from "./address.ts";
import { type Connection, type ConnectionOptions, closeQuietly } from "./connection.ts";
import { openEtcd } from "./etcd.ts";
import { openMysql } from "./mysql.ts";
import { openNats } from "./nats.ts";
import { openPostgres } from "./postgres.ts";
import { openRedis } from "./redis.ts";
import { openSqlite } from "./sqlite.ts";

/** An open store. */
export interface OpenStore {
  readonly backend: Backend;
  /** Its address without credentials. */
  readonly description: string;
  /** Closes the connection. It never rejects, and takes two seconds at most. */
  close(): Promise<void>;
}

/** The pool size of a command without such a setting: such commands run one query after the other. */
const DEFAULT_POOL_SIZE = 2;

function connect(
  kind: StoreKind,
  url: string,
  io: Io,
  options: ConnectionOptions,
  createsMissing: boolean,
): Promise<Connection> {
  switch (kind) {
    case "redis":
      return openRedis(url, io, options);
    case "postgres":
      return openPostgres(url, io, options);
    case "mysql":
      return openMysql(url, io, options);
    case "nats":
      return openNats(url, io, options, createsMissing);
    case "etcd":
      return openEtcd(url, options);
    case "sqlite":
      return openSqlite(url.slice("sqlite:".length), io, options, createsMissing);
    case "memory":
      return Promise.resolve({ backend: memory(), close: () => {} });
  }
}

/** The context of a command that has the settings of a store. */
interface StoreContext {
  readonly values: {
    readonly storePrefix: string;
    readonly storeTimeoutMs: number;
    readonly storePoolSize?: number;
  };
  readonly sources: Readonly<Record<string, string>>;
  readonly io: Io;
}

/**
 * Opens a store, and asserts that it answers.
 *
 * @param options.setting the setting that has the address, default `store`
 * @param options.createsMissing whether a missing file or bucket is created, default true
 * @throws {@link UsageError} if the address names no store, or the prefix cannot be part of a name
 * @throws {@link CommandError} if no client is installed
 * @throws {@link BackendError} if the store is down
 */
export async function openStore(
  url: string,
  { values, sources, io }: StoreContext,
  options: { readonly setting?: "store" | "poolStore"; readonly createsMissing?: boolean } = {},
): Promise<OpenStore> {
  const { setting = "store", createsMissing = true } = options;
  const kind = storeKindOf(url, sources[setting]);
  const description = maskedAddress(url);
  const { storePrefix, storeTimeoutMs, storePoolSize = DEFAULT_POOL_SIZE } = values;
  const connection = { prefix: storePrefix, timeoutMs: storeTimeoutMs, poolSize: storePoolSize };
  try {
    const { backend, close } = await connect(kind, url, io, connection, createsMissing);
    return { backend, description, close: () => closeQuietly({ close }) };
  } catch (cause) {
    if (cause instanceof CommandError || cause instanceof UsageError) throw cause;
    if (cause instanceof ArgumentError) {
      throw new UsageError(`${sources["storePrefix"]} must be ${cause.rule}, got ${cause.value}`, cause.code);
    }
    throw new BackendError(description, "failed", describeError(cause).message, { cause });
  }
}

// Opens the store that an address names, with whichever client is installed.

import { ArgumentError, type Backend, BackendError, memory } from "../../backend/index.ts";
import { CommandError, describeError, maskAddress, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { openPostgres } from "./postgres.ts";
import { type Connection, closeQuietly } from "./reconnectingClient.ts";
import { openRedis, redisDatabase } from "./redis.ts";
import { openSqlite } from "./sqlite.ts";

/** What kinds of stores there are. */
export type StoreKind = "redis" | "postgres" | "sqlite" | "memory";

/** A store that is open. */
export interface OpenStore {
  readonly backend: Backend;
  /** Its address, without a password. */
  readonly description: string;
  /** Ends the connection. It never rejects, and takes two seconds at most. */
  close(): Promise<void>;
}

/** The setting of a store. */
export const STORE_FLAG = {
  kind: "text",
  placeholder: "URL",
  env: "BITFLAKE_STORE",
  required: true,
  description: "redis://..., rediss://..., postgres://..., sqlite:PATH or memory:",
} as const;

/** The settings of how a store is used. */
export const STORE_SETTINGS = {
  storePrefix: {
    kind: "text",
    placeholder: "NAME",
    env: "BITFLAKE_STORE_PREFIX",
    default: "bitflake",
    description: "what the names of its tables or keys begin with",
  },
  storeTimeoutMs: {
    kind: "integer",
    min: 1,
    max: 2_147_000_000,
    env: "BITFLAKE_STORE_TIMEOUT_MS",
    default: 4000,
    description: "how long to wait for the store, in milliseconds, before a new connection is tried",
  },
} as const;

/** How a store is used. */
export interface ConnectionOptions {
  readonly prefix: string;
  readonly timeoutMs: number;
  /** How many connections there are at most, where there can be several. */
  readonly poolSize: number;
}

/** How many connections to a PostgreSQL a command has that cannot be told: one step follows the other. */
const POOL_SIZE = 2;

const KINDS: Readonly<Record<string, StoreKind>> = {
  redis: "redis",
  rediss: "redis",
  postgres: "postgres",
  postgresql: "postgres",
  sqlite: "sqlite",
  memory: "memory",
};

/**
 * What kind of store an address names.
 *
 * @param source what the address is called where it was said. The address itself is never shown: it may hold a password
 * @throws {@link UsageError} if it names none
 */
export function storeKindOf(url: string, source = "--store"): StoreKind {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? [];
  const kind = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined;
  const forms = "redis://..., rediss://..., postgres://..., postgresql://..., sqlite:PATH or memory:";
  if (!kind) {
    const got = scheme
      ? `one that begins with ${JSON.stringify(`${scheme.slice(0, 30)}:`)}`
      : "one without a scheme";
    throw new UsageError(`${source} must be ${forms}, got ${got}`);
  }
  if (kind === "sqlite" && (rest === "" || rest.startsWith("//"))) {
    throw new UsageError(
      `${source} must be sqlite: and a path, as in sqlite:ids.db or sqlite:/var/lib/ids.db`,
    );
  }
  if ((kind === "redis" || kind === "postgres") && !rest.startsWith("//")) {
    throw new UsageError(`${source} must be ${scheme}:// and a host, as in ${scheme}://127.0.0.1`);
  }
  if (kind === "redis" && !/^\d{0,9}$/.test(redisDatabase(url))) {
    throw new UsageError(
      `${source} must end with the number of a database, if with any, as in ${scheme}://127.0.0.1:6379/0`,
    );
  }
  if (kind === "memory" && rest !== "")
    throw new UsageError(`${source} must be memory: and nothing after it`);
  return kind;
}

/** An address without what nobody else should see. */
function maskedAddress(url: string): string {
  // Whatever comes after a question mark may be a secret too.
  return maskAddress(url).replace(/[?#].*$/s, "");
}

/** Connects to a store of a kind. */
function connect(
  kind: StoreKind,
  url: string,
  io: Io,
  settings: ConnectionOptions,
  isNew: boolean,
): Promise<Connection> {
  switch (kind) {
    case "redis":
      return openRedis(url, io, settings);
    case "postgres":
      return openPostgres(url, io, settings);
    case "sqlite":
      return openSqlite(url.slice("sqlite:".length), io, settings, isNew);
    case "memory":
      return Promise.resolve({ backend: memory(), close: () => {} });
  }
}

/** The settings of a command that says how its store is used. */
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
 * Opens a store, and makes sure that it answers.
 *
 * @param options.setting which setting of the command has the address, default `store`
 * @param options.isNew whether a file that is missing is made, default true
 * @throws {@link UsageError} if the address names no store, or the prefix cannot be part of a name
 * @throws {@link Failure} if no client is installed
 * @throws {@link BackendError} if the store is down
 */
export async function openStore(
  url: string,
  { values, sources, io }: StoreContext,
  options: { readonly setting?: "store" | "poolStore"; readonly isNew?: boolean } = {},
): Promise<OpenStore> {
  const { setting = "store", isNew = true } = options;
  const kind = storeKindOf(url, sources[setting]);
  const description = maskedAddress(url);
  const { storePrefix, storeTimeoutMs, storePoolSize = POOL_SIZE } = values;
  const settings = { prefix: storePrefix, timeoutMs: storeTimeoutMs, poolSize: storePoolSize };
  try {
    const { backend, close } = await connect(kind, url, io, settings, isNew);
    return {
      backend,
      description,
      close: () => closeQuietly({ close }),
    };
  } catch (cause) {
    if (cause instanceof CommandError || cause instanceof UsageError) throw cause;
    if (cause instanceof ArgumentError) {
      throw new UsageError(`${sources["storePrefix"]} must be ${cause.rule}, got ${cause.value}`, cause.code);
    }
    throw new BackendError(description, "failed", describeError(cause).message, { cause });
  }
}

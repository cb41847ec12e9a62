// Adapters for Cloudflare Durable Objects: within an object, and from a Worker by RPC.

import { assertFunction, freshToken } from "../../internal.ts";
import { makeCleaner } from "../expiry.ts";
import { resolvePortSettings } from "../portSettings.ts";
import type { Cell, CellPort, ListedCell, PortSettings, SwapResult } from "../ports.ts";

/** The storage of a Durable Object within a transaction: the methods that the adapter calls. */
export interface DurableObjectTransactionClient {
  /** Reads a key. */
  get(key: string): Promise<unknown>;
  /** Writes a key. */
  put(key: string, value: unknown): Promise<void>;
  /** Deletes keys, at most 128. */
  delete(keys: string[]): Promise<number>;
  /** Reads keys in their order. */
  list(options: { prefix: string; startAfter?: string; limit?: number }): Promise<Map<string, unknown>>;
}

/** The storage of a Durable Object: the methods that the adapter calls. */
export interface DurableObjectStorageClient extends DurableObjectTransactionClient {
  /** Runs a function as one atomic step. */
  transaction<T>(run: (storage: DurableObjectTransactionClient) => Promise<T>): Promise<T>;
}

/** A stub of a Durable Object whose class has these methods. Each calls the method of a port from {@link fromDurableObject}. */
export interface DurableObjectStubClient {
  /** Reads the cell of a key. */
  read(key: string): PromiseLike<Cell>;
  /** Writes a value if the key still has a version. */
  swap(key: string, version: string, value: string, keepMs?: number): PromiseLike<SwapResult>;
  /** Lists the cells whose keys begin with a prefix. */
  list(prefix: string): PromiseLike<readonly ListedCell[]>;
}

/** How many keys one call of `delete` takes. */
const MOST_DELETED = 128;

/** A value of the storage. */
interface Entry {
  readonly value: string;
  readonly version: string;
  /** When it may be deleted, in milliseconds since 1970. */
  readonly ends: number;
}

function cellOf(entry: Entry | undefined, nowMs: number): Cell {
  const { value, version } = entry && entry.ends > nowMs ? entry : { value: undefined, version: "" };
  return { value, version, nowMs };
}

/**
 * Creates a port from the storage of a Durable Object, for use within the object. Its clock is the object's `Date.now()`.
 *
 * @param storage the object's storage, `ctx.storage`. It may hold other keys too
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the storage or an option is invalid
 *
 * @example
 * ```ts cloudflare
 * import { DurableObject } from "cloudflare:workers";
 * import { fromDurableObject } from "bitflake/backend";
 *
 * export class Cells extends DurableObject {
 *   #port = fromDurableObject(this.ctx.storage);
 *   read(key: string) {
 *     return this.#port.read(key);
 *   }
 *   swap(key: string, version: string, value: string, keepMs?: number) {
 *     return this.#port.swap(key, version, value, keepMs);
 *   }
 *   list(prefix: string) {
 *     return this.#port.list(prefix);
 *   }
 * }
 * ```
 */
export function fromDurableObject(
  storage: DurableObjectStorageClient,
  options: PortSettings = {},
): CellPort & Required<Pick<CellPort, "list">> {
  const settings = resolvePortSettings(storage, "transaction", options);
  const port: ReturnType<typeof fromDurableObject> = {
    ...settings,
    async read(key) {
      return cellOf((await storage.get(key)) as Entry | undefined, Date.now());
    },
    swap(key, version, value, keepMs = Infinity) {
      clean();
      return storage.transaction(async (storage) => {
        const cell = cellOf((await storage.get(key)) as Entry | undefined, Date.now());
        if (cell.version !== version) return { ...cell, swapped: false };
        const nowMs = Date.now();
        const entry: Entry = { value, version: freshToken(), ends: nowMs + keepMs };
        await storage.put(key, entry);
        return { value, version: entry.version, nowMs, swapped: true };
      });
    },
    async list(prefix) {
      const found = (await storage.list({ prefix })) as Map<string, Entry>;
      const nowMs = Date.now();
      return [...found]
        .map(([key, entry]) => ({ key, ...cellOf(entry, nowMs) }))
        .filter(({ version }) => version !== "");
    },
  };
  // The storage has no order by `ends`: each cleanup looks at the next keys, and begins again at the end.
  let after: string | undefined;
  const clean = makeCleaner(port, "cells: clean", (rows) =>
    storage.transaction(async (storage) => {
      const range = { prefix: `${settings.prefix}:`, limit: rows };
      const found = await storage.list(after === undefined ? range : { ...range, startAfter: after });
      const keys = [...found.keys()];
      after = keys.length < rows ? undefined : keys.at(-1);
      const nowMs = Date.now();
      const ended = keys.filter((key) => ((found.get(key) as Entry).ends ?? Infinity) <= nowMs);
      for (let at = 0; at < ended.length; at += MOST_DELETED)
        await storage.delete(ended.slice(at, at + MOST_DELETED));
    }),
  );
  return port;
}

/**
 * Creates a port from a stub of a Durable Object that has the methods of {@link fromDurableObject}'s example, for use in a
 * Worker. Each call is one request to the object.
 *
 * @param stub returns the stub, for each call anew, because a stub is broken after some errors
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if `stub` is not a function, or an option is invalid
 *
 * @example
 * ```ts cloudflare
 * import { fromDurableObjectStub, type DurableObjectStubClient } from "bitflake/backend";
 * import { RateLimit } from "bitflake/ratelimit";
 *
 * interface Env {
 *   CELLS: { getByName(name: string): DurableObjectStubClient };
 * }
 * export default {
 *   async fetch(request: Request, env: Env) {
 *     const backend = fromDurableObjectStub(() => env.CELLS.getByName("limits"));
 *     const limiter = new RateLimit({ backend, name: "api", limit: 100, windowMs: 60_000 });
 *     const { allowed } = await limiter.limit(request.headers.get("cf-connecting-ip") ?? "");
 *     return new Response(null, { status: allowed ? 200 : 429 });
 *   },
 * };
 * ```
 */
export function fromDurableObjectStub(
  stub: () => DurableObjectStubClient,
  options: PortSettings = {},
): CellPort {
  assertFunction("stub", stub);
  return {
    ...resolvePortSettings({ stub }, "stub", options),
    // `await`, because an RPC promise is more than a promise.
    read: async (key) => await stub().read(key),
    swap: async (key, version, value, keepMs) => await stub().swap(key, version, value, keepMs),
    list: async (prefix) => await stub().list(prefix),
  };
}

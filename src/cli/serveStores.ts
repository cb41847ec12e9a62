// The stores that the service is to work on: one for everything, or a second one for pools.

import type { Call } from "./command.ts";
import { UsageError } from "./failure.ts";
import type { SERVE_SETTINGS } from "./serveSettings.ts";
import { kindOf, type OpenStore, openStore, type StoreKind } from "./store.ts";
import { runtimeSqlite } from "./storeSqlite.ts";
import type { World } from "./world.ts";

/** A call of `bitflake serve`. */
export type ServeCall = Call<typeof SERVE_SETTINGS>;

/** The stores, open. */
interface ServeStores {
  /** What kind of store it is that everything is kept in, but perhaps pools. */
  readonly kind: StoreKind;
  readonly store: OpenStore;
  readonly poolStore: OpenStore | undefined;
  /** Closes both. */
  close(): Promise<unknown>;
}

/** Where nobody says which store: one that needs no server. */
async function embedded(world: World): Promise<string> {
  return (await runtimeSqlite(world)) ? "sqlite:bitflake.db" : "memory:";
}

/**
 * Opens the stores.
 *
 * @param hasTypes whether there are to be pools
 */
export async function openStores(
  { values, sources, world }: ServeCall,
  hasTypes: boolean,
): Promise<ServeStores> {
  const url = values.store ?? (await embedded(world));
  const { poolStore: poolUrl } = values;
  const kind = kindOf(url, sources["store"]);
  const poolKind = poolUrl === undefined ? kind : kindOf(poolUrl, sources["poolStore"]);
  if (poolKind === "redis" && (hasTypes || poolUrl !== undefined)) {
    const why = "numeric IDs are kept in postgres://..., sqlite:PATH or memory:, and a Redis keeps none";
    throw new UsageError(`${sources["poolStore"]} must name a store of its own: ${why}`);
  }
  const store = await openStore(url, world, { source: sources["store"] });
  if (poolUrl === undefined) return { kind, store, poolStore: undefined, close: () => store.close() };
  try {
    const poolStore = await openStore(poolUrl, world, { source: sources["poolStore"] });
    return { kind, store, poolStore, close: () => Promise.all([store.close(), poolStore.close()]) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

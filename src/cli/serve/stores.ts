// The stores of the service: one for everything, or others for pools and leases.

import type { Backend } from "../../backend/index.ts";
import { isLoopback } from "../../service/requestGuard.ts";
import type { CommandContext } from "../command.ts";
import { UsageError } from "../errors.ts";
import { assertKeepsPools } from "../flags/poolFlags.ts";
import { type Io, nodeModule, pathFrom } from "../io.ts";
import { stateFolder } from "../state/folder.ts";
import { nodeRegistry, type Shape } from "../state/nodeRegistry.ts";
import { isSharedKind, type StoreKind, storeKindOf } from "../stores/address.ts";
import { type OpenStore, openStore } from "../stores/openStore.ts";
import { hasSqlite } from "../stores/sqlite.ts";
import type { SERVE_SETTINGS } from "./settings.ts";

/** The context of `bitflake serve`. */
export type ServeContext = CommandContext<typeof SERVE_SETTINGS>;

/** The open stores of a service. */
export interface ServeStores {
  /** The kind of `store`. */
  readonly kind: StoreKind;
  /** The store of everything except, possibly, pools and leases. */
  readonly store: OpenStore;
  readonly poolStore: OpenStore | undefined;
  /** The state folder's leases, if nodes are not leased from the store. */
  readonly leaseBackend: Backend | undefined;
  close(): Promise<unknown>;
}

/** The database in the current folder that a service without `--store` continues to use if it exists. */
const LOCAL_DATABASE = "bitflake.db";

/** Returns the address of the store of a service without `--store`: one that needs no server. */
async function defaultStoreUrl(io: Io): Promise<string> {
  if (!(await hasSqlite(io))) return "memory:";
  const { access } = await nodeModule(io, "node:fs/promises");
  const isLocal = await access(await pathFrom(io, LOCAL_DATABASE)).then(
    () => true,
    () => false,
  );
  // Only this file has the numeric IDs that the service issued from it.
  if (isLocal) return `sqlite:${LOCAL_DATABASE}`;
  return `sqlite:${await pathFrom(io, LOCAL_DATABASE, await stateFolder(io))}`;
}

/**
 * Asserts that no other service can have this service's node. A service that other machines reach has peers on other machines
 * or in other containers, and a store of this machine alone has no record of their nodes.
 *
 * @throws {@link UsageError} if one can
 */
function assertUniqueNode({ values, sources }: ServeContext, kind: StoreKind): void {
  const { host, machineId } = values;
  if (isLoopback(host) || isSharedKind(kind) || machineId !== undefined) return;
  throw new UsageError(
    `${sources["host"]} ${host} requires a store that all such services share (--store redis://..., postgres://... or another server), or a node that no other service has (--machine-id): otherwise another service can repeat its IDs`,
  );
}

/**
 * Asserts that the layout has nodes to lease, or that the user gives the node.
 *
 * @throws {@link UsageError} if not
 */
function assertSeveralNodes({ values, sources }: ServeContext, { layout }: Shape): void {
  if (values.machineId !== undefined || layout.datacenterBits + layout.machineBits > 0) return;
  throw new UsageError(
    `${sources["preset"]} ${values.preset} has only one node, so two services would repeat each other's IDs: pass --machine-id 0 if this is the only service`,
  );
}

/**
 * Asserts that workers can share a store, and that each can have a node of its own: a worker and its successor serve at the same
 * time for a while.
 *
 * @throws {@link UsageError} if not
 */
function assertSharedByWorkers({ values, sources }: ServeContext, kinds: readonly StoreKind[]): void {
  const { workers, machineId } = values;
  if (workers === undefined) return;
  if (machineId !== undefined) {
    throw new UsageError(
      `${sources["workers"]} requires leased nodes, and ${sources["machineId"]} gives one`,
    );
  }
  if (kinds.includes("memory")) {
    throw new UsageError(
      `${sources["workers"]} requires a store that processes share, such as sqlite:ids.db, got memory:`,
    );
  }
}

/**
 * Asserts that the store of pools can keep them, if there are any.
 *
 * @param url the address of the store
 * @throws {@link UsageError} if it cannot
 */
function assertPoolStore({ values, sources }: ServeContext, url: string, hasTypes: boolean): void {
  const { poolStore } = values;
  // A pool store without types is not used, and still a mistake if it could not be.
  if (poolStore !== undefined) assertKeepsPools(poolStore, sources["poolStore"]);
  else if (hasTypes) assertKeepsPools(url, sources["store"], "; or set --pool-store");
}

/**
 * Opens the stores.
 *
 * @param hasTypes whether the service has pools
 * @param shape the shape of the Snowflake IDs
 */
export async function openStores(
  context: ServeContext,
  hasTypes: boolean,
  shape: Shape,
): Promise<ServeStores> {
  const { values, sources, io } = context;
  const { poolStore: poolUrl, store: given, machineId, datacenterId } = values;
  assertSeveralNodes(context, shape);
  if (given === undefined) assertUniqueNode(context, "sqlite");
  const url = given ?? (await defaultStoreUrl(io));
  const kind = storeKindOf(url, sources["store"]);
  assertUniqueNode(context, kind);
  const poolKinds = poolUrl === undefined ? [] : [storeKindOf(poolUrl, sources["poolStore"])];
  assertSharedByWorkers(context, [kind, ...poolKinds]);
  assertPoolStore(context, url, hasTypes);
  // The default store and a store in memory may have no record of all services on this machine.
  const leasesFromStateFolder = given === undefined || kind === "memory";
  if (leasesFromStateFolder && datacenterId !== undefined && machineId === undefined) {
    throw new UsageError(
      `${sources["datacenterId"]} requires --machine-id, or a --store that leases the machine`,
    );
  }
  const leaseBackend =
    leasesFromStateFolder && machineId === undefined ? await nodeRegistry(io, shape) : undefined;
  const store = await openStore(url, context);
  const stores = { kind, store, leaseBackend };
  if (poolUrl === undefined) return { ...stores, poolStore: undefined, close: () => store.close() };
  try {
    const poolStore = await openStore(poolUrl, context, { setting: "poolStore" });
    return { ...stores, poolStore, close: () => Promise.all([store.close(), poolStore.close()]) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

// The stores that the service works on: one for everything, or others for pools and leases.

import type { Backend } from "../../backend/index.ts";
import { isLoopback } from "../../service/loopbackGuard.ts";
import type { CommandContext } from "../defineCommand.ts";
import { UsageError } from "../errors.ts";
import { type Io, nodeModule, pathFrom } from "../io.ts";
import { stateFolder } from "../state/folder.ts";
import { nodeRegistry, type Shape } from "../state/nodeRegistry.ts";
import { type OpenStore, openStore, type StoreKind, storeKindOf } from "../stores/openStore.ts";
import { hasSqlite } from "../stores/sqlite.ts";
import type { SERVE_SETTINGS } from "./settings.ts";

/** A call of `bitflake serve`. */
export type ServeContext = CommandContext<typeof SERVE_SETTINGS>;

/** The stores, open. */
export interface ServeStores {
  /** What kind of store it is that everything is kept in, but perhaps pools and leases. */
  readonly kind: StoreKind;
  readonly store: OpenStore;
  readonly poolStore: OpenStore | undefined;
  /** Where nodes are leased, if not in the store: in the state folder. */
  readonly leaseBackend: Backend | undefined;
  /** Closes them. */
  close(): Promise<unknown>;
}

/** The file in the folder of the call that a service without `--store` goes on with, where it is there. */
const LOCAL_DATABASE = "bitflake.db";

/** The store of a service that was told none: one that needs no server. */
async function defaultStoreUrl(io: Io): Promise<string> {
  if (!(await hasSqlite(io))) return "memory:";
  const { access } = await nodeModule(io, "node:fs/promises");
  // The numeric IDs that it has issued are in no other file.
  if (
    await access(await pathFrom(io, LOCAL_DATABASE)).then(
      () => true,
      () => false,
    )
  ) {
    return `sqlite:${LOCAL_DATABASE}`;
  }
  return `sqlite:${await pathFrom(io, LOCAL_DATABASE, await stateFolder(io))}`;
}

/**
 * Refuses a service that others reach and whose node others can have too. Where it is reached from elsewhere, there are
 * other machines and containers, and a store of this machine alone tells it nothing of them.
 */
function assertUniqueNode({ values, sources }: ServeContext, kind: StoreKind): void {
  const { host, machineId } = values;
  if (isLoopback(host) || kind === "redis" || kind === "postgres" || machineId !== undefined) return;
  throw new UsageError(
    `${sources["host"]} ${host} needs a store that all such services share (--store redis://... or postgres://...), or a node that no other has (--machine-id): another service like it would repeat its IDs`,
  );
}

/** Refuses a layout in which there are no nodes to lease. */
function assertSeveralNodes({ values, sources }: ServeContext, { layout }: Shape): void {
  if (values.machineId !== undefined || layout.datacenterBits + layout.machineBits > 0) return;
  throw new UsageError(
    `${sources["preset"]} ${values.preset} has one node, so two services would repeat each other's IDs: say by --machine-id 0 that this is the only one`,
  );
}

/**
 * Opens the stores.
 *
 * @param hasTypes whether there are to be pools
 * @param shape of the Snowflake IDs
 */
export async function openStores(call: ServeContext, hasTypes: boolean, shape: Shape): Promise<ServeStores> {
  const { values, sources, io } = call;
  const { poolStore: poolUrl, store: given, machineId } = values;
  assertSeveralNodes(call, shape);
  if (given === undefined) assertUniqueNode(call, "sqlite");
  const url = given ?? (await defaultStoreUrl(io));
  const kind = storeKindOf(url, sources["store"]);
  assertUniqueNode(call, kind);
  const poolKind = poolUrl === undefined ? kind : storeKindOf(poolUrl, sources["poolStore"]);
  if (poolKind === "redis" && (hasTypes || poolUrl !== undefined)) {
    const why = "numeric IDs are kept in postgres://..., sqlite:PATH or memory:, and a Redis keeps none";
    throw new UsageError(`${sources["poolStore"]} must name a store of its own: ${why}`);
  }
  if (
    values.datacenterId !== undefined &&
    machineId === undefined &&
    (given === undefined || kind === "memory")
  ) {
    throw new UsageError(
      `${sources["datacenterId"]} needs --machine-id beside it, or a --store to lease a machine from`,
    );
  }
  // A store that nobody named, or that this process alone has, knows nothing of the others on this machine.
  const isAlone = given === undefined || kind === "memory";
  const leaseBackend = isAlone && machineId === undefined ? await nodeRegistry(io, shape) : undefined;
  const store = await openStore(url, call);
  const stores = { kind, store, leaseBackend };
  if (poolUrl === undefined) return { ...stores, poolStore: undefined, close: () => store.close() };
  try {
    const poolStore = await openStore(poolUrl, call, { setting: "poolStore" });
    return { ...stores, poolStore, close: () => Promise.all([store.close(), poolStore.close()]) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

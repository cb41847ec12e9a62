// What a service works with: made at the start, given back at the end.

import { startTimer } from "../backend/call.ts";
import { type Feature, setup } from "../backend/index.ts";
import { Counter } from "../counter/index.ts";
import {
  LeaseFenceError,
  makeGenerator,
  NoNodeAvailableError,
  type SnowflakeGenerator,
} from "../internal.ts";
import { type Lease, leaseNode } from "../lease/index.ts";
import { IdPool } from "../numeric/index.ts";
import type { ServiceSettings } from "./settings.ts";

/** How long an issue waits for a refill, in milliseconds: a client would rather come again than hang. */
const POOL_WAIT_MS = 2000;

/** How long the start waits for a node, in milliseconds: those of a version before give theirs back. */
const NODE_WAIT_MS = 5000;

/** How soon the start asks again for a node that it did not get, in milliseconds. */
const NODE_PAUSE_MS = 250;

/** All of it. */
export interface Resources {
  readonly generator: SnowflakeGenerator;
  /** How many IDs it makes in a second. */
  readonly idsPerSecond: number;
  /** Missing where the node is given. */
  readonly lease: Lease | undefined;
  readonly counter: Counter;
  readonly pools: Readonly<Record<string, IdPool>>;
  /** Resolves when the pools are filled, or when that has failed or was stopped. */
  readonly filled: Promise<unknown>;
}

/** Called when a pool could not be refilled. */
type OnRefillFailed = (type: string, error: unknown) => void;

/** What the start tells, and asks. */
interface StartHooks {
  /** Called when the pools could not be filled at once. */
  readonly onRefillFailed: OnRefillFailed;
  /** Called once if the store may have forgotten leases, so that the start waits until those have ended. */
  readonly onFenced: (error: LeaseFenceError) => void;
  /** Whether the service is being stopped, so that the start is to give up. */
  readonly isStopping: () => boolean;
}

/** Makes the tables that are missing. */
async function createTables(settings: ServiceSettings): Promise<void> {
  const { backend, poolBackend, leaseBackend, types, limiter, node } = settings;
  const features: Feature[] = ["counter"];
  if (limiter) features.push("ratelimit");
  await setup(backend, features);
  if (node.machineId === undefined) await setup(leaseBackend, ["lease"]);
  // The counter there is what probes of its health write.
  if (Object.keys(types).length > 0) await setup(poolBackend, ["numeric", "counter"]);
}

/** Makes the pools; pools on a Redis are refused here, before anything is asked of a store. */
export function createPools(
  { poolBackend, types }: ServiceSettings,
  onRefillFailed: OnRefillFailed,
): Readonly<Record<string, IdPool>> {
  const pools: Record<string, IdPool> = Object.create(null);
  for (const [name, type] of Object.entries(types)) {
    pools[name] = new IdPool({
      backend: poolBackend,
      type,
      waitMs: POOL_WAIT_MS,
      onRefillFailed: (error) => onRefillFailed(name, error),
    });
  }
  return pools;
}

/** Leases a node. It waits for one that is given back soon, and until leases that the store may have forgotten have ended. */
async function acquireLease(
  { leaseBackend, name, preset, node: { datacenterId }, fencesLeases }: ServiceSettings,
  { onFenced, isStopping }: StartHooks,
): Promise<Lease> {
  const options = { backend: leaseBackend, preset, datacenterId, name, fence: fencesLeases };
  const deadline = performance.now() + NODE_WAIT_MS;
  let isTold = false;
  for (;;) {
    try {
      return await leaseNode({ ...options, onExpired: "reacquire" });
    } catch (error) {
      const isOnlyTaken = error instanceof NoNodeAvailableError && performance.now() < deadline;
      if (isStopping() || !(isOnlyTaken || error instanceof LeaseFenceError)) throw error;
      if (error instanceof LeaseFenceError && !isTold) {
        isTold = true;
        onFenced(error);
      }
    }
    await new Promise<void>((wake) => startTimer(wake, NODE_PAUSE_MS));
  }
}

/** Makes all of it; what it has taken when it fails, it gives back. */
export async function openResources(
  settings: ServiceSettings,
  pools: Resources["pools"],
  starting: StartHooks,
): Promise<Resources> {
  const { backend, name, preset, node, createsTables } = settings;
  if (createsTables) await createTables(settings);
  // A pool of another kind under the same name is to be known now, not by each who asks for an ID.
  await Promise.all(Object.values(pools).map((pool) => pool.status()));
  const counter = new Counter({ backend, name });
  const lease = node.machineId === undefined ? await acquireLease(settings, starting) : undefined;
  const generator = lease?.generator ?? makeGenerator(preset, node);
  // A pool that cannot be filled says so in its status, and to those who find it empty.
  const filled = Promise.all(
    Object.entries(pools).map(([type, pool]) =>
      pool.fill().catch((error) => starting.onRefillFailed(type, error)),
    ),
  );
  const { idsPerSecond } = generator.capacity();
  return { generator, idsPerSecond, lease, counter, pools, filled };
}

/** Gives back what was taken. A store that is down frees the node when the lease ends. */
export async function closeResources({ lease, pools, filled }: Resources): Promise<void> {
  const stopped = Object.values(pools).map((pool) => pool.stop());
  // A fill that is stopped asks the store once more, and its client must still be there for that.
  await Promise.all([...stopped, filled, lease?.release().catch(() => {})]);
}

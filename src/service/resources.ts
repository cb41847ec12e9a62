// The resources of a running service: generator, lease, counter and pools. Opened at the start, closed at the stop.

import { startTimer } from "../backend/call.ts";
import { type Feature, setup } from "../backend/index.ts";
import { Counter } from "../counter/index.ts";
import { publishGeneratorEvents } from "../events/index.ts";
import {
  LeaseFenceError,
  makeGenerator,
  NoNodeAvailableError,
  type SnowflakeGenerator,
} from "../internal.ts";
import { type Lease, leaseNode } from "../lease/index.ts";
import { IdPool } from "../numeric/index.ts";
import type { ServiceSettings } from "./settings.ts";

/** How long an issue waits for a refill of its pool, in milliseconds. After that a retry serves the client better. */
const POOL_WAIT_MS = 2000;

/** How many available IDs start the refill of a pool, and how many end it. */
export const POOL_MARKS = { lowMark: 1000, highMark: 6000 } as const;

/** How long the start waits for a free node, in milliseconds: the processes of an old version release theirs. */
const NODE_WAIT_MS = 5000;

/** How long the start pauses between two attempts to lease a node, in milliseconds. */
const NODE_RETRY_MS = 250;

export interface Resources {
  readonly generator: SnowflakeGenerator;
  /** The generator's capacity. */
  readonly idsPerSecond: number;
  /** Missing if the node is configured. */
  readonly lease: Lease | undefined;
  readonly counter: Counter;
  readonly pools: Readonly<Record<string, IdPool>>;
  /** Resolves when the first fill of the pools has succeeded, failed or was stopped. */
  readonly filled: Promise<unknown>;
}

/** Called when a pool could not be refilled. */
type OnRefillFailed = (type: string, error: unknown) => void;

/** How the start talks to the lifecycle. */
export interface StartHooks {
  readonly onRefillFailed: OnRefillFailed;
  /** Called once if the store may have forgotten leases, and the start waits until those have ended. */
  readonly onFenced: (error: LeaseFenceError) => void;
  /** Whether the service is being stopped: the start gives up. */
  readonly isStopping: () => boolean;
}

/** Creates the tables that are missing. */
async function createTables(settings: ServiceSettings): Promise<void> {
  const { backend, poolBackend, leaseBackend, types, rateLimit, node } = settings;
  const features: Feature[] = ["counter"];
  if (rateLimit) features.push("ratelimit");
  await setup(backend, features);
  if (node.machineId === undefined) await setup(leaseBackend, ["lease"]);
  // Health probes write a counter, in this store too.
  if (Object.keys(types).length > 0) await setup(poolBackend, ["numeric", "counter"]);
}

/**
 * Creates the pools without a call to the store.
 *
 * @throws {@link ArgumentError} if the store cannot keep pools, as a Redis
 */
export function createPools(
  { poolBackend, types }: ServiceSettings,
  onRefillFailed: OnRefillFailed,
): Readonly<Record<string, IdPool>> {
  const pools: Record<string, IdPool> = Object.create(null);
  for (const [name, type] of Object.entries(types)) {
    pools[name] = new IdPool({
      backend: poolBackend,
      type,
      ...POOL_MARKS,
      waitMs: POOL_WAIT_MS,
      onRefillFailed: (error) => onRefillFailed(name, error),
    });
  }
  return pools;
}

/** Leases a node. Waits {@link NODE_WAIT_MS} for a free one, and as long as a lease fence lasts. */
async function acquireLease(
  { leaseBackend, name, preset, node: { datacenterId }, holder, hasLeaseFence }: ServiceSettings,
  { onFenced, isStopping }: StartHooks,
): Promise<Lease> {
  const options = { backend: leaseBackend, preset, datacenterId, name, holder, fence: hasLeaseFence };
  const deadlineMs = performance.now() + NODE_WAIT_MS;
  let hasReportedFence = false;
  for (;;) {
    try {
      return await leaseNode({ ...options, onExpired: "reacquire" });
    } catch (error) {
      const isFenced = error instanceof LeaseFenceError;
      const mayBecomeFree = error instanceof NoNodeAvailableError && performance.now() < deadlineMs;
      if (isStopping() || !(isFenced || mayBecomeFree)) throw error;
      if (isFenced && !hasReportedFence) {
        hasReportedFence = true;
        onFenced(error);
      }
    }
    await new Promise<void>((wake) => startTimer(wake, NODE_RETRY_MS));
  }
}

/** Opens the resources of a service: creates tables, leases a node, begins to fill the pools. */
export async function openResources(
  settings: ServiceSettings,
  pools: Resources["pools"],
  hooks: StartHooks,
): Promise<Resources> {
  const { backend, name, preset, node, createsTables } = settings;
  if (createsTables) await createTables(settings);
  // A pool whose stored type differs fails the start, not each request for an ID.
  await Promise.all(Object.values(pools).map((pool) => pool.status()));
  const counter = new Counter({ backend, name });
  publishGeneratorEvents();
  const lease = node.machineId === undefined ? await acquireLease(settings, hooks) : undefined;
  const generator = lease?.generator ?? makeGenerator(preset, node);
  // A pool that cannot be filled does not fail the start: its status and its own requests say so.
  const filled = Promise.all(
    Object.entries(pools).map(([type, pool]) =>
      pool.fill().catch((error) => hooks.onRefillFailed(type, error)),
    ),
  );
  const { idsPerSecond } = generator.capacity();
  return { generator, idsPerSecond, lease, counter, pools, filled };
}

/** Stops the refills and releases the node. If the store is down, the node is free when its lease ends. */
export async function closeResources({ lease, pools, filled }: Resources): Promise<void> {
  const stopped = Object.values(pools).map((pool) => pool.stop());
  // A fill that is stopped makes one more call, so it must settle before the user closes the store's client.
  await Promise.all([...stopped, filled, lease?.release().catch(() => {})]);
}

// leaseNode: resolves the options and waits for a lease.

import { startTimer } from "../backend/call.ts";
import { publishGeneratorEvents } from "../events/index.ts";
import {
  GeneratorParts,
  type GrantedSource,
  LeaseFenceError,
  NoNodeAvailableError,
  SnowflakeGenerator,
} from "../internal.ts";
import type { SharedGenerator } from "../threads/index.ts";
import type { Lease } from "./lease.ts";
import { LeasedSource } from "./leasedSource.ts";
import { type LeaseOptions, type LeaseSettings, resolveLeaseSettings } from "./options.ts";
import { LeaseSession } from "./session.ts";

/** The longest pause between two acquires. A node that is released may be free before the `soonestMs` that the store named. */
const POLL_MS = 1000;

/**
 * Leases a node: no other process that leases a node under this `name` can make the same IDs, whatever its clock, pauses,
 * network or crashes, if the store forgets nothing: docs/stores.md has the exact promise. The lease is renewed in the
 * background, which does not keep the process alive, until it is released.
 *
 * It leases from all nodes, or, if `datacenterId` is given, from the machines of that datacenter.
 *
 * @param options see {@link LeaseOptions}; only `backend` is required
 * @returns a granted lease, with its `generator`. If the store's answer took longer than `ttlMs`, it may have ended already
 * @throws {@link NoNodeAvailableError} if all nodes are taken, and none became free within `waitMs`
 * @throws {@link LeaseFenceError} if the store restarted, failed over or is new, so that it may have forgotten leases,
 *   and they have not ended within `waitMs`
 * @throws {@link StoreCutOffError} if the store is a Redis that has lost its replicas
 * @throws {@link ClockSkewError} if the clocks of this process and the store are too far apart
 * @throws {@link NamespaceError} if the namespace is in use with another layout, epoch or tick, or with `datacenterId` given
 *   where the others lease both fields, or the reverse
 * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response
 * @throws {@link LayoutError} if the layout is invalid, or has no bits to lease or more than 32
 * @throws {@link ArgumentError} if an option is wrong or unknown, or the clock returns no finite number
 * @throws {@link EpochError} if the clock is before the epoch
 * @throws {@link TimestampOverflowError} if the clock is past the last tick that an ID can have
 * @throws {@link UnsupportedError} if the runtime has no `crypto` with random bytes, or with `threads: true` no
 *   SharedArrayBuffer
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { leaseNode } from "bitflake/lease";
 *
 * const backend = memory(); // In production, fromIORedis(…) or fromPg(…).
 * const lease = await leaseNode({ backend, name: "orders", preset: "twitter", ttlMs: 30_000 });
 * typeof lease.generator.nextId(); // => 'bigint'
 * await lease.release();
 * ```
 */
export async function leaseNode(
  options: LeaseOptions & { readonly threads: true },
): Promise<Lease<SharedGenerator>>;
export async function leaseNode(options: LeaseOptions): Promise<Lease>;
export async function leaseNode(options: LeaseOptions): Promise<Lease> {
  const settings = resolveLeaseSettings(options);
  publishGeneratorEvents();
  const { clock } = settings.generatorSettings;
  const { generator, source } = await createGenerator(settings);
  const lease = new LeaseSession(settings, generator, source);
  const deadline = performance.now() + settings.waitMs;
  for (;;) {
    try {
      await lease.acquire();
      return lease;
    } catch (error) {
      const leftMs = deadline - performance.now();
      const soonestMs = endOfRefusal(error);
      if (soonestMs === undefined || leftMs <= 0) {
        lease.abandon();
        throw error;
      }
      const pauseMs = Math.max(soonestMs - clock(), 10) * (1 + Math.random() / 4);
      await new Promise<void>((wake) => startTimer(wake, Math.min(pauseMs, POLL_MS, leftMs)));
    }
  }
}

/** Returns the time at which a refusal ends by itself; `undefined` if it does not. */
function endOfRefusal(error: unknown): number | undefined {
  if (error instanceof NoNodeAvailableError) return error.soonestMs;
  return error instanceof LeaseFenceError ? error.untilMs : undefined;
}

/** Creates a generator, and the source of its IDs, which gets the grants. */
async function createGenerator({ generatorSettings, isForThreads }: LeaseSettings): Promise<{
  generator: SnowflakeGenerator;
  source: GrantedSource;
}> {
  if (isForThreads) {
    // Loaded on demand, because most leases are for one thread.
    const { SharedGenerator } = await import("../threads/index.ts");
    return SharedGenerator.underGrants(generatorSettings);
  }
  const source = new LeasedSource(generatorSettings);
  return { generator: new SnowflakeGenerator(new GeneratorParts(generatorSettings, source)), source };
}

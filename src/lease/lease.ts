// What a lease is, to whoever holds one.

import type { AsyncDisposal } from "../asyncDispose.ts";
import type { LeaseExpiredError, SnowflakeGenerator } from "../internal.ts";

/** How a lease is. */
export interface LeaseStatus {
  /**
   * - `"held"`: the generator makes IDs, until {@link LeaseStatus.until} if no renewal succeeds.
   * - `"lost"`: the lease has ended; with `onExpired: "reacquire"`, a new one is being sought.
   * - `"released"`: it was given back.
   */
  readonly state: "held" | "lost" | "released";
  /** The namespace. */
  readonly namespace: string;
  /** The node that is leased, or was last. */
  readonly node: number;
  /** Its datacenter field. */
  readonly datacenterId: number;
  /** Its machine field. */
  readonly machineId: number;
  /** When the lease ends unless it is renewed, by this process's clock. */
  readonly until: Date;
  /** When the store last granted or renewed it. */
  readonly renewedAt: Date;
  /** How far this process's clock was ahead of the store's then, in milliseconds, with the way there counted in. */
  readonly skewMs: number;
  /** How many attempts have failed since. */
  readonly failures: number;
  /** What the last of them failed with. */
  readonly lastError: unknown;
  /** How many leases there have been: more than 1 after a `"reacquire"`. */
  readonly grants: number;
}

/**
 * A node that is leased, and the generator that stamps it. {@link leaseNode} makes it. It is renewed in the background,
 * which does not keep the process alive. Release it when the process ends, before you close the store's client; `await
 * using` releases it at the end of the block.
 */
export interface Lease<Generator extends SnowflakeGenerator = SnowflakeGenerator> extends AsyncDisposal {
  /** Makes IDs as long as the lease is held; it stays the same when another node is leased. */
  readonly generator: Generator;
  /** The node that is leased, as a number over both fields: `datacenterId * 2 ** machineBits + machineId`. */
  readonly node: number;
  /** When the lease ends unless it is renewed, by this process's clock. */
  readonly until: Date;

  /**
   * Calls back when the lease has ended although it was not given back: it could not be renewed in time, the process
   * was paused for too long, or the store has another holder. The generator makes no IDs from then on.
   *
   * @param listener gets the error that the generator throws, with what went wrong as its `cause`. It is called once
   *   per loss, and at once if the lease is lost already
   * @returns a function that takes the listener away
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { leaseNode } from "bitflake/lease";
   *
   * const lease = await leaseNode({ backend: memory() });
   * lease.onLost((error) => console.error("no more IDs from here", error));
   * await lease.release(); // Given back is not lost.
   * ```
   */
  onLost(listener: (error: LeaseExpiredError) => void): () => void;

  /**
   * Calls back for each renewal that fails while the lease is held: the store is down or slow, the clocks are too far
   * apart, or the store is cut off from its replicas. The generator goes on until the lease ends, and the renewal is
   * tried again.
   *
   * @param listener gets what the renewal failed with, as `status().lastError` has it: a {@link BackendError}, a
   *   {@link ClockSkewError} or a {@link StoreCutOffError}
   * @returns a function that takes the listener away
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { leaseNode } from "bitflake/lease";
   *
   * const lease = await leaseNode({ backend: memory() });
   * const stop = lease.onRenewalFailed((error) => console.warn("lease not renewed", error));
   * stop();
   * await lease.release();
   * ```
   */
  onRenewalFailed(listener: (error: unknown) => void): () => void;

  /**
   * Calls back when a lease that was lost has been taken again, which happens with `onExpired: "reacquire"`.
   *
   * @param listener gets the status of the new lease
   * @returns a function that takes the listener away
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { leaseNode } from "bitflake/lease";
   *
   * const lease = await leaseNode({ backend: memory(), onExpired: "reacquire" });
   * lease.onReacquired(({ node }) => console.info(`IDs again, on node ${node}`));
   * await lease.release();
   * ```
   */
  onReacquired(listener: (status: LeaseStatus) => void): () => void;

  /**
   * Says how the lease is, for logs and health checks.
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { leaseNode } from "bitflake/lease";
   *
   * const lease = await leaseNode({ backend: memory() });
   * lease.status().state; // => 'held'
   * await lease.release();
   * lease.status().state; // => 'released'
   * ```
   */
  status(): LeaseStatus;

  /**
   * Gives the node back, so that others can have it at once. The generator makes no IDs from the call on, whether or not
   * the store can be reached; if it cannot, the node is free when the lease ends, and a further call tries again.
   *
   * @throws {@link BackendError} if the store cannot be told
   */
  release(): Promise<void>;
}

// Lease: the public interface of a leased node.

import type { AsyncDisposal } from "../asyncDispose.ts";
import type { LeaseExpiredError, SnowflakeGenerator } from "../internal.ts";

/** Status of a lease. */
export interface LeaseStatus {
  /**
   * - `"held"`: the generator makes IDs, until {@link LeaseStatus.until} if no renewal succeeds.
   * - `"lost"`: the lease has ended; with `onExpired: "reacquire"`, a new one is being acquired.
   * - `"released"`: the lease was released.
   */
  readonly state: "held" | "lost" | "released";
  /** The namespace: IDs are unique among leases of one name. */
  readonly name: string;
  /**
   * The namespace: IDs are unique among leases of one name.
   *
   * @deprecated Use {@link LeaseStatus.name}.
   */
  readonly namespace: string;
  /** The leased node, or the last one. */
  readonly node: number;
  /** Its datacenter field. */
  readonly datacenterId: number;
  /** Its machine field. */
  readonly machineId: number;
  /** When the lease ends unless it is renewed, by this process's clock. After a loss: when it ended. */
  readonly until: Date;
  /** When the last request that granted or renewed it was sent. */
  readonly renewedAt: Date;
  /**
   * Whose time the store goes by: its own, or that of each process (`"client"`) because it has no clock. Without one, a
   * process whose clock is wrong is not noticed: see docs/stores.md.
   */
  readonly clock: "store" | "client";
  /**
   * How far this process's clock was ahead of the store's at `renewedAt`: its reading when it sent the request, minus the
   * store's time when it decided, in milliseconds. The time in between counts as if this clock were behind; on a store of
   * cells it is several calls in an acquire, and at most one in most renewals. If the store has no clock, `Date.now()` is its
   * time.
   */
  readonly skewMs: number;
  /** How many renewals have failed since `renewedAt`; with `"reacquire"`, attempts to acquire a new lease count too. */
  readonly failures: number;
  /** The error of the last of these failures, or the reason of the loss if that is later; `undefined` without one. */
  readonly lastError: unknown;
  /** How many leases have been granted: more than 1 after a `"reacquire"`. */
  readonly grants: number;
}

/**
 * A leased node and its generator, from {@link leaseNode}. It is renewed in the background, which does not keep the
 * process alive. Release it when the process ends, before you close the store's client; `await using` releases it at the
 * end of the block.
 */
export interface Lease<Generator extends SnowflakeGenerator = SnowflakeGenerator> extends AsyncDisposal {
  /** Issues IDs while the lease is held. It stays the same when another node is leased. */
  readonly generator: Generator;
  /** The leased node, as a number over both fields: `datacenterId * 2 ** machineBits + machineId`. */
  readonly node: number;
  /** When the lease ends unless it is renewed, by this process's clock. After a loss: when it ended. */
  readonly until: Date;

  /**
   * Adds a listener for the loss of the lease: it could not be renewed in time, the process was paused for too long, or
   * the store has another holder. The generator issues no IDs from then on.
   *
   * @param listener gets a {@link LeaseExpiredError} like those that the generator throws, with the reason as its `cause`.
   *   It is called once per loss, and at once if the lease is lost already
   * @returns a function that removes the listener
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { leaseNode } from "bitflake/lease";
   *
   * const lease = await leaseNode({ backend: memory() });
   * lease.onLost((error) => console.error("no more IDs from here", error));
   * await lease.release(); // A release is not a loss.
   * ```
   */
  onLost(listener: (error: LeaseExpiredError) => void): () => void;

  /**
   * Adds a listener for renewals that fail while the lease is held: the store is down or slow, the clocks are too far
   * apart, the store is cut off from its replicas, or the clock fails. The generator works until the lease ends, and the
   * renewal is tried again.
   *
   * @param listener gets the error of the renewal, which is `status().lastError` too: a {@link BackendError},
   *   {@link ClockSkewError} or {@link StoreCutOffError}; an {@link ArgumentError}, {@link EpochError} or an error of your
   *   own from the option `clock`
   * @returns a function that removes the listener
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
   * Adds a listener for a new lease after a loss, which happens with `onExpired: "reacquire"`.
   *
   * @param listener gets the status of the new lease
   * @returns a function that removes the listener
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
   * Returns the status of the lease, for logs and health checks.
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
   * Releases the node, so that other processes can lease it at once. The generator issues no IDs from the call on, even
   * if the store cannot be reached. In that case the node is free when the lease ends, and a further call tries again.
   *
   * @throws {@link BackendError} if the store cannot be reached
   */
  release(): Promise<void>;
}

// Events of the service itself: a lease, store, generator or pool that fails, and its recovery.

import { notifyListener } from "../http/notify.ts";
import type { Lease } from "../lease/index.ts";
import type { Metrics } from "./metrics.ts";
import type { ServiceEvent, ServiceEventName } from "./options.ts";

/** The level and message of each event. */
const EVENTS: Readonly<Record<ServiceEventName, readonly [ServiceEvent["level"], string]>> = {
  lease_fenced: [
    "warn",
    "The store restarted, failed over or is new, and may have forgotten leases: the start waits until they have ended.",
  ],
  lease_renewal_failed: ["warn", "The node's lease could not be renewed; the service tries again."],
  lease_lost: ["error", "The node's lease is lost: no Snowflake IDs until a node is leased again."],
  lease_regained: ["info", "A node is leased again."],
  store_down: ["error", "The store cannot be written."],
  store_up: ["info", "The store can be written again."],
  generator_failing: ["error", "The generator refuses to make IDs."],
  generator_recovered: ["info", "The generator makes IDs again."],
  refill_failed: ["error", "A pool of numeric IDs could not be refilled; the service tries again."],
};

type EventFacts = Partial<Pick<ServiceEvent, "node" | "store" | "type" | "error">>;

/** Emits an event. */
export type Emit = (event: ServiceEventName, facts: EventFacts) => void;

/** Returns a function that emits events to the listener, if there is one. */
export function createEmitter(listener: ((event: ServiceEvent) => void) | undefined): Emit {
  return (event, facts) => {
    if (!listener) return;
    const [level, message] = EVENTS[event];
    notifyListener(listener, { time: new Date().toISOString(), level, event, message, ...facts });
  };
}

/** Emits the events of a lease, and counts its failures, until the returned function is called. */
export function forwardLeaseEvents(lease: Lease, emit: Emit, metrics: Metrics): () => void {
  const unsubscribes = [
    lease.onRenewalFailed((error) => {
      metrics.countRenewalFailure();
      // Only the first failure of a row is an event: while a store is down, each renewal fails.
      if (lease.status().failures === 1) emit("lease_renewal_failed", { node: lease.node, error });
    }),
    lease.onLost((error) => {
      metrics.countLeaseLoss();
      emit("lease_lost", { node: error.node, error });
    }),
    lease.onReacquired(({ node }) => emit("lease_regained", { node })),
  ];
  return () => {
    for (const unsubscribe of unsubscribes) unsubscribe();
  };
}

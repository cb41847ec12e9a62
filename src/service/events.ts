// Events: what happens to the service itself. Each is told when it begins and when it is over.

import { notifyListener } from "../http/notify.ts";
import type { Lease } from "../lease/index.ts";
import type { ServiceEvent, ServiceEventName } from "./options.ts";

/** The levels of the events, and what they say. */
const EVENTS: Readonly<Record<ServiceEventName, readonly [ServiceEvent["level"], string]>> = {
  lease_fenced: [
    "warn",
    "The store restarted, failed over or is new, and may have forgotten leases: the start waits until they have ended.",
  ],
  lease_renewal_failed: ["warn", "The lease of the node could not be renewed; it is tried again."],
  lease_lost: ["error", "The lease of the node is lost: no Snowflake IDs until a node is leased again."],
  lease_regained: ["info", "A node is leased again."],
  store_down: ["error", "The store cannot be written."],
  store_up: ["info", "The store can be written again."],
  generator_failing: ["error", "The generator refuses to make IDs."],
  generator_recovered: ["info", "The generator makes IDs again."],
  refill_failed: ["error", "A pool of numeric IDs could not be refilled; it is tried again."],
};

/** What an event is about. */
type EventFacts = Partial<Pick<ServiceEvent, "node" | "store" | "type" | "error">>;

/** Tells of an event. */
export type Emit = (event: ServiceEventName, facts: EventFacts) => void;

/** What tells a listener of events; what it throws is ignored. */
export function createEmitter(listener: ((event: ServiceEvent) => void) | undefined): Emit {
  return (event, facts) => {
    if (!listener) return;
    const [level, message] = EVENTS[event];
    notifyListener(listener, { time: new Date().toISOString(), level, event, message, ...facts });
  };
}

/** Tells of the events of a lease until the function that it returns is called. */
export function forwardLeaseEvents(lease: Lease, emit: Emit): () => void {
  const stops = [
    // The first of a row: it is tried again and again while a store is away.
    lease.onRenewalFailed((error) => {
      if (lease.status().failures === 1) emit("lease_renewal_failed", { node: lease.node, error });
    }),
    lease.onLost((error) => emit("lease_lost", { node: error.node, error })),
    lease.onReacquired(({ node }) => emit("lease_regained", { node })),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

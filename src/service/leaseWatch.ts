// Tells of the events of a lease: a renewal that fails, the loss, the next grant.

import { startTimer } from "../backend/ask.ts";
import type { Lease } from "../lease/index.ts";
import type { Emit } from "./events.ts";

/** How often the lease's own account is read, in milliseconds; no store is asked. */
const LOOK_MS = 1000;

/** Watches a lease until the function that it returns is called. */
export function watchLease(lease: Lease, emit: Emit): () => void {
  let { grants } = lease.status();
  let failures = 0;
  let stopTimer = () => {};
  const stopLosses = lease.onLost((error) => emit("lease_lost", { node: lease.node, error }));
  const look = () => {
    const status = lease.status();
    if (status.state === "held" && status.failures > 0 && failures === 0) {
      emit("lease_renewal_failed", { node: status.node, error: status.lastError });
    }
    failures = status.failures;
    if (status.grants > grants) emit("lease_regained", { node: status.node });
    grants = status.grants;
    stopTimer = startTimer(look, LOOK_MS, true);
  };
  look();
  return () => {
    stopTimer();
    stopLosses();
  };
}

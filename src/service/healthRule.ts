// The rule that decides how a service is, for /health and /status.

import { IdPoolHistoryError } from "../internal.ts";
import type { PoolState } from "./health.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** The state of one thing that a service needs. */
export type State = "ok" | "failing";

/** The state of a service: `"degraded"` if a pool fails and the other routes work. */
export type ServiceStatus = State | "degraded" | "starting" | "stopping";

/** The results of the probes of a service. */
export interface HealthFacts {
  readonly isBackendWorking: boolean;
  readonly isPoolBackendWorking: boolean;
  readonly isGeneratorWorking: boolean;
  readonly poolStates: readonly PoolState[];
}

export const stateOf = (isWorking: boolean): State => (isWorking ? "ok" : "failing");

/** Returns whether a pool issues IDs. */
export function isPoolWorking({ status }: PoolState): boolean {
  if (!status) return false;
  const isEmpty = status.available === 0 && status.lastError !== undefined;
  // A pool whose database may have lost IDs issues none, however many are available.
  const isRefused = status.lastError instanceof IdPoolHistoryError;
  return !status.isExhausted && !isEmpty && !isRefused;
}

/** Returns the phase of a service, as clients see it. */
function phaseOf({ phase, isDraining, startError }: Lifecycle) {
  if (phase === "stopping" || isDraining) return "stopping";
  if (phase === "running") return "running";
  return phase === "new" && startError !== undefined ? "failing" : "starting";
}

/**
 * Returns the state of a service.
 *
 * @param hasLease whether its lease is held, or its node was given
 */
export function serviceStatus(lifecycle: Lifecycle, hasLease: boolean, facts: HealthFacts): ServiceStatus {
  const phase = phaseOf(lifecycle);
  if (phase !== "running") return phase;
  const { isBackendWorking, isPoolBackendWorking, isGeneratorWorking, poolStates } = facts;
  if (!(isBackendWorking && isPoolBackendWorking && isGeneratorWorking && hasLease)) return "failing";
  // A failing pool only degrades the service: the other routes work.
  return poolStates.every(isPoolWorking) ? "ok" : "degraded";
}

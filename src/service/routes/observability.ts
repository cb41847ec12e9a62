// Routes for operations: health and liveness.

import { IdPoolHistoryError } from "../../internal.ts";
import type { PoolState } from "../health.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { ServiceResponse } from "../message.ts";
import { objectSchema, type Schema } from "../operation.ts";
import { jsonResponse, RETRY_SOON, withHeaders } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";

const stateSchema: Schema = { enum: ["ok", "failing"] };

const healthSchema = objectSchema({
  status: { enum: ["ok", "degraded", "failing", "starting", "stopping"] },
  backend: objectSchema({ status: stateSchema }),
  generator: objectSchema({ status: stateSchema }),
  lease: {
    oneOf: [
      { type: "null" },
      objectSchema({
        status: stateSchema,
        node: { type: "integer" },
        until: { type: "string", format: "date-time" },
      }),
    ],
  },
  pools: {
    type: "object",
    additionalProperties: objectSchema({ status: stateSchema, available: { type: ["integer", "null"] } }),
  },
});

const HEALTHY = {
  status: "ok",
  backend: { status: "ok" },
  generator: { status: "ok" },
  lease: { status: "ok", node: 7, until: "2026-11-27T12:00:30.000Z" },
  pools: { farmer: { status: "ok", available: 1000 } },
};

type State = "ok" | "failing";

const stateOf = (isWorking: boolean): State => (isWorking ? "ok" : "failing");

/** Returns the state of a pool in `/health`. */
function poolHealth({ status }: PoolState): { readonly status: State; readonly available: number | null } {
  if (!status) return { status: "failing", available: null };
  const isEmpty = status.available === 0 && status.lastError !== undefined;
  // A pool whose database may have lost IDs issues none, however many are available.
  const isRefused = status.lastError instanceof IdPoolHistoryError;
  const isWorking = !status.isExhausted && !isEmpty && !isRefused;
  return { status: stateOf(isWorking), available: status.available };
}

/** Returns the phase of the service in `/health`. */
function phaseOf({ phase, isDraining, startError }: Lifecycle) {
  if (phase === "stopping" || isDraining) return "stopping";
  if (phase === "running") return "running";
  return phase === "new" && startError !== undefined ? "failing" : "starting";
}

/** The body of `/health`. */
interface HealthReport {
  readonly status: "ok" | "degraded" | "failing" | "starting" | "stopping";
  readonly backend: { readonly status: State };
  readonly generator: { readonly status: State };
  readonly lease: { readonly status: State; readonly node: number; readonly until: Date } | null;
  readonly pools: Readonly<Record<string, ReturnType<typeof poolHealth>>>;
}

/** Returns whether a load balancer may send requests. */
export function isReady({ status }: HealthReport): boolean {
  return status === "ok" || status === "degraded";
}

/** Probes the stores and the generator, at most once a second, and reads the state of the service. */
export async function readHealth(lifecycle: Lifecycle, hasPools: boolean): Promise<HealthReport> {
  const { health } = lifecycle;
  const [isBackendWorking, isPoolBackendWorking, isGeneratorWorking, poolStates] = await Promise.all([
    health.backendDependency.check(),
    hasPools ? health.poolBackendDependency.check() : true,
    health.generatorDependency.check(),
    health.poolStates(),
  ]);
  // Read after the probes, because the lease can be lost while they wait.
  const lease = lifecycle.resources?.lease?.status();
  const phase = phaseOf(lifecycle);
  const hasLease = lease === undefined || lease.state === "held";
  const pools = poolStates.map((state) => [state.type, poolHealth(state)] as const);
  const isUp = isBackendWorking && isPoolBackendWorking && isGeneratorWorking && hasLease;
  // A failing pool only degrades the service: the other routes work.
  const upStatus = pools.every(([, { status }]) => status === "ok") ? "ok" : "degraded";
  const status = phase !== "running" ? phase : isUp ? upStatus : "failing";
  return {
    status,
    backend: { status: stateOf(isBackendWorking && isPoolBackendWorking) },
    generator: { status: stateOf(isGeneratorWorking) },
    lease: lease === undefined ? null : { status: stateOf(hasLease), node: lease.node, until: lease.until },
    pools: Object.fromEntries(pools),
  };
}

async function healthResponse(lifecycle: Lifecycle, hasPools: boolean): Promise<ServiceResponse> {
  const report = await readHealth(lifecycle, hasPools);
  return isReady(report) ? jsonResponse(report) : withHeaders(jsonResponse(report, 503), RETRY_SOON);
}

export function observabilityRoutes({ settings, lifecycle }: RouteDeps): Route[] {
  const hasPools = Object.keys(settings.types).length > 0;
  return [
    {
      method: "GET",
      path: "/health",
      isPublic: true,
      operation: {
        id: "getHealth",
        tag: "Operate",
        summary: "Read the health",
        description: "The state of the stores, the generator, the lease and the pools. For readiness probes.",
        response: healthSchema,
        examples: { ok: HEALTHY },
        otherResponses: {
          503: {
            description: "The service is starting, failing or stopping.",
            schema: healthSchema,
            example: { ...HEALTHY, status: "failing", backend: { status: "failing" } },
          },
        },
      },
      handler: () => healthResponse(lifecycle, hasPools),
    },
    {
      method: "GET",
      path: "/livez",
      isPublic: true,
      operation: {
        id: "getLiveness",
        tag: "Operate",
        summary: "Check that the process answers",
        description: "Succeeds also while a store is down. For liveness probes.",
        response: objectSchema({ status: { const: "ok" } }),
        examples: { ok: { status: "ok" } },
      },
      handler: () => jsonResponse({ status: "ok" }),
    },
  ];
}

// Routes for operations: health and liveness.

import type { PoolState } from "../health.ts";
import { isPoolWorking, type ServiceStatus, type State, serviceStatus, stateOf } from "../healthRule.ts";
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

/** Returns the state of a pool in `/health`. */
function poolHealth(pool: PoolState): { readonly status: State; readonly available: number | null } {
  return { status: stateOf(isPoolWorking(pool)), available: pool.status?.available ?? null };
}

/** The body of `/health`. */
interface HealthReport {
  readonly status: ServiceStatus;
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
  const hasLease = lease === undefined || lease.state === "held";
  const status = serviceStatus(lifecycle, hasLease, {
    isBackendWorking,
    isPoolBackendWorking,
    isGeneratorWorking,
    poolStates,
  });
  return {
    status,
    backend: { status: stateOf(isBackendWorking && isPoolBackendWorking) },
    generator: { status: stateOf(isGeneratorWorking) },
    lease: lease === undefined ? null : { status: stateOf(hasLease), node: lease.node, until: lease.until },
    pools: Object.fromEntries(poolStates.map((pool) => [pool.type, poolHealth(pool)])),
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

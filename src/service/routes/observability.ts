// The routes for those who watch the service.

import { IdPoolHistoryError } from "../../internal.ts";
import type { IdPoolStatus } from "../../numeric/index.ts";
import type { Gauge } from "../metrics.ts";
import { objectSchema, type Schema } from "../openapi.ts";
import { jsonResponse, RETRY_SOON, withHeaders } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";

/** Whether anything is wrong, in a word. */
const state: Schema = { enum: ["ok", "failing"] };

/** The media type of the metrics. */
const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

/** Makes the routes. */
export function observabilityRoutes({ settings, lifecycle, metrics }: RouteDeps): Route[] {
  const hasPools = Object.keys(settings.types).length > 0;
  const word = (isGood: boolean) => (isGood ? "ok" : "failing");

  /** Whether the service runs; and if not, what it does. */
  const phase = () => {
    if (lifecycle.phase === "stopping" || lifecycle.isDraining) return "stopping";
    if (lifecycle.phase === "running") return "running";
    return lifecycle.phase === "new" && lifecycle.failure !== undefined ? "failing" : "starting";
  };

  const health = async () => {
    const [isBackendGood, arePoolsGood, isGeneratorGood, states] = await Promise.all([
      lifecycle.backend.check(),
      hasPools ? lifecycle.poolBackend.check() : true,
      lifecycle.generator.check(),
      lifecycle.poolStates(),
    ]);
    // Afterwards, for a lease can be lost while a store is waited for.
    const lease = lifecycle.resources?.lease?.status();
    const hasLease = lease === undefined || lease.state === "held";
    const pools = states.map(({ type, status }) => {
      const isEmpty = status?.available === 0 && status.lastError !== undefined;
      // After a failover it issues nothing, whatever is at hand.
      const isRefused = status?.lastError instanceof IdPoolHistoryError;
      const isGood = status !== undefined && !status.isExhausted && !isEmpty && !isRefused;
      return [type, { status: word(isGood), available: status?.available ?? null }] as const;
    });
    const isUp = isBackendGood && arePoolsGood && isGeneratorGood && hasLease;
    const now = phase();
    // A pool that fails does not keep the rest from being asked.
    const areAllGood = pools.every(([, { status }]) => status === "ok");
    const status = now !== "running" ? now : !isUp ? "failing" : areAllGood ? "ok" : "degraded";
    const body = {
      status,
      backend: { status: word(isBackendGood && arePoolsGood) },
      generator: { status: word(isGeneratorGood) },
      lease: lease === undefined ? null : { status: word(hasLease), node: lease.node, until: lease.until },
      pools: Object.fromEntries(pools),
    };
    const isGood = status === "ok" || status === "degraded";
    return isGood ? jsonResponse(body) : withHeaders(jsonResponse(body, 503), RETRY_SOON);
  };

  const gauges = async (): Promise<Gauge[]> => {
    const lease = lifecycle.resources?.lease?.status();
    const pools = await lifecycle.poolStates();
    const of = (value: (pool: IdPoolStatus) => number) =>
      pools.flatMap(({ type, status }) => (status ? [{ labels: { type }, value: value(status) }] : []));
    return [
      {
        name: "bitflake_requests_in_flight",
        help: "Requests under way.",
        samples: [{ value: lifecycle.requestsInFlight }],
      },
      {
        name: "bitflake_lease_held",
        help: "Whether the node's lease is held.",
        samples: lease
          ? [{ labels: { node: String(lease.node) }, value: lease.state === "held" ? 1 : 0 }]
          : [],
      },
      { name: "bitflake_pool_available", help: "IDs at hand.", samples: of(({ available }) => available) },
      { name: "bitflake_pool_taken", help: "IDs issued.", samples: of(({ taken }) => taken) },
    ];
  };

  const healthSchema = objectSchema({
    status: { enum: ["ok", "degraded", "failing", "starting", "stopping"] },
    backend: objectSchema({ status: state }),
    generator: objectSchema({ status: state }),
    lease: {
      oneOf: [
        { type: "null" },
        objectSchema({
          status: state,
          node: { type: "integer" },
          until: { type: "string", format: "date-time" },
        }),
      ],
    },
    pools: {
      type: "object",
      additionalProperties: objectSchema({ status: state, available: { type: ["integer", "null"] } }),
    },
  });
  return [
    {
      method: "GET",
      path: "/health",
      isPublic: true,
      operation: {
        summary: "How the service is: its store, its generator, its lease, its pools.",
        response: healthSchema,
        otherResponses: { 503: { description: "Not at the moment, or not quite.", schema: healthSchema } },
      },
      handle: health,
    },
    {
      method: "GET",
      path: "/livez",
      isPublic: true,
      operation: {
        summary: "Whether the process answers, whatever its stores do.",
        response: objectSchema({ status: { const: "ok" } }),
      },
      handle: () => jsonResponse({ status: "ok" }),
    },
    {
      method: "GET",
      path: "/metrics",
      scope: "watch",
      contentType: "text/plain",
      operation: { summary: "Counts and gauges, for Prometheus.", response: { type: "string" } },
      handle: async () => ({
        status: 200,
        headers: { "content-type": PROMETHEUS, "cache-control": "no-store" },
        body: metrics.write(await gauges()),
      }),
    },
  ];
}

// The routes for those who watch the service.

import { startTimer } from "../backend/ask.ts";
import type { IdPoolStatus } from "../numeric/index.ts";
import { PING_MS } from "./life.ts";
import type { Gauge } from "./metrics.ts";
import { objectOf, type Schema } from "./openapi.ts";
import { json, SOON, withHeaders } from "./reply.ts";
import type { Means, Route } from "./route.ts";

/** Whether anything is wrong, in a word. */
const state: Schema = { enum: ["ok", "failing"] };

/** The media type of the metrics. */
const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

/** What comes in time; nothing of what fails, or takes longer. */
async function within<T>(value: Promise<T>, ms: number): Promise<T | undefined> {
  let stop = () => {};
  const over = new Promise<undefined>((resolve) => {
    stop = startTimer(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([value.catch(() => undefined), over]);
  } finally {
    stop();
  }
}

/** Makes the routes. */
export function watchRoutes({ settings, life, metrics }: Means): Route[] {
  const { backend, poolBackend, types } = settings;
  const hasPools = Object.keys(types).length > 0;

  /** How each pool is; nothing of one that cannot be asked. */
  const poolsNow = async (): Promise<[string, IdPoolStatus | undefined][]> => {
    const pools = Object.entries(life.parts?.pools ?? {});
    return Promise.all(
      pools.map(
        async ([name, pool]): Promise<[string, IdPoolStatus | undefined]> => [
          name,
          await within(pool.status(), PING_MS),
        ],
      ),
    );
  };

  const health = async () => {
    const lease = life.parts?.lease?.status();
    const [isThere, arePoolsThere, pools] = await Promise.all([
      life.isThere(backend),
      hasPools ? life.isThere(poolBackend) : true,
      life.shared("pools", poolsNow),
    ]);
    const word = (isGood: boolean) => (isGood ? "ok" : "failing");
    const hasLease = lease === undefined || lease.state === "held";
    const poolStates = pools.map(([name, pool]) => [
      name,
      { status: word(pool !== undefined && !pool.isExhausted), available: pool?.available ?? null },
    ]);
    const isRunning = life.phase === "running";
    const isGood = isRunning && isThere && arePoolsThere && hasLease;
    const body = {
      status: isRunning
        ? word(isGood)
        : life.phase === "new" && life.failure !== undefined
          ? "failing"
          : life.phase === "stopping"
            ? "stopping"
            : "starting",
      backend: { status: word(isThere && arePoolsThere) },
      lease: lease === undefined ? null : { status: word(hasLease), node: lease.node, until: lease.until },
      pools: Object.fromEntries(poolStates),
    };
    return isGood ? json(body) : withHeaders(json(body, 503), SOON);
  };

  const gauges = async (): Promise<Gauge[]> => {
    const lease = life.parts?.lease?.status();
    const pools = await life.shared("pools", poolsNow);
    const of = (value: (pool: IdPoolStatus) => number) =>
      pools.flatMap(([type, pool]) => (pool ? [{ labels: { type }, value: value(pool) }] : []));
    return [
      {
        name: "bitflake_requests_in_flight",
        help: "Requests under way.",
        samples: [{ value: life.requests }],
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

  const healthSchema = objectOf({
    status: { enum: ["ok", "failing", "starting", "stopping"] },
    backend: objectOf({ status: state }),
    lease: {
      oneOf: [
        { type: "null" },
        objectOf({
          status: state,
          node: { type: "integer" },
          until: { type: "string", format: "date-time" },
        }),
      ],
    },
    pools: {
      type: "object",
      additionalProperties: objectOf({ status: state, available: { type: ["integer", "null"] } }),
    },
  });
  return [
    {
      method: "GET",
      path: "/health",
      isOpen: true,
      operation: {
        summary: "How the service is: its store, its lease, its pools.",
        reply: healthSchema,
        others: { 503: { description: "Not at the moment, or not quite.", schema: healthSchema } },
      },
      answer: health,
    },
    {
      method: "GET",
      path: "/metrics",
      type: "text/plain",
      operation: { summary: "Counts and gauges, for Prometheus.", reply: { type: "string" } },
      answer: async () => ({
        status: 200,
        headers: { "content-type": PROMETHEUS, "cache-control": "no-store" },
        body: metrics.write(await gauges()),
      }),
    },
  ];
}

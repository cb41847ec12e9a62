// The route that reports the state of the service, for the console and for programs.

import { VERSION } from "../../version.ts";
import { integerSchema, numberSchema, objectSchema, type Schema, textSchema } from "../operation.ts";
import { jsonResponse } from "../response.ts";
import type { Route, RouteDeps } from "../route.ts";
import { StatusReporter } from "../statusReport.ts";

const countSchema: Schema = { type: "integer", minimum: 0 };
const booleanSchema: Schema = { type: "boolean" };
const timeSchema: Schema = { type: "string", format: "date-time" };
const codeSchema: Schema = { type: ["string", "null"], pattern: "^ERR_[A-Z_]+$" };
const probedSchema: Schema = { enum: ["ok", "failing", "slow"] };
const clockSchema: Schema = { enum: ["store", "client"] };

const nullable = (schema: Schema): Schema => ({ oneOf: [{ type: "null" }, schema] });
const listOf = (items: Schema): Schema => ({ type: "array", items });
const mapOf = (schema: Schema): Schema => ({ type: "object", additionalProperties: schema });

const layoutSchema = objectSchema({
  timestampBits: countSchema,
  datacenterBits: countSchema,
  machineBits: countSchema,
  sequenceBits: countSchema,
  epochMs: integerSchema,
  tickMs: countSchema,
  capacity: objectSchema({
    years: numberSchema,
    expiresAt: textSchema,
    datacenters: numberSchema,
    machinesPerDatacenter: numberSchema,
    nodes: numberSchema,
    idsPerTick: numberSchema,
    idsPerSecond: numberSchema,
  }),
});

const leaseSchema = objectSchema({
  state: { enum: ["held", "lost", "released"] },
  node: countSchema,
  until: timeSchema,
  renewedAt: timeSchema,
  msLeft: { type: "number", minimum: 0, description: "0 unless the lease is held." },
  clock: clockSchema,
  skewMs: { type: "number", description: "How far this process's clock is ahead of the store's." },
  failures: { ...countSchema, description: "Renewals that failed since `renewedAt`." },
  grants: countSchema,
  errorCode: codeSchema,
});

const nodesSchema = objectSchema({
  storeTime: timeSchema,
  clock: clockSchema,
  used: { ...countSchema, description: "Nodes that were ever leased." },
  held: { ...countSchema, description: "Nodes with a lease that has not ended." },
  list: {
    ...listOf(
      objectSchema({
        node: countSchema,
        datacenterId: countSchema,
        machineId: countSchema,
        holder: textSchema,
        from: timeSchema,
        until: timeSchema,
        isCurrent: booleanSchema,
        isOwn: { type: "boolean", description: "Whether this process holds it." },
      }),
    ),
    description: "Nodes that were not released, at most 1,024.",
  },
});

const poolSchema = objectSchema({
  type: textSchema,
  length: countSchema,
  state: probedSchema,
  lowMark: { ...countSchema, description: "As many available IDs start a refill." },
  highMark: { ...countSchema, description: "As many available IDs end a refill." },
  available: {
    type: ["integer", "null"],
    description: "Exact up to `highMark`; `highMark` + 1 if there are more; null if unknown.",
  },
  taken: { type: ["integer", "null"] },
  remaining: { type: ["string", "null"], description: "How many more IDs can be issued." },
  isExact: { type: ["boolean", "null"], description: "Whether `remaining` is exact." },
  isFilling: { type: ["boolean", "null"] },
  isExhausted: { type: ["boolean", "null"] },
  errorCode: codeSchema,
});

const routeCountsSchema = objectSchema({
  route: { type: "string", description: "Empty for requests that no route answered." },
  count: countSchema,
  classes: { ...mapOf(countSchema), description: "Requests by class of status, such as `2xx`." },
  sumMs: numberSchema,
  buckets: {
    ...listOf(countSchema),
    description: "Requests by duration: up to each of `bucketBoundsMs`, and above the last.",
  },
});

const statusSchema = objectSchema({
  name: textSchema,
  version: textSchema,
  status: { enum: ["ok", "degraded", "failing", "starting", "stopping"] },
  startErrorCode: codeSchema,
  time: timeSchema,
  uptimeMs: { ...countSchema, description: "Of several processes, that of the youngest." },
  layout: layoutSchema,
  node: nullable(
    objectSchema({ datacenterId: countSchema, machineId: countSchema, isLeased: booleanSchema }),
  ),
  generator: objectSchema({ state: probedSchema, errorCode: codeSchema }),
  lease: nullable(leaseSchema),
  nodes: nullable(nodesSchema),
  stores: listOf(
    objectSchema({
      kind: { enum: ["redis", "postgres", "sqlite", "mysql", "memory", "cells"] },
      uses: listOf({ enum: ["counters", "limits", "leases", "pools"] }),
      state: probedSchema,
      errorCode: codeSchema,
    }),
  ),
  pools: listOf(poolSchema),
  processes: {
    type: "integer",
    minimum: 1,
    description: "How many processes answer on this port. `ids` and `requests` are their sums.",
  },
  ids: { ...mapOf(countSchema), description: "IDs issued, by kind, since the start." },
  requests: objectSchema({
    inFlight: countSchema,
    bucketBoundsMs: listOf(numberSchema),
    routes: listOf(routeCountsSchema),
  }),
  rateLimit: nullable(
    objectSchema({ limit: countSchema, windowMs: countSchema, onStoreError: { enum: ["fail", "allow"] } }),
  ),
  apiKeys: { ...countSchema, description: "How many API keys are accepted; 0 if none is needed." },
});

const RUNNING = {
  name: "service",
  version: VERSION,
  status: "ok",
  startErrorCode: null,
  time: "2026-11-27T12:00:00.000Z",
  uptimeMs: 3_600_000,
  layout: {
    timestampBits: 41,
    datacenterBits: 5,
    machineBits: 5,
    sequenceBits: 12,
    epochMs: 1_577_836_800_000,
    tickMs: 1,
    capacity: {
      years: 69.6828420270236,
      expiresAt: "2089-09-06T15:47:35.552Z",
      datacenters: 32,
      machinesPerDatacenter: 32,
      nodes: 1024,
      idsPerTick: 4096,
      idsPerSecond: 4_096_000,
    },
  },
  node: { datacenterId: 0, machineId: 7, isLeased: true },
  generator: { state: "ok", errorCode: null },
  lease: {
    state: "held",
    node: 7,
    until: "2026-11-27T12:00:24.000Z",
    renewedAt: "2026-11-27T11:59:54.000Z",
    msLeft: 24_000,
    clock: "store",
    skewMs: 1,
    failures: 0,
    grants: 1,
    errorCode: null,
  },
  nodes: {
    storeTime: "2026-11-27T12:00:00.000Z",
    clock: "store",
    used: 9,
    held: 1,
    list: [
      {
        node: 7,
        datacenterId: 0,
        machineId: 7,
        holder: "ids-7f9c 1",
        from: "2026-11-27T11:00:00.000Z",
        until: "2026-11-27T12:00:24.000Z",
        isCurrent: true,
        isOwn: true,
      },
    ],
  },
  stores: [
    { kind: "postgres", uses: ["counters", "limits", "leases", "pools"], state: "ok", errorCode: null },
  ],
  pools: [
    {
      type: "farmer",
      length: 10,
      state: "ok",
      lowMark: 1000,
      highMark: 6000,
      available: 4211,
      taken: 51_204,
      remaining: "104281636",
      isExact: false,
      isFilling: false,
      isExhausted: false,
      errorCode: null,
    },
  ],
  processes: 1,
  ids: { snowflake: 812_455, numeric: 1789 },
  requests: {
    inFlight: 1,
    bucketBoundsMs: [0.5, 1, 2.5, 5],
    routes: [
      {
        route: "/generate_snowflake_id",
        count: 9,
        classes: { "2xx": 8, "4xx": 1 },
        sumMs: 2.7,
        buckets: [9, 0, 0, 0, 0],
      },
    ],
  },
  rateLimit: { limit: 600, windowMs: 60_000, onStoreError: "fail" },
  apiKeys: 2,
};

export function statusRoute(deps: RouteDeps): Route {
  const reporter = new StatusReporter(deps);
  return {
    method: "GET",
    path: "/status",
    scope: "watch",
    // A limit is counted in the store, and this route reports that the store is down.
    isUnlimited: true,
    operation: {
      id: "getStatus",
      tag: "Operate",
      summary: "Read the state of the service",
      description:
        "Node, lease, holders of nodes, pools, stores, limits, and counts since the start: the facts that the console shows. It counts in no rate limit.",
      response: statusSchema,
      examples: { running: RUNNING },
    },
    handler: async () => jsonResponse(await reporter.read()),
  };
}

// The OpenTelemetry example of docs/events.md, unchanged and on the real SDK: it counts each event once.

import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { examplesOf, run } from "../docs/snippet.ts";
import { packages } from "./packages.ts";

/** Loads an entry of the built package without vitest, as the example does: generators publish in the same copy only. */
async function load(entry: string) {
  await run(`import * as module from ${JSON.stringify(entry)};\nglobalThis.__loaded = module;`);
  return Reflect.get(globalThis, "__loaded");
}
const { memory }: typeof import("../../src/backend/index.ts") = await load("bitflake/backend");
const { Idempotency }: typeof import("../../src/idempotency/index.ts") = await load("bitflake/idempotency");
const { makeGenerator }: typeof import("../../src/index.ts") = await load("bitflake");
const { leaseNode }: typeof import("../../src/lease/index.ts") = await load("bitflake/lease");
const { IdPool, NumericIdType }: typeof import("../../src/numeric/index.ts") = await load("bitflake/numeric");
const { RateLimit }: typeof import("../../src/ratelimit/index.ts") = await load("bitflake/ratelimit");

const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
const provider = new MeterProvider({ readers: [reader] });

/** Returns the sums since the last call, by metric and attributes. */
async function collect(): Promise<Record<string, unknown>> {
  exporter.reset();
  await reader.forceFlush();
  const found = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  return Object.fromEntries(
    found.flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => [`${descriptor.name} ${JSON.stringify(attributes)}`, value]),
    ),
  );
}

beforeAll(async () => {
  metrics.setGlobalMeterProvider(provider);
  const examples = examplesOf("docs/events.md").filter(({ client }) => client === "opentelemetry");
  expect(examples).toHaveLength(1);
  for (const { code } of examples) await run(code, packages);
});
afterAll(async () => {
  vi.useRealTimers();
  await provider.shutdown();
  metrics.disable();
});

test("each event is counted once", async () => {
  let nowMs = Date.UTC(2026, 10, 21);
  const clock = () => nowMs;
  const generator = makeGenerator("large_cluster", { machineId: 7, clock, onExhausted: "throw" });
  for (let i = 0; i < 64; i++) generator.nextId();
  for (let i = 0; i < 3; i++) expect(() => generator.nextId()).toThrow("is full");
  nowMs -= 5000;
  for (let i = 0; i < 3; i++) expect(() => generator.nextId()).toThrow("stepped back");

  const backend = memory();
  const once = new Idempotency({ backend, name: "orders" });
  const work = () => new Promise<void>((done) => setImmediate(done));
  await Promise.all([1, 2].map(() => once.once("a", "f", work).catch(() => {})));
  await once.once("a", "f", () => 1);

  const limiter = new RateLimit({ backend, name: "api", limit: 1, windowMs: 60_000 });
  await Promise.all([1, 2].map(() => limiter.limit("ada")));

  const type = new NumericIdType({ name: "farmer", length: 10 });
  const pool = new IdPool({ backend, type, lowMark: 5, highMark: 50 });
  await Promise.all(Array.from({ length: 5 }, () => pool.issue()));
  await pool.stop();

  expect(await collect()).toEqual({
    'bitflake.clock.backwards {"datacenterId":0,"machineId":7}': 1,
    'bitflake.sequence.exhausted {"datacenterId":0,"machineId":7}': 1,
    'bitflake.idempotency.miss {"name":"orders"}': 1,
    'bitflake.idempotency.conflict {"name":"orders","reason":"in-flight"}': 1,
    'bitflake.idempotency.hit {"name":"orders"}': 1,
    'bitflake.ratelimit.denied {"name":"api","isShadow":false}': 1,
    'bitflake.pool.low {"type":"farmer"}': 1,
  });
});

test("a lease is counted once when it is acquired, renewed and lost", async () => {
  vi.useFakeTimers({
    now: Date.UTC(2026, 10, 22),
    toFake: ["Date", "setTimeout", "clearTimeout", "performance"],
  });
  const store = memory();
  let isDown = false;
  const backend: typeof store = {
    change(name, change) {
      if (isDown) throw new Error("connection refused");
      return store.change(name, change);
    },
  };
  const lease = await leaseNode({ backend, name: "orders" });
  await vi.advanceTimersByTimeAsync(1000);
  isDown = true;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lease.status().state).toBe("lost");
  vi.useRealTimers();
  expect(await collect()).toEqual({
    'bitflake.lease.acquired {"name":"orders"}': 1,
    'bitflake.lease.renewed {"name":"orders"}': 1,
    'bitflake.lease.lost {"name":"orders"}': 1,
  });
});

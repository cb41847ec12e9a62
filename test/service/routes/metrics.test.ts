// /metrics, in the text format of Prometheus.

import { afterEach, describe, expect, test, vi } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { appOf } from "../../../src/service/appOf.ts";
import { writeExposition } from "../../../src/service/exposition.ts";
import { type ParsedFamily, parseExposition, sampleOf } from "../exposition.ts";
import { openService, startService, stepThrough, stepUntil, UnreliableMemory } from "../openService.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

type Send = (path: string, init?: RequestInit) => Promise<Response>;

async function scrape(send: Send): Promise<ParsedFamily[]> {
  return parseExposition(await (await send("/metrics")).text());
}

test("/metrics counts requests by route and status, durations and IDs", async () => {
  const { send, service } = await openService({ types: { farmer: { length: 10 } } });
  await send("/generate_uuid?count=5");
  await send("/generate_uuid");
  await send("/generate_uuid?count=0");
  await send("/decode/1");
  await send("/nowhere/at/all");
  await send("/v1/idgenerator/farmer/id", { method: "POST" });
  const response = await send("/metrics");
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  for (const line of [
    'bitflake_requests_total{route="/generate_uuid",status="200"} 2',
    'bitflake_requests_total{route="/generate_uuid",status="400"} 1',
    'bitflake_requests_total{route="/decode/{id}",status="200"} 1',
    'bitflake_requests_total{route="",status="404"} 1',
    'bitflake_request_duration_seconds_bucket{route="/generate_uuid",le="+Inf"} 3',
    'bitflake_request_duration_seconds_count{route="/generate_uuid"} 3',
    'bitflake_ids_total{kind="uuid"} 6',
    'bitflake_ids_total{kind="numeric"} 1',
    "bitflake_requests_in_flight 1",
    'bitflake_lease_held{node="0"} 1',
    'bitflake_pool_taken{type="farmer"} 1',
    'bitflake_pool_up{type="farmer"} 1',
    'bitflake_store_call_errors_total{store="backend",operation="lease: acquire",reason="failed"} 0',
    "bitflake_ready 1",
    "bitflake_generator_up 1",
    'bitflake_store_up{store="backend"} 1',
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  await service.stop();
});

test("every family has its help and its type once, and histograms count up", async () => {
  const { send, service } = await openService({ types: { farmer: { length: 10 } } });
  await send("/v1/idgenerator/farmer/id", { method: "POST" });
  const families = await scrape(send);
  expect(families.map(({ name }) => name)).toMatchInlineSnapshot(`
    [
      "bitflake_ready",
      "bitflake_requests_in_flight",
      "bitflake_store_up",
      "bitflake_generator_up",
      "bitflake_lease_held",
      "bitflake_lease_seconds_left",
      "bitflake_lease_clock_skew_seconds",
      "bitflake_pool_up",
      "bitflake_pool_available",
      "bitflake_pool_taken",
      "bitflake_pool_remaining",
      "bitflake_requests_total",
      "bitflake_request_duration_seconds",
      "bitflake_ids_total",
      "bitflake_store_call_duration_seconds",
      "bitflake_store_call_errors_total",
      "bitflake_lease_renewal_failures_total",
      "bitflake_lease_losses_total",
      "bitflake_pool_refill_failures_total",
      "bitflake_event_loop_lag_seconds",
      "process_cpu_seconds_total",
      "process_resident_memory_bytes",
      "process_heap_bytes",
      "process_start_time_seconds",
      "bitflake_build_info",
    ]
  `);
  for (const { samples, name } of families) expect([name, samples.length]).not.toEqual([name, 0]);
  await service.stop();
});

test("the IDs that remain are those of the type that are not issued, not only the generated ones", async () => {
  const { send, service } = await openService({ types: { card: { length: 6 } } });
  await service.start();
  await send("/v1/idgenerator/card/id", { method: "POST" });
  const families = await scrape(send);
  // FACTS: a type of 6 digits has 29,593 IDs by openg2p's rules.
  expect(sampleOf(families, "bitflake_pool_remaining", { type: "card" })).toBe(29_592);
  expect(sampleOf(families, "bitflake_pool_taken", { type: "card" })).toBe(1);
  await service.stop();
});

test("calls to stores are counted by operation, with those that fail", async () => {
  vi.useFakeTimers();
  const backend = new UnreliableMemory();
  const { send, service } = await startService({ backend });
  await send("/generate_counter_id?count=2");
  backend.isDown = true;
  await send("/generate_counter_id");
  await send("/generate_counter_id");
  const call = { store: "backend", operation: "counter: reserve" };
  await stepUntil(async () => {
    const families = await scrape(send);
    expect(sampleOf(families, "bitflake_store_up", { store: "backend" })).toBe(0);
    expect(sampleOf(families, "bitflake_ready")).toBe(0);
  });
  const families = await scrape(send);
  const failed = sampleOf(families, "bitflake_store_call_errors_total", { ...call, reason: "failed" }) ?? 0;
  // Two requests and at least one probe.
  expect(failed).toBeGreaterThanOrEqual(3);
  expect(sampleOf(families, "bitflake_store_call_duration_seconds_count", call)).toBeGreaterThan(failed);
  expect(sampleOf(families, "bitflake_store_call_errors_total", { ...call, reason: "timeout" })).toBe(0);
  backend.isDown = false;
  await stepUntil(async () => {
    expect(sampleOf(await scrape(send), "bitflake_store_up", { store: "backend" })).toBe(1);
  });
  await service.stop();
});

test("stores have the names of their options, and one that is given by two options is counted once", async () => {
  const poolBackend = new UnreliableMemory();
  const { send, service } = await openService({
    poolBackend,
    leaseBackend: poolBackend,
    types: { farmer: { length: 10 } },
  });
  await service.start();
  const families = await scrape(send);
  const stores = new Set(
    families
      .find(({ name }) => name === "bitflake_store_call_duration_seconds")
      ?.samples.map(({ labels }) => `${labels["store"]} ${labels["operation"]?.split(":")[0]}`),
  );
  expect([...stores].filter((text) => / (lease|counter)$/.test(text)).sort()).toEqual([
    "backend counter",
    "poolBackend counter",
    "poolBackend lease",
  ]);
  expect(sampleOf(families, "bitflake_store_up", { store: "poolBackend" })).toBe(1);
  await service.stop();
});

test("a lease that is not renewed counts down, and its failures and its loss are counted", async () => {
  vi.useFakeTimers();
  const backend = new UnreliableMemory();
  const { send, service } = await startService({ backend });
  const left = sampleOf(await scrape(send), "bitflake_lease_seconds_left") ?? 0;
  expect(left).toBeGreaterThan(20);
  expect(left).toBeLessThan(31);
  backend.isDown = true;
  await stepUntil(async () => {
    const families = await scrape(send);
    expect(sampleOf(families, "bitflake_lease_renewal_failures_total")).toBeGreaterThan(0);
    expect(sampleOf(families, "bitflake_lease_seconds_left")).toBeLessThan(left - 5);
  });
  await vi.advanceTimersByTimeAsync(15_000);
  await stepUntil(async () => {
    const families = await scrape(send);
    expect(sampleOf(families, "bitflake_lease_held", { node: "0" })).toBe(0);
    expect(sampleOf(families, "bitflake_lease_seconds_left")).toBe(0);
    expect(sampleOf(families, "bitflake_lease_losses_total")).toBe(1);
  });
  await service.stop();
});

test("refills that fail are counted by type", async () => {
  vi.useFakeTimers();
  const poolBackend = new UnreliableMemory();
  const { send, service } = await openService({ poolBackend, types: { farmer: { length: 10 } } });
  await service.start();
  const refillFailures = async () =>
    sampleOf(await scrape(send), "bitflake_pool_refill_failures_total", { type: "farmer" });
  expect(await refillFailures()).toBe(0);
  poolBackend.isDown = true;
  await stepUntil(async () => {
    await send("/v1/idgenerator/farmer/id", { method: "POST" });
    expect(await refillFailures()).toBeGreaterThan(0);
  });
  await service.stop();
});

describe("without the parts of Node's process", () => {
  test.each([
    ["without process", { process: undefined }, "unknown"],
    ["in workerd", { navigator: { userAgent: "Cloudflare-Workers" } }, "workerd"],
    ["on Deno", { Deno: { version: { deno: "2.6.1" } } }, "deno 2.6.1"],
    ["on Bun", { Bun: { version: "1.4.0" } }, "bun 1.4.0"],
    [
      "where it refuses",
      {
        process: new Proxy(
          {},
          {
            get: () => () => {
              throw new Error("not allowed");
            },
          },
        ),
      },
      "unknown",
    ],
  ])("%s, the build is there and the rest is left out", async (_title, globals, runtime) => {
    const { send, service } = await openService();
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
    const families = await scrape(send);
    const [build] = families.find(({ name }) => name === "bitflake_build_info")?.samples ?? [];
    expect(build?.labels["runtime"]).toBe(runtime);
    if ("process" in globals)
      expect(families.map(({ name }) => name).filter((name) => name.startsWith("process_"))).toEqual([]);
    expect(families.some(({ name }) => name.startsWith("bitflake_event_loop"))).toBe(false);
    vi.unstubAllGlobals();
    await service.stop();
  });
});

describe("the text format", () => {
  test("escapes labels, and writes the infinities", () => {
    const samples = [
      { labels: { type: 'a\\b"c\nd' }, value: Infinity },
      { labels: { type: "other" }, value: -Infinity },
      { labels: { type: "large" }, value: 1e21 },
    ];
    const text = writeExposition([{ name: "test", type: "gauge", help: "A test.", samples }]);
    expect(text).toBe(
      '# HELP test A test.\n# TYPE test gauge\ntest{type="a\\\\b\\"c\\nd"} +Inf\ntest{type="other"} -Inf\ntest{type="large"} 1e+21\n',
    );
    expect(parseExposition(text)[0]?.samples).toEqual(
      samples.map(({ labels, value }) => ({ name: "test", labels, value })),
    );
  });

  const head = (name: string, type: string) => `# HELP ${name} A test.\n# TYPE ${name} ${type}\n`;
  test.each([
    ["a family twice", `${head("a", "gauge")}${head("b", "gauge")}${head("a", "gauge")}`],
    ["a sample of another family", `${head("a", "gauge")}b 1\n`],
    ["a counter ends in _total", head("a", "counter")],
    ["a type that does not follow its help", "# TYPE a gauge\na 1\n"],
    ["a series twice", `${head("a", "gauge")}a{x="1",y="2"} 1\na{y="2",x="1"} 1\n`],
    ["wrong labels", `${head("a", "gauge")}a{x="1",} 1\n`],
    ["not a number", `${head("a", "gauge")}a NaN\n`],
    ["no bucket +Inf", `${head("a", "histogram")}a_bucket{le="1"} 1\na_sum 1\na_count 1\n`],
    [
      "buckets do not count up",
      `${head("a", "histogram")}a_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n`,
    ],
    ["_count is not the last bucket", `${head("a", "histogram")}a_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n`],
    ["no line feed at the end", "# HELP a A test."],
  ])("the parser of the tests refuses: %s", (rule, text) => {
    expect(() => parseExposition(text)).toThrow(rule);
  });
});

describe("with peers", () => {
  test("each sample has the number of its process, and each family comes once", async () => {
    const { send, service } = await startService({ machineId: 1 });
    const peer = await startService({ machineId: 2 });
    await send("/generate_uuid");
    await peer.send("/generate_uuid?count=7");
    await peer.send("/decode/1");
    const report = await appOf(peer.service).report();
    appOf(service).joinPeers(async () => ({
      number: 2,
      others: [
        // Processes exchange copies.
        { number: 1, report: structuredClone(report) },
        {
          number: 3,
          report: {
            families: [
              { name: "new_total", type: "counter", help: "Of a later version.", samples: [{ value: 4 }] },
            ],
            counts: report.counts,
          },
        },
      ],
    }));
    const families = await scrape(send);
    const uuids = families.find(({ name }) => name === "bitflake_ids_total");
    expect(uuids?.samples.map(({ labels, value }) => [labels, value])).toEqual([
      [{ kind: "uuid", worker: "2" }, 1],
      [{ kind: "uuid", worker: "1" }, 7],
    ]);
    expect(families.find(({ name }) => name === "new_total")?.samples).toMatchObject([
      { labels: { worker: "3" }, value: 4 },
    ]);
    for (const { samples } of families) {
      for (const { labels } of samples) expect(labels["worker"]).toMatch(/^[123]$/);
    }
    const status = await (await send("/status")).json();
    expect(status).toMatchObject({ processes: 3, ids: { uuid: 15 } });
    await service.stop();
    await peer.service.stop();
  });

  test("the metrics of the process itself come also if the peers do not answer", async () => {
    const { send, service } = await startService({ machineId: 1 });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    appOf(service).joinPeers(() => new Promise(() => {}));
    const ready = (await stepThrough(scrape(send))).find(({ name }) => name === "bitflake_ready");
    expect(ready?.samples).toMatchObject([{ labels: {}, value: 1 }]);
    await service.stop();
  });

  test("requests at the same time share one reading of the peers, and its number stays", async () => {
    const { send, service } = await startService({ machineId: 1 });
    let reads = 0;
    let answer = (_number: number): void => {};
    appOf(service).joinPeers(() => {
      reads++;
      return new Promise((resolve) => {
        answer = (number) => resolve({ number, others: [] });
      });
    });
    const [one, other] = [scrape(send), scrape(send)];
    await vi.waitFor(() => expect(reads).toBe(1), { timeout: 60_000 });
    answer(4);
    for (const families of [await one, await other])
      expect(families.find(({ name }) => name === "bitflake_ready")?.samples[0]?.labels).toEqual({
        worker: "4",
      });
    // The peers do not answer now.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const ready = (await stepThrough(scrape(send))).find(({ name }) => name === "bitflake_ready");
    expect([reads, ready?.samples[0]?.labels]).toEqual([2, { worker: "4" }]);
    await service.stop();
  });

  test("a report has the counts also while a store does not answer", async () => {
    const backend = { ...memory(), timeoutMs: 60_000 };
    const { send, service } = await startService({ backend, machineId: 1 });
    await send("/generate_uuid");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const hang = vi.spyOn(backend, "change").mockReturnValue(new Promise(() => {}));
    const { families, counts } = await stepThrough(appOf(service).report());
    hang.mockRestore();
    expect(counts.ids).toEqual({ uuid: 1 });
    expect(families.map(({ name }) => name)).toContain("bitflake_requests_total");
    expect(families.map(({ name }) => name)).not.toContain("bitflake_ready");
    await stepThrough(service.stop());
  });
});

// /status: the state of the service as the console shows it, without secrets, and also while a store is down.

import { afterEach, expect, test, vi } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { leaseNode } from "../../../src/lease/index.ts";
import type { Service, ServiceOptions } from "../../../src/service/index.ts";
import { openService, startService, UnreliableMemory } from "../openService.ts";

const services: Service[] = [];

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(services.splice(0).map((service) => service.stop()));
});

/** Starts a service. Returns functions that read its status, and that send requests. */
async function started(options: Partial<ServiceOptions> = {}) {
  const { service, send } = await startService(options);
  services.push(service);
  const status = async (init?: RequestInit) => {
    const response = await send("/status", init);
    expect(response.status).toBe(200);
    return response.json();
  };
  return { send, status };
}

test("before the start it has the layout and no node, and does not start the service", async () => {
  const { service, send } = await openService({ types: { farmer: { length: 10 } } });
  services.push(service);
  for (let reading = 0; reading < 2; reading++) {
    expect(await (await send("/status")).json()).toMatchObject({
      status: "starting",
      startErrorCode: null,
      layout: { timestampBits: 41, sequenceBits: 12, epochMs: 1_577_836_800_000, tickMs: 1 },
      node: null,
      lease: null,
      nodes: null,
      pools: [{ type: "farmer", state: "slow", available: null, taken: null }],
      stores: [{ kind: "memory", uses: ["counters", "leases", "pools"], state: "ok", errorCode: null }],
    });
  }
});

test("it has the node, the lease and the holders of all nodes, without their tokens", async () => {
  const backend = memory();
  const other = await leaseNode({ backend, name: "service", preset: "single_dc", holder: "pod-7" });
  const { status } = await started({ backend, holder: "pod-8 41", preset: "single_dc" });
  const report = await status();
  expect(report).toMatchObject({
    status: "ok",
    node: { datacenterId: 0, machineId: 1, isLeased: true },
    lease: { state: "held", node: 1, clock: "store", failures: 0, grants: 1, errorCode: null },
    nodes: {
      used: 2,
      held: 2,
      list: [
        { node: 0, machineId: 0, holder: "pod-7", isCurrent: true, isOwn: false },
        { node: 1, machineId: 1, holder: "pod-8 41", isCurrent: true, isOwn: true },
      ],
    },
  });
  expect(report.lease.msLeft).toBeGreaterThan(0);
  expect(JSON.stringify(report)).not.toContain("owner");
  await other.release();
});

test("a given node has no lease", async () => {
  const { status } = await started({ machineId: 7 });
  expect(await status()).toMatchObject({
    node: { datacenterId: 0, machineId: 7, isLeased: false },
    lease: null,
    nodes: null,
    stores: [{ uses: ["counters"] }],
  });
});

test("it counts requests by route and class of status, and IDs by kind", async () => {
  const { send, status } = await started();
  await send("/generate_uuid?count=5");
  await send("/generate_uuid?count=0");
  await send("/nowhere");
  const { requests, ids } = await status();
  expect(ids).toEqual({ uuid: 5 });
  expect(requests.inFlight).toBe(1);
  expect(requests.routes).toMatchObject([
    { route: "/openapi.json" },
    { route: "/generate_uuid", count: 2, classes: { "2xx": 1, "4xx": 1 } },
    { route: "", count: 1, classes: { "4xx": 1 } },
  ]);
  expect(requests.routes[1].buckets.length).toBe(requests.bucketBoundsMs.length + 1);
});

test("it has the pools with their marks, and the store of each thing", async () => {
  const poolBackend = memory();
  const { send, status } = await started({
    poolBackend,
    leaseBackend: memory(),
    types: { farmer: { length: 10 } },
    rateLimit: { limit: 50, onStoreError: "allow" },
  });
  await send("/v1/idgenerator/farmer/id", { method: "POST" });
  await vi.waitFor(async () => expect((await status()).pools[0].available).toBeGreaterThan(1000), 120_000);
  expect(await status()).toMatchObject({
    pools: [{ type: "farmer", length: 10, state: "ok", lowMark: 1000, highMark: 6000, taken: 1 }],
    stores: [
      { uses: ["counters", "limits"], state: "ok" },
      { uses: ["pools"], state: "ok" },
      { uses: ["leases"], state: "ok" },
    ],
    rateLimit: { limit: 50, windowMs: 60_000, onStoreError: "allow" },
  });
});

test("a store that is down is failing, by its code alone, although no limit can be counted", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const backend = new UnreliableMemory();
  const { send, status } = await started({
    backend,
    rateLimit: { limit: 50 },
    types: { farmer: { length: 10 } },
  });
  expect((await status()).status).toBe("ok");
  backend.isDown = true;
  vi.advanceTimersByTime(2001);
  const report = await status();
  expect(report).toMatchObject({
    status: "failing",
    stores: [{ state: "failing", errorCode: "ERR_BACKEND" }],
    nodes: null,
    pools: [{ state: "failing", available: null }],
  });
  expect(JSON.stringify(report)).not.toContain("10.0.0.5");
  expect((await send("/generate_uuid")).status).toBe(503);
});

test("a store that does not answer is slow after a second, and the report does not wait longer", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const backend = { dialect: "postgres" as const, query: () => new Promise<never>(() => {}) };
  const { service, send } = await openService({ backend, machineId: 1 });
  services.push(service);
  const reading = send("/status");
  await vi.advanceTimersByTimeAsync(1000);
  const report = await (await reading).json();
  expect(report.stores).toEqual([{ kind: "postgres", uses: ["counters"], state: "slow", errorCode: null }]);
  // The probe ends with an error of its own.
  await vi.advanceTimersByTimeAsync(1500);
  const next = await (await send("/status")).json();
  expect(next.stores).toMatchObject([{ state: "failing", errorCode: "ERR_BACKEND" }]);
});

test("the holders are read at most once in two seconds, however many readers there are", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const backend = new UnreliableMemory();
  const { status } = await started({ backend });
  const reads = () => backend.calls.filter((name) => name.includes("lease")).length;
  await status();
  const before = reads();
  await Promise.all(Array.from({ length: 5 }, () => status()));
  expect(reads()).toBe(before);
  vi.advanceTimersByTime(2001);
  await Promise.all(Array.from({ length: 5 }, () => status()));
  expect(reads()).toBe(before + 1);
});

test("it needs a key with the scope watch, and counts in no limit", async () => {
  const { send, status } = await started({
    apiKeys: [
      { name: "orders", keys: ["orders-key-01234567"], scopes: ["issue"] },
      { name: "ops", keys: ["watch-key-012345678"], scopes: ["watch"] },
    ],
    rateLimit: { limit: 1 },
  });
  const withKey = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
  expect((await send("/status")).status).toBe(401);
  expect((await send("/status", withKey("orders-key-01234567"))).status).toBe(403);
  for (let reading = 0; reading < 3; reading++) {
    expect(await status(withKey("watch-key-012345678"))).toMatchObject({ apiKeys: 2, status: "ok" });
  }
});

test("a start that failed is failing with its code", async () => {
  const backend = new UnreliableMemory();
  backend.isDown = true;
  const { service, send } = await openService({ backend });
  services.push(service);
  await expect(service.start()).rejects.toThrow();
  expect(await (await send("/status")).json()).toMatchObject({
    status: "failing",
    startErrorCode: "ERR_BACKEND",
    node: null,
  });
});

// Health on real stores that answer and cannot be written: the probe must notice, and notice when it is over.

import { Redis } from "ioredis";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Backend, fromIORedis, fromPg } from "../../src/backend/index.ts";
import { createService, type ServiceEvent } from "../../src/service/index.ts";
import { startable, startPostgres, startRedis } from "./servers.ts";

/** Starts a service on a store, makes that read-only and writable again, and looks at what health and events say. */
async function watched(backend: Backend, isReadOnly: (yes: boolean) => Promise<unknown>, why: RegExp) {
  const events: ServiceEvent[] = [];
  const service = createService({ backend, machineId: 1, onEvent: (event) => void events.push(event) });
  onTestFinished(() => service.stop());
  await service.start();
  const health = async () => {
    const response = await service(new Request("http://localhost/health"));
    return [response.status, ((await response.json()) as { backend: unknown }).backend];
  };
  const leash = { timeout: 20_000, interval: 100 };
  expect(await health()).toEqual([200, { status: "ok" }]);
  await isReadOnly(true);
  await expect.poll(health, leash).toEqual([503, { status: "failing" }]);
  expect(events).toMatchObject([{ event: "store_down", store: "backend" }]);
  expect(String(events[0]?.error)).toMatch(why);
  await isReadOnly(false);
  await expect.poll(health, leash).toEqual([200, { status: "ok" }]);
  expect(events.map(({ event }) => event)).toEqual(["store_down", "store_up"]);
}

describe.skipIf(!startable.redis)("a Redis", () => {
  test("whose memory is full fails", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const client = new Redis(server.url);
    onTestFinished(() => client.disconnect());
    await watched(fromIORedis(client), (yes) => client.config("SET", "maxmemory", yes ? "1" : "0"), /OOM/);
  });

  test("that must have a replica, and has none, fails", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const client = new Redis(server.url);
    onTestFinished(() => client.disconnect());
    const isReadOnly = (yes: boolean) => client.config("SET", "min-replicas-to-write", yes ? "1" : "0");
    await watched(fromIORedis(client), isReadOnly, /NOREPLICAS/);
  });
});

describe.skipIf(!startable.postgres)("a PostgreSQL", () => {
  test("that is read-only, as a standby is, fails", async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    // One connection, so that what is set for it holds for all that the service asks.
    const client = new pg.Pool({ connectionString: server.url, max: 1 });
    onTestFinished(() => client.end());
    const isReadOnly = (yes: boolean) =>
      client.query(`SET default_transaction_read_only = ${yes ? "on" : "off"}`);
    await watched(fromPg(client), isReadOnly, /read-only transaction/);
  });
});

// Health on real stores that answer and cannot be written: the probe notices when that begins and when it ends.

import { Redis } from "ioredis";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Backend, fromIORedis, fromPg } from "../../src/backend/index.ts";
import { createService, type ServiceEvent } from "../../src/service/index.ts";
import { startable, startPostgres, startRedis } from "./servers.ts";

/** Asserts that health and events show when a store becomes read-only and writable again. */
async function assertHealthFollows(
  backend: Backend,
  setReadOnly: (isReadOnly: boolean) => Promise<unknown>,
  cause: RegExp,
) {
  const events: ServiceEvent[] = [];
  const service = createService({ backend, machineId: 1, onEvent: (event) => void events.push(event) });
  onTestFinished(() => service.stop());
  await service.start();
  const health = async () => {
    const response = await service(new Request("http://localhost/health"));
    return [response.status, ((await response.json()) as { backend: unknown }).backend];
  };
  const poll = { timeout: 20_000, interval: 100 };
  expect(await health()).toEqual([200, { status: "ok" }]);
  await setReadOnly(true);
  await expect.poll(health, poll).toEqual([503, { status: "failing" }]);
  expect(events).toMatchObject([{ event: "store_down", store: "backend" }]);
  expect(String(events[0]?.error)).toMatch(cause);
  await setReadOnly(false);
  await expect.poll(health, poll).toEqual([200, { status: "ok" }]);
  expect(events.map(({ event }) => event)).toEqual(["store_down", "store_up"]);
}

describe.skipIf(!startable.redis)("/health on a Redis", () => {
  test("answers 503 while its memory is full", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const client = new Redis(server.url);
    onTestFinished(() => client.disconnect());
    await assertHealthFollows(
      fromIORedis(client),
      (isReadOnly) => client.config("SET", "maxmemory", isReadOnly ? "1" : "0"),
      /OOM/,
    );
  });

  test("answers 503 while it lacks a replica that it must have", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const client = new Redis(server.url);
    onTestFinished(() => client.disconnect());
    const setReadOnly = (isReadOnly: boolean) =>
      client.config("SET", "min-replicas-to-write", isReadOnly ? "1" : "0");
    await assertHealthFollows(fromIORedis(client), setReadOnly, /NOREPLICAS/);
  });
});

describe.skipIf(!startable.postgres)("/health on a PostgreSQL", () => {
  test("answers 503 while it is read-only, as a standby", async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    // One connection, because the setting is per connection.
    const client = new pg.Pool({ connectionString: server.url, max: 1 });
    onTestFinished(() => client.end());
    const setReadOnly = (isReadOnly: boolean) =>
      client.query(`SET default_transaction_read_only = ${isReadOnly ? "on" : "off"}`);
    await assertHealthFollows(fromPg(client), setReadOnly, /read-only transaction/);
  });
});

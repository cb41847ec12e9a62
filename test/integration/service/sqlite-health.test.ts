// Health on a real SQLite file that another process has locked, or that can only be read.

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fromSqlite } from "../../../src/backend/index.ts";
import { createService } from "../../../src/service/index.ts";

const require = createRequire(import.meta.url);
const { DatabaseSync } = require("node:sqlite") as typeof import("node:sqlite");

/** A file, a service on it, and what its health is. */
async function served() {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-health-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "ids.db");
  const own = new DatabaseSync(path);
  onTestFinished(() => own.close());
  const service = createService({ backend: fromSqlite(own), machineId: 1 });
  onTestFinished(() => service.stop());
  await service.start();
  const status = async () => (await service(new Request("http://localhost/health"))).status;
  expect(await status()).toBe(200);
  return { path, own, status };
}

const leash = { timeout: 20_000, interval: 100 };

test("a file that another process has locked fails until it is free", async () => {
  const { path, status } = await served();
  const other = new DatabaseSync(path);
  onTestFinished(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  await expect.poll(status, leash).toBe(503);
  other.exec("ROLLBACK");
  await expect.poll(status, leash).toBe(200);
});

test("a file that can only be read fails", async () => {
  const { own, status } = await served();
  own.exec("PRAGMA query_only = 1");
  await expect.poll(status, leash).toBe(503);
  own.exec("PRAGMA query_only = 0");
  await expect.poll(status, leash).toBe(200);
});

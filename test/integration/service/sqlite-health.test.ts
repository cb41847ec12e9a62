// Health on a real SQLite file that another process has locked, or that is read-only.

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fromSqlite } from "../../../src/backend/index.ts";
import { createService } from "../../../src/service/index.ts";

const require = createRequire(import.meta.url);
const { DatabaseSync } = require("node:sqlite") as typeof import("node:sqlite");

/** Starts a service on a file. Resolves to a function that returns the status of its health. */
async function serveFile() {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-health-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "ids.db");
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  const service = createService({ backend: fromSqlite(database), machineId: 1 });
  onTestFinished(() => service.stop());
  await service.start();
  const status = async () => (await service(new Request("http://localhost/health"))).status;
  expect(await status()).toBe(200);
  return { path, database, status };
}

const poll = { timeout: 20_000, interval: 100 };

test("/health answers 503 while another process has locked the file", async () => {
  const { path, status } = await serveFile();
  const other = new DatabaseSync(path);
  onTestFinished(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  await expect.poll(status, poll).toBe(503);
  other.exec("ROLLBACK");
  await expect.poll(status, poll).toBe(200);
});

test("/health answers 503 while the file is read-only", async () => {
  const { database, status } = await serveFile();
  database.exec("PRAGMA query_only = 1");
  await expect.poll(status, poll).toBe(503);
  database.exec("PRAGMA query_only = 0");
  await expect.poll(status, poll).toBe(200);
});

// SQLite files that another connection has locked, and statements that fail.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { callStore } from "../../../src/backend/call.ts";
import type { SqlPort } from "../../../src/backend/index.ts";
import { BackendError } from "../../../src/internal.ts";
import { type SqliteConnection, sqliteAdapters } from "../sqlite-clients.ts";
import { failure } from "./outcomes.ts";

const insert = (port: SqlPort, sql = "INSERT INTO t VALUES ($1) RETURNING name") =>
  callStore(
    port,
    "test: insert",
    () => port.query(sql, ["hello"]),
    (answer) => (answer as { name?: string }[])[0].name,
  );

describe.each(sqliteAdapters)("$name", ({ open }) => {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-sqlite-"));
  let connections: SqliteConnection[] = [];
  let port: SqlPort;
  let other: SqlPort;
  let files = 0;
  let file: string;
  beforeEach(async () => {
    file = join(folder, `${files++}.db`);
    connections = [open(file, { timeoutMs: 300 }), open(file)];
    [port, other] = connections.map((connection) => connection.port);
    await other.query("CREATE TABLE t (name TEXT)", []);
    return () => {
      for (const { close } of connections) close();
    };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("waits for a locked file without blocking the event loop", async () => {
    const unhurried = open(file, { timeoutMs: 60_000 });
    connections.push(unhurried);
    await other.query("BEGIN EXCLUSIVE", []);
    const waiting = insert(unhurried.port);
    // Timers run meanwhile.
    for (let ticks = 0; ticks < 30; ticks++) await setTimeout(5);
    await other.query("COMMIT", []);
    expect(await waiting).toBe("hello");
  });

  test("throws when a file stays locked for too long, writes nothing, and works afterwards", async () => {
    await other.query("BEGIN EXCLUSIVE", []);
    const started = performance.now();
    const error = await failure(insert(port));
    expect(performance.now() - started).toBeLessThan(60_000);
    expect(error).toBeInstanceOf(BackendError);
    // Two timers run for the same time: that of callStore(), and that of the adapter, whose error has the reason.
    expect(error.operation).toBe("test: insert");
    expect(error.message).toMatch(/no answer within 300 ms|database is locked/);
    // The last attempt may run shortly after the error.
    await setTimeout(100);
    await other.query("COMMIT", []);
    await setTimeout(100);
    expect(await other.query("SELECT name FROM t", [])).toEqual([]);
    expect(await insert(port)).toBe("hello");
  });

  test("a failed statement gives a BackendError with the client's error as its cause", async () => {
    const error = await failure(insert(port, "SELEKT $1"));
    expect(error).toMatchObject({ reason: "failed", operation: "test: insert", cause: expect.any(Error) });
    expect(error.message).toMatch(/^test: insert: .*syntax error/);
  });

  test("a missing table gives an error that names setup()", async () => {
    const error = await failure(insert(port, "SELECT $1 FROM nowhere"));
    expect(error).toMatchObject({ reason: "failed", cause: expect.any(Error) });
    expect(error.message).toBe("test: insert: has setup() been run? no such table: nowhere");
  });

  test("an unexpected response has another reason than a failure", async () => {
    expect(await failure(insert(port, "SELECT $1 AS other"))).toMatchObject({ reason: "answer" });
    const none = await failure(insert(port, "SELECT $1 WHERE false"));
    expect(none).toMatchObject({ reason: "answer", cause: expect.any(TypeError) });
  });
});

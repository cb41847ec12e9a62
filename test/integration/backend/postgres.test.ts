// The adapters for PostgreSQL: each with its real client on a real server, and PGlite in this process.

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SqlPort } from "../../../src/backend/index.ts";
import { pgliteAdapter, postgresAdapters, type SqlConnection } from "../postgres-clients.ts";

const url = process.env.DATABASE_URL ?? "";
const adapters = url ? [...postgresAdapters, pgliteAdapter] : [pgliteAdapter];

describe.each(adapters)("$name", ({ open }) => {
  const table = `"adapters ${randomUUID()}"`;
  let connection: SqlConnection;
  let port: SqlPort;
  beforeAll(async () => {
    connection = await open(url);
    port = connection.port;
    await port.query(`CREATE TABLE ${table} (name TEXT PRIMARY KEY, last BIGINT NOT NULL)`, []);
  });
  afterAll(async () => {
    await port.query(`DROP TABLE ${table}`, []);
    await connection.close();
  });

  test("returns rows as objects by column name, and an empty array without rows", async () => {
    const rows = await port.query("SELECT n::text, 'x' AS \"The name\" FROM generate_series(1, 2) AS n", []);
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { n: "1", "The name": "x" },
      { n: "2", "The name": "x" },
    ]);
    expect([...(await port.query("SELECT 1 WHERE false", []))]).toEqual([]);
    expect([...(await port.query("CREATE TEMPORARY TABLE nothing_in_it (n INTEGER)", []))]).toEqual([]);
  });

  test("binds parameters by their number: repeated, out of order, more than nine", async () => {
    const [row] = await port.query(
      "SELECT $2::text || $1::text || $2::text AS text, CAST($1 AS BIGINT) + 1 = CAST($3 AS BIGINT) AS more",
      ["4", "b", "5"],
    );
    expect(row).toEqual({ text: "b4b", more: true });
    const letters = [..."abcdefghijkl"];
    const [{ all }] = await port.query(
      `SELECT ${letters.map((_, index) => `$${index + 1}::text`).join(" || ")} AS all`,
      letters,
    );
    expect(all).toBe("abcdefghijkl");
  });

  test.each([
    ["empty", ""],
    ["not ASCII", "žluťoučký 日本 🦊"],
    ["quotes and the like", `'; DROP TABLE x; -- "a" \\ $1 ? %s \r\n`],
    ["1 MB long", "ü".repeat(500_000)],
  ])("keeps a text that is %s", async (_, value) => {
    const [row] = await port.query("SELECT $1::text AS value, $1::text = $2::text AS same", [value, value]);
    expect(row).toEqual({ value, same: true });
  });

  test("upserts and returns an int8 with all digits", async () => {
    const add = `INSERT INTO ${table} AS t (name, last) VALUES ($1, CAST($2 AS BIGINT))
      ON CONFLICT (name) DO UPDATE SET last = t.last + CAST($2 AS BIGINT)
      RETURNING CAST(last AS TEXT) AS last`;
    expect([...(await port.query(add, ["a", "9223372036854775806"]))]).toEqual([
      { last: "9223372036854775806" },
    ]);
    expect([...(await port.query(add, ["a", "1"]))]).toEqual([{ last: "9223372036854775807" }]);
    await expect(port.query(add, ["a", "1"])).rejects.toThrow(/bigint out of range/);
    expect([...(await port.query(add, ["a", "-1"]))]).toEqual([{ last: "9223372036854775806" }]);
  });

  test("rejects when a statement fails, and runs the next one", async () => {
    await expect(port.query("SELEKT 1", [])).rejects.toThrow(/syntax error/);
    await expect(port.query("SELECT $1::bigint", ["x"])).rejects.toThrow(/invalid input syntax/);
    await expect(port.query("SELECT 1 FROM not_there", [])).rejects.toThrow(/does not exist/);
    await expect(port.query("SELECT 1; SELECT $1::text", ["x"])).rejects.toThrow(/multiple commands/);
    expect([...(await port.query("SELECT 'x' AS x", []))]).toEqual([{ x: "x" }]);
  });

  test("gives each of 40 concurrent calls its own answer", async () => {
    const add = `INSERT INTO ${table} AS t (name, last) VALUES ('b', 1)
      ON CONFLICT (name) DO UPDATE SET last = t.last + 1 RETURNING CAST(last AS TEXT) AS last, $1::text AS call`;
    const calls = Array.from({ length: 40 }, (_, call) => port.query(add, [String(call)]));
    const rows = (await Promise.all(calls)).map(([row]) => row);
    expect(rows.map((row) => row.call)).toEqual(rows.map((_, call) => String(call)));
    const values = rows.map((row) => Number(row.last)).sort((a, b) => a - b);
    expect(values).toEqual(rows.map((_, index) => index + 1));
  });
});

// The adapter for SQLite, with both clients.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { sqliteAdapters } from "../sqlite-clients.ts";

describe.each(sqliteAdapters)("$name", ({ open }) => {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-sqlite-"));
  const { port, close } = open(join(folder, "ids.db"));
  afterAll(() => {
    close();
    rmSync(folder, { recursive: true });
  });

  /** The rows as plain objects: node:sqlite gives them no prototype. */
  const rows = async (text: string, ...params: string[]) =>
    (await port.query(text, params)).map((row) => ({ ...row }));

  test("creates a table repeatedly, which returns no rows", async () => {
    const create = "CREATE TABLE IF NOT EXISTS t (name TEXT PRIMARY KEY, last BIGINT NOT NULL)";
    expect(await rows(create)).toEqual([]);
    expect(await rows(create)).toEqual([]);
    expect(await rows("INSERT INTO t VALUES ($1, $2)", "first", "1")).toEqual([]);
    expect(await rows("SELECT name FROM t")).toEqual([{ name: "first" }]);
    expect(await rows("SELECT name FROM t WHERE name = $1", "another")).toEqual([]);
  });

  test("binds parameters by their number: repeated, out of order, more than nine", async () => {
    expect(
      await rows("SELECT $2 || $1 || $2 AS text, CAST($1 AS INTEGER) + 1 = $3 + 0 AS more", "4", "b", "5"),
    ).toEqual([{ text: "b4b", more: 1 }]);
    const letters = [..."abcdefghijkl"];
    expect(
      await rows(`SELECT ${letters.map((_, i) => `$${i + 1}`).join(" || ")} AS "all"`, ...letters),
    ).toEqual([{ all: "abcdefghijkl" }]);
  });

  test.each([
    ["empty", ""],
    ["not ASCII", "žluťoučký 日本 🦊"],
    ["quotes and the like", `'; DROP TABLE x; -- "a" \\ $1 ? %s \r\n`],
    ["1 MB long", "ü".repeat(500_000)],
  ])("keeps a text that is %s", async (_, value) => {
    expect(await rows("SELECT $1 AS value, $1 = $2 AS same", value, value)).toEqual([{ value, same: 1 }]);
  });

  test("upserts and returns an int8 with all digits", async () => {
    const add = `INSERT INTO t (name, last) VALUES ($1, CAST($2 AS INTEGER))
      ON CONFLICT (name) DO UPDATE SET last = last + CAST($2 AS INTEGER) RETURNING CAST(last AS TEXT) AS last`;
    expect(await rows(add, "a", "9223372036854775806")).toEqual([{ last: "9223372036854775806" }]);
    expect(await rows(add, "a", "1")).toEqual([{ last: "9223372036854775807" }]);
  });

  test("rejects when a statement fails, and runs the next one", async () => {
    await expect(rows("SELEKT 1")).rejects.toThrow(/syntax error/);
    await expect(rows("SELECT 1 FROM not_there")).rejects.toThrow(/no such table/);
    await expect(rows("INSERT INTO t VALUES ('first', 2)")).rejects.toThrow(/UNIQUE/);
    expect(await rows("SELECT 'x' AS x")).toEqual([{ x: "x" }]);
  });
});

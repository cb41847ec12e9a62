// The version of a store of cells, which setup() records and compares. setup.test.ts of test/integration has that of tables.

import { describe, expect, test, vi } from "vitest";
import { BackendError, setup } from "../../src/backend/index.ts";
import { VERSION } from "../../src/backend/schemaVersion.ts";
import { memoryCells } from "../support/memoryCells.ts";

const KEY = "bitflake:meta:schema";

test("setup records the version once", async () => {
  const backend = memoryCells();
  expect(await setup(backend)).toBe("");
  expect(JSON.parse(backend.values()[KEY] as string)).toEqual({ version: VERSION, least: 1 });
  backend.calls.length = 0;
  await setup(backend);
  expect(backend.calls).toEqual([`read ${KEY}`]);
});

test("a store that refuses to keep the record is set up without it, and one that is down is not", async () => {
  const backend = memoryCells();
  const refuse = new Error("the bucket has a ttl");
  await setup({ ...backend, swap: () => Promise.reject(refuse) });
  expect(backend.values()).toEqual({});
  const down = { ...backend, read: () => Promise.reject(new Error("down")) };
  await expect(setup(down)).rejects.toMatchObject({ reason: "failed" });
});

test("setup creates what the store needs before it reads its version", async () => {
  const backend = memoryCells();
  const create = vi.fn(async () => {
    expect(backend.calls).toEqual([]);
    return "CREATE";
  });
  expect(await setup({ ...backend, setup: create })).toBe("CREATE");
  expect(create).toHaveBeenCalledOnce();
});

test("in MySQL nothing is created beside cells of a later version that this code cannot use", async () => {
  const backend = memoryCells();
  await backend.swap(KEY, "", JSON.stringify({ version: 9, least: VERSION + 1 }));
  const sent: string[] = [];
  const statement = async (sql: string) => {
    sent.push(sql.split(" ")[0] as string);
    if (sql.startsWith("SELECT") && !sql.includes("bitflake_cells")) {
      throw Object.assign(new Error("no such table"), { errno: 1146 });
    }
    return [];
  };
  const mysql = { ...backend, dialect: "mysql" as const, statement, transaction: vi.fn() };
  await expect(setup(mysql as never)).rejects.toMatchObject({ reason: "schema" });
  expect(sent).toEqual(["SELECT", "SELECT", "SELECT", "SELECT"]);
});

describe("a store of", () => {
  test.each([
    ["an earlier version gets this one", { version: 1, least: 1 }, { version: VERSION, least: 1 }],
    ["a later version that this code can use keeps it", { version: 9, least: VERSION }, undefined],
  ])("%s", async (_title, before, after = before) => {
    const backend = memoryCells();
    await backend.swap(KEY, "", JSON.stringify(before));
    await setup(backend);
    expect(JSON.parse(backend.values()[KEY] as string)).toEqual(after);
  });

  test("a later version that this code cannot use is refused, and keeps it", async () => {
    const backend = memoryCells();
    const later = JSON.stringify({ version: 9, least: VERSION + 1 });
    await backend.swap(KEY, "", later);
    const error = await setup(backend).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({
      reason: "schema",
      operation: "setup",
      message: expect.stringMatching(
        /has version 9 .* needs code of version 3 or later, .* has version 2: update bitflake/,
      ),
    });
    expect(backend.values()[KEY]).toBe(later);
  });

  test.each(["no JSON", "{}", '{"version":"2","least":1}', '{"version":2}'])(
    "a version recorded as %s is an unexpected response",
    async (value) => {
      const backend = memoryCells();
      await backend.swap(KEY, "", value);
      await expect(setup(backend)).rejects.toMatchObject({ reason: "answer" });
    },
  );
});

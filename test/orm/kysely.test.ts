// IdColumnsPlugin without a database: names, values, JSON, options.

import { describe, expect, test } from "vitest";
import { ArgumentError, InvalidIdError } from "../../src/internal.ts";
import { type IdColumnsOptions, IdColumnsPlugin } from "../../src/orm/kysely.ts";

const ID = 911780371413233665n;
const TEXT = String(ID);
const ROUNDED = Number(ID);

/** Reads one row. */
async function read(
  row: object,
  options: IdColumnsOptions = { columns: ["id", "user_id"], jsonColumns: ["orders"] },
) {
  const { rows } = await new IdColumnsPlugin(options).transformResult({ result: { rows: [row] } });
  return rows[0];
}

/** Returns the error of a row. */
const errorOf = (row: object) =>
  read(row).then(
    () => undefined,
    (error: unknown) => error as InvalidIdError,
  );

describe("columns", () => {
  test.each([
    ["a string", TEXT, ID],
    ["a bigint", ID, ID],
    ["a safe integer", 5, 5n],
    ["null", null, null],
    ["undefined", undefined, undefined],
    ["an array, as of a BIGINT[]", [TEXT, null, 5], [ID, null, 5n]],
  ])("%s", async (_title, value, wanted) => {
    expect(await read({ id: value, other: value })).toEqual({ id: wanted, other: value });
  });

  test.each([
    ["a rounded number", ROUNDED, "id must be exact, and not a number that has lost digits (mysql2: set"],
    ["a rounded number in an array", [ROUNDED], "id must be exact"],
    [
      "a text",
      "04W86BB0G4007",
      "id must be an ID from 0 to 2^63-1, as a bigint, decimal string or safe integer",
    ],
    ["a negative number", -5, "id must be an ID from 0"],
    ["a fraction", 0.5, "id must be an ID from 0"],
    ["a bigint past 2^63 - 1", 2n ** 63n, "id must be an ID from 0"],
    ["an object", {}, "id must be an ID from 0"],
  ])("%s is an error", async (_title, value, message) => {
    const error = await errorOf({ id: value });
    expect(error).toBeInstanceOf(InvalidIdError);
    expect(error?.message).toContain(message);
  });

  test("names count in snake case and in camel case", async () => {
    expect(await read({ user_id: "1", userId: "2", USER_ID: "3", user: "4", userIds: "5" })).toEqual({
      user_id: 1n,
      userId: 2n,
      USER_ID: 3n,
      user: "4",
      userIds: "5",
    });
  });

  test("the result keeps its other fields, and the rows of the driver stay as they are", async () => {
    const row = Object.freeze(Object.assign(Object.create(null), { id: TEXT }));
    const given = Object.freeze({ rows: Object.freeze([row]), numAffectedRows: 1n });
    const result = await new IdColumnsPlugin({ columns: ["id"] }).transformResult({ result: given });
    expect(result).toEqual({ rows: [{ id: ID }], numAffectedRows: 1n });
    expect(row.id).toBe(TEXT);
  });

  test("queries stay as they are", () => {
    const node = { kind: "SelectQueryNode" };
    expect(new IdColumnsPlugin({ columns: ["id"] }).transformQuery({ node })).toBe(node);
  });
});

describe("JSON", () => {
  const nested = {
    id: ID,
    lines: [{ user_id: ID, note: "911780371413233665" }],
    total: 12,
    sum: "911780371413233667",
  };
  const text = `{"id":${ID},"lines":[{"user_id":"${ID}","note":"${ID}"}],"total":12,"sum":911780371413233667}`;

  test("text is parsed, at any depth, and other integers past 2^53 are strings", async () => {
    expect(await read({ orders: text })).toEqual({ orders: nested });
    expect(await read({ orders: `[${text},null]` })).toEqual({ orders: [nested, null] });
  });

  test("objects are read, and a Date in them stays", async () => {
    const date = new Date();
    const given = { id: TEXT, lines: [{ user_id: [TEXT], date }], boss: null };
    expect(await read({ orders: given })).toEqual({
      orders: { id: ID, lines: [{ user_id: [ID], date }], boss: null },
    });
    expect(given.id).toBe(TEXT);
    expect(await read({ orders: null })).toEqual({ orders: null });
  });

  test("a rounded number is an error that names its path, in any column", async () => {
    const message = "must be exact, and not a number that has lost digits (cast the ID to text in the query";
    const deep = { lines: [{ userId: ROUNDED }] };
    expect((await errorOf({ orders: deep }))?.message).toContain(`orders.lines.userId ${message}`);
    expect((await errorOf({ payload: deep }))?.message).toContain(`payload.lines.userId ${message}`);
    expect((await errorOf({ payload: { id: [5, ROUNDED] } }))?.message).toContain(`payload.id ${message}`);
  });

  test("an error names at most 64 characters of the path", async () => {
    const error = await errorOf({ payload: { ["x".repeat(1000)]: { id: ROUNDED } } });
    expect(error?.field).toBe(`payload.${"x".repeat(56)}`);
  });

  test("in other columns nothing is converted, and nothing else refused", async () => {
    const payload = { id: "evt_1", user_id: 5, sum: ROUNDED, inner: [{ id: TEXT }, { id: 1e300 / 3e300 }] };
    const row = { payload, text, bytes: new Uint8Array(2), at: new Date() };
    expect(await read(row)).toEqual(row);
  });

  test("a text that is no JSON is an error", async () => {
    expect((await errorOf({ orders: "{" }))?.message).toBe('orders must be JSON, got "{"');
  });
});

describe("options", () => {
  test.each([
    [{}, "columns must be an array of names of columns, got undefined"],
    [{ columns: [] }, "columns must be one or more names of columns, got [object]"],
    [{ columns: "id" }, 'columns must be an array of names of columns, got "id"'],
    [{ columns: ["_"] }, "columns must be an array of names of columns"],
    [{ columns: ["id"], jsonColumns: [1] }, "jsonColumns must be an array of names of columns"],
    [{ columns: ["id"], json: ["orders"] }, 'option must be one of columns, jsonColumns, got "json"'],
    [undefined, "options must be an object, got undefined"],
  ])("%o", (options, message) => {
    const make = () => new IdColumnsPlugin(options as never);
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  });

  test("many names of JSON do not slow it down or confuse it", async () => {
    const keys = Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`key${at}`, TEXT]));
    expect(await read({ orders: { ...keys, user_id: TEXT } })).toEqual({ orders: { ...keys, user_id: ID } });
  });
});

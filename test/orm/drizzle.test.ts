// ID columns of drizzle without drizzle: conversions, SQL types, options.

import { describe, expect, test } from "vitest";
import { ArgumentError, InvalidIdError } from "../../src/internal.ts";
import { type IdColumnOptions, type IdTypeParams, mysqlId, pgId, sqliteId } from "../../src/orm/drizzle.ts";
import { base32, base62, prefixed } from "../../src/text/index.ts";

const ID = 911780371413233665n;
const ROUNDED = Number(ID);

/** Stands for customType: a column is the argument of customType, with a name. */
const customType = (params: IdTypeParams) => (name: string) => ({ ...params, name });

/** Returns the conversions of a column, as drizzle calls them. */
function column<Text extends string = never>(
  make: typeof pgId | typeof mysqlId | typeof sqliteId,
  options?: IdColumnOptions<Text>,
) {
  return make(customType, options)("order_id") as unknown as IdTypeParams & { name: string };
}

/** Stands for drizzle's `sql`. */
const sql = (strings: readonly string[], ...values: string[]) => String.raw({ raw: strings }, ...values);

const dialects = [
  ["pgId", pgId, "bigint", 'text collate "C"', "text", String(ID), "c::text"],
  [
    "mysqlId",
    mysqlId,
    "bigint",
    "varchar(13) character set ascii collate ascii_bin",
    "varchar(19) character set ascii collate ascii_bin",
    ID,
    "cast(c as char)",
  ],
  ["sqliteId", sqliteId, "integer", "text", "text", ID, "cast(c as text)"],
] as const;

describe.each(dialects)("%s", (_title, make, integer, text, decimal, written, cast) => {
  test("stores numbers, as bigints of the program", () => {
    const made = column(make);
    expect(made.dataType()).toBe(integer);
    expect(made.toDriver(ID)).toBe(written);
    expect(made.toDriver(null)).toBe(null);
    for (const value of [ID, String(ID)]) {
      expect(made.fromDriver(value)).toBe(ID);
      expect(made.fromJson(value)).toBe(ID);
    }
    expect(made.fromDriver(5)).toBe(5n);
    expect(made.fromDriver(null)).toBe(null);
    expect(made.forJsonSelect("c", sql)).toBe(cast);
    expect(made.forJsonSelect("c", sql, 2).replace("[][]", "")).toBe(cast);
  });

  test("stores numbers, as texts of the program", () => {
    const made = column(make, { value: prefixed("order", base32) });
    expect(made.dataType()).toBe(integer);
    const shown = `order_${base32.encode(ID)}`;
    expect(made.toDriver(shown)).toBe(written);
    expect(made.fromDriver(String(ID))).toBe(shown);
    expect(made.fromJson(String(ID))).toBe(shown);
  });

  test("stores texts of a codec", () => {
    const made = column(make, { storage: base32 });
    expect(made.dataType()).toBe(text);
    expect(made.toDriver(ID)).toBe(base32.encode(ID));
    expect(made.fromDriver(base32.encode(ID))).toBe(ID);
    expect(made).not.toHaveProperty("forJsonSelect");
    expect(made).not.toHaveProperty("fromJson");
    const other = column(make, { storage: base32, value: base62 });
    expect(other.toDriver(base62.encode(ID))).toBe(base32.encode(ID));
    expect(other.fromDriver(base32.encode(ID))).toBe(base62.encode(ID));
  });

  test("stores decimal text, and takes another SQL type", () => {
    const made = column(make, { storage: "decimal" });
    expect(made.dataType()).toBe(decimal);
    expect(made.toDriver(ID)).toBe(String(ID));
    expect(made.fromDriver(String(ID))).toBe(ID);
    expect(column(make, { dataType: "bigint unsigned" }).dataType()).toBe("bigint unsigned");
  });

  test.each([
    ["a rounded number", ROUNDED, "order_id must be exact, and not a number that has lost digits ("],
    ["text", "x", "order_id must be an ID from 0 to 2^63-1"],
    ["a negative number", -1, "order_id must be an ID"],
    ["undefined", undefined, "order_id must be an ID"],
  ])("refuses %s of the driver", (_what, value, message) => {
    const made = column(make);
    for (const convert of [made.fromDriver, made.fromJson]) {
      expect(() => convert.call(made, value)).toThrow(InvalidIdError);
      expect(() => convert.call(made, value)).toThrow(message);
    }
    // Not called as a method, and without a name.
    expect(() => made.fromDriver.call(undefined, value)).toThrow(/^id must be /);
    expect(() => made.fromDriver.call({ name: "" }, value)).toThrow(/^id must be /);
  });

  test.each([
    [
      {},
      [ROUNDED, "x", -1n, 2n ** 63n, undefined, 0.5],
      "order_id must be a bigint, decimal string or safe integer",
    ],
    [
      { value: prefixed("user", base32) },
      ["order_04W86BB0G4007", "04W86BB0G4007"],
      "order_id must be user_ and 13",
    ],
    [{ value: prefixed("user", base32) }, [ID, 5, {}], "order_id must be a text, got"],
    [{ value: base32, storage: base32 }, ["04w86bb0g4007"], "order_id must be 13 characters of Crockford's"],
  ])("refuses values of the program: %o", (options, values, message) => {
    const made = column(make, options as IdColumnOptions<string>);
    for (const value of values) {
      expect(() => made.toDriver(value)).toThrow(InvalidIdError);
      expect(() => made.toDriver(value)).toThrow(message);
    }
  });

  test("refuses text of the database that is not of its codec", () => {
    const made = column(make, { storage: base32 });
    expect(() => made.fromDriver("04w86bb0g4007")).toThrow("order_id must be 13 characters of Crockford's");
    expect(() => made.fromDriver(ID)).toThrow("order_id must be a text");
  });
});

describe("an ID column", () => {
  test("has the name of the key by default", () => {
    expect(pgId(customType)().name).toBe("");
  });

  test("makes a default in the form of its values", () => {
    let next = ID;
    const source = { nextId: () => next++ };
    expect(pgId(customType).from(source)()).toBe(ID);
    expect(pgId(customType, { value: base32 }).from(source)()).toBe(base32.encode(ID + 1n));
    expect(() => pgId(customType).from({} as never)).toThrow(
      "generator.nextId must be a function, got undefined",
    );
    expect(() => pgId(customType).from(undefined as never)).toThrow(ArgumentError);
  });

  test("passes on an error of a codec that is no error of ours", () => {
    const broken = {
      width: 4,
      encode: () => "text",
      decode: (): bigint => {
        throw new TypeError("broken");
      },
    };
    expect(() => column(pgId, { storage: broken }).fromDriver("text")).toThrow(new TypeError("broken"));
  });

  test.each([
    [{ storage: "text" }, "storage must be base32, base58, base62, hex, prefixed(…) or another codec"],
    [{ storage: { ...base32, width: 0 } }, "storage.width must be a whole number from 1 to 255, got 0"],
    [{ value: { encode() {} } }, "value must be base32, base58, base62"],
    [{ value: null }, "value must be base32, base58, base62"],
    [{ dataType: "" }, 'dataType must be an SQL type, got ""'],
    [{ dataType: 5 }, "dataType must be an SQL type, got 5"],
    [{ codec: base32 }, 'option must be one of value, storage, dataType, got "codec"'],
  ])("refuses options: %o", (options, message) => {
    const make = () => pgId(customType, options as never);
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  });

  test("needs customType", () => {
    expect(() => pgId(undefined as never)).toThrow("customType must be a function, got undefined");
  });
});

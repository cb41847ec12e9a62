// The rows without an ID in the arguments of Prisma's operations. On real clients: test/integration/orm/prisma.test.ts.

import { describe, expect, test } from "vitest";
import { findMissingIds, type ModelWrites, type Schema } from "../../src/orm/prismaWrites.ts";

const ids = (name: string) => new Map([["id", () => `new ${name}`]]);

function model(
  name: string,
  relations: Readonly<Record<string, string>>,
  fields: string[] = [],
): ModelWrites {
  const names = ["id", ...Object.keys(relations), ...fields];
  return { ids: ids(name), relations: new Map(Object.entries(relations)), fields: new Set(names) };
}

const schema: Schema = new Map([
  ["User", model("user", { orders: "Order", boss: "User" })],
  ["Order", model("order", { user: "User", note: "Note" }, ["json"])],
  // A model without IDs to make, and with a field that is called as a part of an update is.
  ["Note", { ...model("note", { author: "User" }, ["data"]), ids: new Map() }],
]);

/** Returns the arguments with the IDs filled in. */
function filled(operation: string, args: unknown, name = "User"): unknown {
  const found = findMissingIds(schema, name, operation, args);
  for (const { row, field, make } of found.missing) row[field] = make();
  return found.args;
}

const user = { id: "new user" };
const order = { id: "new order" };

describe("the rows of an operation", () => {
  test.each([
    ["create", { data: {} }, { data: user }],
    ["create", { data: { id: undefined } }, { data: user }],
    ["create", { data: { id: "given" } }, { data: { id: "given" } }],
    ["create", { data: { id: null } }, { data: { id: null } }],
    ["createMany", { data: [{}, { id: "given" }] }, { data: [user, { id: "given" }] }],
    ["createMany", { data: {}, skipDuplicates: true }, { data: user, skipDuplicates: true }],
    ["createManyAndReturn", { data: [{}] }, { data: [user] }],
    [
      "upsert",
      { where: { id: "a" }, create: {}, update: {} },
      { where: { id: "a" }, create: user, update: {} },
    ],
    ["update", { where: {}, data: {} }, { where: {}, data: {} }],
    ["updateMany", { data: { orders: { create: {} } } }, { data: { orders: { create: {} } } }],
    ["findMany", { where: { orders: { some: {} } } }, { where: { orders: { some: {} } } }],
    ["create", undefined, undefined],
    ["create", {}, {}],
  ])("%s %o", (operation, args, expected) => {
    expect(filled(operation, args)).toEqual(expected);
  });

  test("an unknown model is left alone", () => {
    expect(filled("create", { data: {} }, "Other")).toEqual({ data: {} });
  });
});

describe("nested rows", () => {
  const within = (nested: unknown) => ({ data: { orders: nested } });
  test.each([
    [{ create: {} }, { create: order }],
    [{ create: [{}, { id: 1n }] }, { create: [order, { id: 1n }] }],
    [{ createMany: { data: [{}, {}] } }, { createMany: { data: [order, order] } }],
    [
      { connectOrCreate: [{ where: { id: 1n }, create: {} }] },
      { connectOrCreate: [{ where: { id: 1n }, create: order }] },
    ],
    [
      { upsert: { where: {}, create: {}, update: { user: { create: {} } } } },
      { upsert: { where: {}, create: order, update: { user: { create: user } } } },
    ],
    [
      { update: [{ where: {}, data: { user: { create: {} } } }] },
      { update: [{ where: {}, data: { user: { create: user } } }] },
    ],
    [
      { connect: { id: 1n }, deleteMany: {} },
      { connect: { id: 1n }, deleteMany: {} },
    ],
    [{ create: undefined }, { create: undefined }],
  ])("of an update %o", (nested, expected) => {
    expect(filled("update", within(nested))).toEqual(within(expected));
  });

  test("are found at any depth, in models without IDs too", () => {
    const data = {
      boss: { create: { orders: { create: [{ note: { create: { author: { create: {} } } } }] } } },
    };
    expect(filled("create", { data })).toEqual({
      data: {
        ...user,
        boss: {
          create: {
            ...user,
            orders: { create: [{ ...order, note: { create: { author: { create: user } } } }] },
          },
        },
      },
    });
  });

  test("of a relation to one: its update is the data, or has a condition and the data", () => {
    const change = { boss: { create: {} } };
    const expected = { boss: { create: user } };
    const update = (value: unknown) => filled("update", { data: { user: { update: value } } }, "Order");
    expect(update(change)).toEqual({ data: { user: { update: expected } } });
    expect(update({ data: change })).toEqual({ data: { user: { update: { data: expected } } } });
    // Note has a field data, whose JSON is no change.
    const json = { data: { author: { create: {} } } };
    const note = (value: unknown) => filled("update", { data: { note: { update: value } } }, "Order");
    expect(note(json)).toEqual({ data: { note: { update: json } } });
    expect(note({ where: {}, ...json })).toEqual({
      data: { note: { update: { where: {}, data: { author: { create: user } } } } },
    });
  });

  test("get their IDs after the row that they are in", () => {
    const args = { data: { orders: { create: [{}, {}] } } };
    const { missing } = findMissingIds(schema, "User", "create", args);
    expect(missing.map(({ make }) => make())).toEqual(["new user", "new order", "new order"]);
  });
});

test("the arguments are not changed, and values that are no rows are passed as they are", () => {
  class Skip {}
  const skip = new Skip();
  const json = { orders: { create: {} } };
  const args = { data: { json, user: { create: skip }, note: skip } };
  const { args: copy, missing } = findMissingIds(schema, "Order", "create", args);
  expect(missing).toHaveLength(1);
  expect(args).toEqual({ data: { json, user: { create: skip }, note: skip } });
  const { data } = copy as typeof args;
  expect([data.json, data.user.create, data.note]).toEqual([json, skip, skip]);
  expect(data.json).toBe(json);
  expect(data.user.create).toBe(skip);
});

test("a rounded number is refused", () => {
  expect(filled("create", { data: { id: 5 } })).toEqual({ data: { id: 5 } });
  expect(() => filled("create", { data: { orders: { create: { id: 2 ** 53 } } } })).toThrow(
    "id must be a bigint, because numbers beyond 2^53 are rounded, got 9007199254740992",
  );
});

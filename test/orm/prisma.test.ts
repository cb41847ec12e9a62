// The options of bitflake/prisma, and the extension on a client that records. On real clients: test/integration/orm.

import { describe, expect, test } from "vitest";
import { idExtension, type PrismaDatamodel, type PrismaField } from "../../src/orm/prisma.ts";

const scalar = (name: string, type = "BigInt"): PrismaField => ({ name, kind: "scalar", type });
const relation = (name: string, type: string): PrismaField => ({ name, kind: "object", type });
const fields = {
  User: [scalar("id"), relation("orders", "Order"), relation("address", "Address")],
  Order: [scalar("id"), relation("user", "User")],
};
const byName: PrismaDatamodel = {
  models: { User: { fields: fields.User }, Order: { fields: fields.Order } },
};
const asList: PrismaDatamodel = {
  models: Object.entries(fields).map(([name, list]) => ({ name, fields: list })),
};

type Operations = (call: {
  model: string;
  operation: string;
  args: unknown;
  query: (args: unknown) => unknown;
}) => Promise<unknown>;

/** Extends a client. Returns the function that runs for each operation. */
function extended(extension: ReturnType<typeof idExtension>, datamodel?: unknown): Operations {
  const client = {
    _runtimeDataModel: datamodel,
    $extends: ({ query }: { query: { $allModels: { $allOperations: Operations } } }) =>
      query.$allModels.$allOperations,
  };
  return extension(client) as never;
}

const create = (args: unknown, query: (args: unknown) => unknown = (filled) => filled) => ({
  model: "User",
  operation: "create",
  args,
  query,
});

describe("the options", () => {
  test.each([
    [undefined, "options must be an object, got undefined"],
    [{}, "models must be an object, got undefined"],
    [{ models: [] }, "models must be an object, got [object]"],
    [{ models: {}, model: {} }, 'option must be one of models, datamodel, got "model"'],
  ])("%o is refused", (options, message) => {
    expect(() => idExtension(options as never)).toThrow(message);
  });

  test.each([
    [{ Users: {} }, 'model must be one of User, Order, got "Users"'],
    [{ toString: {} }, 'model must be one of User, Order, got "toString"'],
    [{ User: () => 1n }, "models.User must be an object, got [function]"],
    [{ User: { id: 1n } }, "models.User.id must be a function, got 1n"],
    [
      { User: { key: () => 1n } },
      'field of models.User must be a field of the model that is no relation, got "key"',
    ],
    [{ User: { orders: () => 1n } }, "field of models.User must be a field"],
  ])("models %o are refused by the schema", (models, message) => {
    expect(() => extended(idExtension({ models: models as never }), byName)).toThrow(message);
  });

  test.each([
    [undefined],
    [{}],
    [{ models: {} }],
    [{ models: [] }],
    [{ models: { User: {} } }],
    [{ models: [null] }],
  ])("the data model %o is refused", (datamodel) => {
    const models = { User: { id: () => 1n } };
    const message = "datamodel must be the datamodel of Prisma, with the fields of the models, got";
    expect(() => extended(idExtension({ models }), datamodel)).toThrow(message);
    if (datamodel)
      expect(() => extended(idExtension({ models, datamodel: datamodel as never }))).toThrow(message);
  });
});

describe("the extension", () => {
  test.each([
    ["the client's data model", undefined, byName],
    ["one that is given by names", byName, undefined],
    ["one that is given as a list", asList, { models: {} }],
  ])("fills IDs with %s", async (_title, datamodel, own) => {
    let last = 0n;
    const make = () => ++last;
    const models = { User: { id: make }, Order: { id: async () => make() } };
    const run = extended(idExtension({ models, datamodel }), own);
    const args = { data: { orders: { create: [{}, { id: 7n }, {}] } } };
    expect(await run(create(args))).toEqual({
      data: { id: 1n, orders: { create: [{ id: 2n }, { id: 7n }, { id: 3n }] } },
    });
  });

  test("runs no query if an ID cannot be made", async () => {
    const failure = new Error("the clock went back");
    const models = {
      User: {
        id: () => {
          throw failure;
        },
      },
    };
    const run = extended(idExtension({ models }), byName);
    const query = () => {
      throw new Error("it has run");
    };
    await expect(run(create({ data: {} }, query))).rejects.toBe(failure);
  });

  test("leaves models that are not named alone", async () => {
    const run = extended(idExtension({ models: { Order: { id: () => 1n } } }), byName);
    const address = { create: {} };
    expect(await run(create({ data: { address, orders: { create: {} } } }))).toEqual({
      data: { address, orders: { create: { id: 1n } } },
    });
  });
});

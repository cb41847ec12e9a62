// Transformers, columns and the subscriber of bitflake/typeorm. With TypeORM: test/integration/orm/typeorm.test.ts.

import { describe, expect, test } from "vitest";
import { InvalidIdError } from "../../src/index.ts";
import { IdSubscriber, type IdTransformer, idColumn, idTransformer } from "../../src/orm/typeorm.ts";
import { base32, base62, prefixed } from "../../src/text/index.ts";

const ID = 911780371413233665n;
const users = prefixed("user", base32);

describe("the transformer", () => {
  test.each([
    ["bigint", ID, ID],
    ["string", String(ID), String(ID)],
    [base62, base62.encode(ID), base62.encode(ID)],
    [users, users.encode(ID), users.encode(ID)],
  ] as const)("of %o keeps properties, and reads the same", (form, property, stored) => {
    const { to, from } = idTransformer({ form });
    expect(to(property)).toBe(stored);
    expect(from(stored)).toBe(property);
    for (const none of [null, undefined]) expect([to(none), from(none)]).toEqual([none, none]);
    expect([to([property, null]), from([stored, null])]).toEqual([
      [stored, null],
      [property, null],
    ]);
    // TypeORM transforms the values of an operator again when it is used again.
    expect(to(to(property))).toBe(stored);
  });

  test("takes each way to write an ID", () => {
    expect([String(ID), ID, 5].map(idTransformer().to)).toEqual([ID, ID, 5n]);
    expect([String(ID), ID, 5].map(idTransformer({ form: "string" }).to)).toEqual([
      String(ID),
      String(ID),
      "5",
    ]);
    expect([users.encode(ID), ID].map(idTransformer({ form: users }).to)).toEqual([
      users.encode(ID),
      users.encode(ID),
    ]);
  });

  test("reads the values of drivers", () => {
    expect([String(ID), ID, 5].map(idTransformer().from)).toEqual([ID, ID, 5n]);
    expect([String(ID), ID, 5].map(idTransformer({ form: "string" }).from)).toEqual([
      String(ID),
      String(ID),
      "5",
    ]);
  });

  test.each(["bigint", "string"] as const)("of %s refuses a number that was rounded", (form) => {
    const { to, from } = idTransformer({ form });
    const rounded = Number(ID);
    expect(() => to(rounded)).toThrow(InvalidIdError);
    expect(() => from(rounded)).toThrow(
      `id must be exact, and not a number that has lost digits (have the driver return BIGINT as a string or bigint), got ${rounded}`,
    );
  });

  test.each(["bigint", "string", base32, users] as const)("of %o refuses other values", (form) => {
    const { to, from } = idTransformer({ form });
    for (const value of ["", "05", "order_04W86BB0G4007", -1n, 2n ** 63n, {}, true, [""]]) {
      expect(() => to(value)).toThrow(InvalidIdError);
      expect(() => from(value)).toThrow(InvalidIdError);
    }
  });

  test("a custom codec may read several texts: the column has the one that it writes", () => {
    const { to, from } = idTransformer({ form: base32.lenient });
    expect([to("04w86bb0g4oo7"), from("04w86bb0g4oo7")]).toEqual(["04W86BB0G4007", "04W86BB0G4007"]);
  });
});

describe("the column", () => {
  test("has the type of the form", () => {
    expect(idColumn()).toEqual({ type: "bigint", transformer: expect.anything() });
    expect(idColumn({ form: "string" })).toMatchObject({ type: "bigint" });
    expect(idColumn({ form: users })).toMatchObject({ type: "varchar", length: 18 });
  });

  test.each([
    [{ form: "text" }, 'form must be "bigint", "string" or a codec of bitflake/text, got "text"'],
    [{ form: null }, 'form must be "bigint", "string" or a codec of bitflake/text, got null'],
    [{ form: {} }, 'form must be "bigint", "string" or a codec of bitflake/text, got [object]'],
    [{ generate: 1n }, "generate must be a function, got 1n"],
    [{ generator: () => 1n }, 'option must be one of form, generate, got "generator"'],
    [null, "options must be an object, got null"],
  ])("%o is refused", (options, message) => {
    expect(() => idColumn(options as never)).toThrow(message);
    expect(() => idTransformer(options as never)).toThrow(message);
  });
});

describe("the subscriber", () => {
  /** Returns the metadata of a column. */
  const column = (name: string, transformer: unknown, isPrimary = false) => ({
    isPrimary,
    transformer,
    getEntityValue: (entity: Record<string, unknown>) => entity[name],
    setEntityValue: (entity: Record<string, unknown>, value: unknown) => {
      entity[name] = value;
    },
  });
  const metadata = {
    columns: [
      column("id", idTransformer({ generate: () => ID }), true),
      column("key", [idTransformer({ form: users, generate: async () => ID }), {}]),
      column("foreign", idTransformer()),
      column("other", { to: () => 1, from: () => 1 }),
      column("plain", undefined),
    ],
  };
  const filled = async (entity: object) => {
    await new IdSubscriber().beforeInsert({ entity, metadata });
    return entity;
  };

  test("fills the columns with generate, in their form", async () => {
    expect(await filled({})).toEqual({ id: ID, key: users.encode(ID) });
    expect(await filled({ id: null, key: undefined })).toEqual({ id: ID, key: users.encode(ID) });
  });

  test("keeps values, and null in a column that is no primary key", async () => {
    expect(await filled({ id: 5n, key: null })).toEqual({ id: 5n, key: null });
  });

  test("refuses an ID that is none, and rejects if none can be made", async () => {
    const of = (transformer: IdTransformer) => ({
      entity: {},
      metadata: { columns: [column("id", transformer)] },
    });
    const subscriber = new IdSubscriber();
    await expect(subscriber.beforeInsert(of(idTransformer({ generate: () => -1n })))).rejects.toThrow(
      InvalidIdError,
    );
    const failure = new Error("the clock went back");
    const generate = () => {
      throw failure;
    };
    await expect(subscriber.beforeInsert(of(idTransformer({ generate })))).rejects.toBe(failure);
  });

  test("is refused something that is no event", async () => {
    await expect(new IdSubscriber().beforeInsert(undefined as never)).rejects.toThrow(
      "event must be an object",
    );
  });
});

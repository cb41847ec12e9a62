// bitflake/drizzle on PostgreSQL, MariaDB and SQLite, with drizzle-orm 0.45 and 1: exact IDs in both directions.

import { InvalidIdError, parseExactJson } from "bitflake/drizzle";
import { between, eq, getTableColumns, inArray, sql } from "drizzle-orm";
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { type Engine, engines, generator, type Opened, userCodec } from "./drizzle-databases.ts";

const opened: Opened[] = [];
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close();
});

/** Opens a database with empty tables that end with the connection. */
async function open(engine: Engine, exact = true): Promise<Opened> {
  const database = engine.open(exact);
  opened.push(database);
  for (const [name, table] of Object.entries({ users: database.users, orders: database.orders })) {
    const columns = Object.values(getTableColumns(table)).map(
      (column) => `${column.name} ${column.getSQLType()}`,
    );
    await database.run(`CREATE TEMPORARY TABLE ${name} (${columns.join(", ")}, PRIMARY KEY (id))`);
  }
  return database;
}

/** The second ID of a batch, which a number cannot hold: the first has sequence 0. */
const oddId = (): bigint => generator.nextIds(2)[1] as bigint;

/** Returns the error of a query, without the wrapper that drizzle may put around it. */
async function errorOf(query: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await query();
  } catch (error) {
    return error instanceof InvalidIdError ? error : (error as Error).cause;
  }
  return undefined;
}

describe.each(engines.filter(({ isHere }) => isHere))("$name", (engine) => {
  test("writes and reads IDs exactly: as bigints, prefixed, as text, and null", async () => {
    const { db, users, orders } = await open(engine);
    const user = userCodec.encode(oddId());
    const row = { id: oddId(), userId: user, code: oddId(), place: "a" };
    await db.insert(users).values({ id: user });
    await db.insert(orders).values([row, { ...row, id: oddId(), code: null }]);
    expect(await db.select().from(users)).toEqual([{ id: user, bossId: null }]);
    expect(await db.select().from(orders).where(eq(orders.id, row.id))).toEqual([row]);
    expect(await db.select().from(orders).where(eq(orders.code, row.code))).toEqual([row]);
    const code = oddId();
    await db.update(orders).set({ code }).where(eq(orders.userId, user));
    const codes = await db
      .select({ code: orders.code })
      .from(orders)
      .where(inArray(orders.id, [row.id, 5n]));
    expect(codes).toEqual([{ code }]);
  });

  test("stores numbers as numbers and texts as texts", async () => {
    const { db, users, orders, run } = await open(engine);
    const [id, code] = [oddId(), oddId()];
    await db.insert(users).values({ id: userCodec.encode(id) });
    await db.insert(orders).values({ id, userId: userCodec.encode(id), code, place: "a" });
    const found = `SELECT 1 FROM orders, users WHERE orders.id = ${id} AND users.id = ${id} AND user_id = ${id}`;
    expect(await run(`${found} AND code = '${userCodec.encode(code).slice(5)}'`)).toHaveLength(1);
  });

  test("makes IDs for rows without one, many in one insert, and finds them by time", async () => {
    const { db, users, orders } = await open(engine);
    const from = Date.now();
    await db.insert(users).values([{}, {}]);
    const [user] = await db.select().from(users);
    const userId = userCodec.parse(user?.id);
    await db
      .insert(orders)
      .values(Array.from({ length: 200 }, (_, place) => ({ userId, code: oddId(), place: `${place}` })));
    const { min, max } = generator.range(from, Date.now() + 1);
    const rows = await db
      .select()
      .from(orders)
      .where(between(orders.id, min, max))
      .orderBy(orders.id);
    expect(rows.map(({ place }) => Number(place))).toEqual(Array.from({ length: 200 }, (_, at) => at));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(200);
    // Texts of a codec sort as the IDs do.
    const byCode = await db
      .select()
      .from(orders)
      .where(between(orders.code, min, max))
      .orderBy(orders.code);
    expect(byCode.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    const before = generator.range(from - 10_000, from - 5000);
    expect(
      await db
        .select()
        .from(orders)
        .where(between(orders.id, before.min, before.max)),
    ).toEqual([]);
    if (!engine.hasReturning) return;
    const [made] = await db.insert(orders).values({ userId, place: "a" }).returning();
    expect(
      await db
        .select()
        .from(orders)
        .where(eq(orders.id, made?.id as bigint)),
    ).toEqual([made]);
  });

  test("joins, and prepares statements with placeholders, null too", async () => {
    const { db, users, orders } = await open(engine);
    const [ada, bob] = [userCodec.encode(oddId()), userCodec.encode(oddId())];
    await db.insert(users).values([{ id: ada }, { id: bob, bossId: ada }]);
    const id = oddId();
    const values = { id: sql.placeholder("id"), userId: ada, code: sql.placeholder("code"), place: "a" };
    const insert = db.insert(orders).values(values).prepare("insert_order");
    await insert.execute({ id, code: null });
    expect(await errorOf(() => insert.execute({ id: "01", code: null }))).toMatchObject({
      field: "id",
      value: '"01"',
    });
    const joined = await db
      .select({ user: users.id, order: orders.id })
      .from(users)
      .leftJoin(orders, eq(orders.userId, users.id))
      .orderBy(users.id);
    expect(joined).toEqual([
      { user: ada, order: id },
      { user: bob, order: null },
    ]);
  });

  test("refuses a value that is no ID, and writes nothing", async () => {
    const { db, users, orders } = await open(engine);
    const user = userCodec.encode(oddId());
    const good = { id: oddId(), userId: user, code: oddId(), place: "a" };
    const bad: [object, string][] = [
      [
        { id: 2n ** 63n },
        "id must be a bigint, decimal string or safe integer from 0 to 2^63-1, got 9223372036854775808n",
      ],
      [{ id: -1n }, "got -1n"],
      [{ id: 911780371413233700 }, "got 911780371413233700"],
      [{ id: "0x10" }, 'got "0x10"'],
      [{ code: 1.5 }, "code must be a bigint"],
      [
        { userId: "order_04W86BB0G4007" },
        'user_id must be user_ and 11 characters, got "order_04W86BB0G4007"',
      ],
      [{ userId: oddId() }, "user_id must be a text, got "],
    ];
    for (const [change, message] of bad) {
      const error = await errorOf(async () => db.insert(orders).values({ ...good, ...change }));
      expect(error).toBeInstanceOf(InvalidIdError);
      expect((error as Error).message).toContain(message);
    }
    expect(
      await errorOf(async () =>
        db
          .select()
          .from(users)
          .where(eq(users.id, "5" as never)),
      ),
    ).toBeInstanceOf(InvalidIdError);
    expect(await db.select().from(orders)).toEqual([]);
  });

  test("refuses a number that the driver has rounded, and a row with something else", async () => {
    const { db, users, orders, run } = await open(engine, false);
    const restore = pg.types.getTypeParser(pg.types.builtins.INT8);
    pg.types.setTypeParser(pg.types.builtins.INT8, Number);
    try {
      await db.insert(users).values({ id: userCodec.encode(oddId()) });
      const error = await errorOf(async () => db.select().from(users));
      expect(error).toMatchObject({ code: "ERR_INVALID_ID", field: "id" });
      expect((error as Error).message).toMatch(/digits \(.*(INT8|supportBigNumbers|defaultSafeIntegers)/);
      await db.delete(users);
      await run("INSERT INTO users (id) VALUES (-5)");
      expect(await errorOf(async () => db.select().from(users))).toMatchObject({ field: "id", value: "-5" });
      await db.update(users).set({ id: userCodec.encode(5n) });
      // A small number is exact.
      expect(await db.select().from(users)).toEqual([{ id: userCodec.encode(5n), bossId: null }]);
      await run("INSERT INTO orders (id, user_id, code, place) VALUES (1, 5, '?', 'a')");
      expect(await errorOf(async () => db.select().from(orders))).toMatchObject({
        field: "code",
        value: '"?"',
      });
    } finally {
      pg.types.setTypeParser(pg.types.builtins.INT8, restore);
    }
  });

  if (!engine.hasRelations)
    test("casts IDs to text in relational queries", async () => {
      const { sql: text } = (await open(engine)).db.query.users.findMany({ with: { orders: true } }).toSQL();
      expect(text.match(/cast\(`\w+`.`(id|user_id)` as char\)/g)).toHaveLength(2);
    });

  if (engine.hasRelations)
    test("reads relations exactly, or refuses them", async () => {
      const { db, users, orders } = await open(engine);
      const user = userCodec.encode(oddId());
      const order = { id: oddId(), userId: user, code: oddId(), place: "a" };
      await db.insert(users).values({ id: user });
      await db.insert(orders).values(order);
      const findUsers = async () => db.query.users.findMany({ with: { orders: true } });
      const isExact = async () => {
        expect(await findUsers()).toEqual([{ id: user, bossId: null, orders: [order] }]);
        const found = await db.query.orders.findMany({ with: { user: true } });
        expect(found).toEqual([{ ...order, user: { id: user, bossId: null } }]);
      };
      if (engine.isExactInJson) return isExact();
      if (engine.name.startsWith("MariaDB")) {
        // mysql2 parses JSON exactly. The other direction is a query that MariaDB cannot run.
        expect(await findUsers()).toEqual([{ id: user, bossId: null, orders: [order] }]);
        return;
      }
      const error = await errorOf(findUsers);
      expect(error).toMatchObject({ code: "ERR_INVALID_ID", field: "id" });
      expect((error as Error).message).toContain("in relational queries");
      // Text is exact.
      const ofText = { with: { orders: { columns: { code: true } } } } as const;
      const found = await db.query.users.findMany(ofText);
      expect(found).toEqual([{ id: user, bossId: null, orders: [{ code: order.code }] }]);
      if (!engine.name.startsWith("PostgreSQL")) return;
      const restore = pg.types.getTypeParser(pg.types.builtins.JSON);
      pg.types.setTypeParser(pg.types.builtins.JSON, parseExactJson);
      try {
        await isExact();
      } finally {
        pg.types.setTypeParser(pg.types.builtins.JSON, restore);
      }
    });
});

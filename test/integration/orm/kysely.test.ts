// bitflake/kysely on PostgreSQL, MariaDB and SQLite: named columns are bigints, and rounded ones are errors.

import { createRequire } from "node:module";
import Database from "better-sqlite3";
import { makeGenerator } from "bitflake";
import { IdColumnsPlugin, InvalidIdError, parseExactJson } from "bitflake/kysely";
import {
  CamelCasePlugin,
  type Dialect,
  type ExpressionBuilder,
  Kysely,
  type KyselyPlugin,
  MysqlDialect,
  ParseJSONResultsPlugin,
  PostgresDialect,
  type RawBuilder,
  type SelectQueryBuilder,
  SqliteDialect,
  sql,
} from "kysely";
import * as onPostgres from "kysely/helpers/postgres";
import * as onSqlite from "kysely/helpers/sqlite";
import { Kysely as Kysely28, SqliteDialect as SqliteDialect28 } from "kysely28";
import mysql from "mysql2";
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { sqliteHere } from "../sqlite-here.ts";

interface Tables {
  users: { id: bigint; boss_id: bigint | null; name: string };
  orders: { id: bigint; user_id: bigint; note: string | null };
}

type Nested = { id: bigint; user_id: bigint };

interface Engine {
  readonly name: string;
  readonly isHere: boolean;
  /** @param exact whether the driver is set to return exact IDs */
  dialect(exact: boolean): Dialect;
  /**
   * Selects the orders of a user as JSON.
   *
   * @param isText whether IDs are cast to text
   */
  orders(eb: ExpressionBuilder<Tables, "users">, isText: boolean): RawBuilder<Nested[]>;
}

const { DATABASE_URL, MYSQL_URL } = process.env;
const INT8 = pg.types.builtins.INT8;

/** Selects the orders of a user. */
function ordersOf(eb: ExpressionBuilder<Tables, "users">, isText: boolean) {
  return eb
    .selectFrom("orders")
    .select((inner) => [
      isText ? inner.cast<bigint>("orders.id", "text").as("id") : "orders.id",
      isText ? inner.cast<bigint>("user_id", "text").as("user_id") : "user_id",
    ])
    .whereRef("orders.user_id", "=", "users.id") as SelectQueryBuilder<Tables, "orders", Nested>;
}

const engines: readonly Engine[] = [
  {
    name: "PostgreSQL",
    isHere: Boolean(DATABASE_URL),
    // One connection, because each has temporary tables of its own.
    dialect(exact) {
      const number = {
        getTypeParser: (type: number) => (type === INT8 ? Number : pg.types.getTypeParser(type)),
      };
      const types = exact ? undefined : (number as pg.CustomTypesConfig);
      return new PostgresDialect({ pool: new pg.Pool({ connectionString: DATABASE_URL, max: 1, types }) });
    },
    orders: (eb, isText) => onPostgres.jsonArrayFrom(ordersOf(eb, isText)).$castTo<Nested[]>(),
  },
  {
    name: "MariaDB",
    isHere: Boolean(MYSQL_URL),
    dialect(exact) {
      const numbers = exact ? { supportBigNumbers: true, bigNumberStrings: true } : {};
      return new MysqlDialect({ pool: mysql.createPool({ uri: MYSQL_URL, connectionLimit: 1, ...numbers }) });
    },
    // MariaDB can run no query of the helper, whose derived table refers to the outer query.
    orders: (_eb, isText) => {
      const id = (name: string) => (isText ? sql`cast(${sql.ref(name)} as char)` : sql.ref(name));
      return sql`(select json_arrayagg(json_object('id', ${id("orders.id")}, 'user_id', ${id("user_id")}))
        from orders where user_id = users.id)`;
    },
  },
  {
    name: "SQLite",
    isHere: sqliteHere.better,
    dialect(exact) {
      const database = new Database(":memory:");
      database.defaultSafeIntegers(exact);
      return new SqliteDialect({ database });
    },
    orders: (eb, isText) => onSqlite.jsonArrayFrom(ordersOf(eb, isText)).$castTo<Nested[]>(),
  },
];

const ids = makeGenerator("twitter", { machineId: 7 });
/** The second ID of a batch, which a number cannot hold: the first has sequence 0. */
const oddId = (): bigint => ids.nextIds(2)[1] as bigint;
const columns = ["id", "user_id", "boss_id"];

const opened: Kysely<Tables>[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.destroy();
});

/** Opens a database with empty tables that end with the connection. */
async function open(engine: Engine, plugins: KyselyPlugin[], exact = true): Promise<Kysely<Tables>> {
  const db = new Kysely<Tables>({ dialect: engine.dialect(exact), plugins });
  opened.push(db);
  const bare = db.withoutPlugins();
  await sql`CREATE TEMPORARY TABLE users (id BIGINT PRIMARY KEY, boss_id BIGINT, name VARCHAR(99))`.execute(
    bare,
  );
  await sql`CREATE TEMPORARY TABLE orders (id BIGINT PRIMARY KEY, user_id BIGINT, note VARCHAR(99))`.execute(
    bare,
  );
  return db;
}

describe.each(engines.filter(({ isHere }) => isHere))("$name", (engine) => {
  test("columns are bigints: selected, joined, by time, many rows, null", async () => {
    const db = await open(engine, [new IdColumnsPlugin({ columns })]);
    const [ada, bob] = [oddId(), oddId()];
    const users = [
      { id: ada, boss_id: null, name: "911780371413233665" },
      { id: bob, boss_id: ada, name: "Bob" },
    ];
    await db.insertInto("users").values(users).execute();
    expect(await db.selectFrom("users").selectAll().orderBy("id").execute()).toEqual(users);
    expect(await db.selectFrom("users").select("boss_id").where("id", "in", [bob, 5n]).execute()).toEqual([
      { boss_id: ada },
    ]);
    const from = Date.now();
    const orders = Array.from({ length: 200 }, () => ({ id: oddId(), user_id: bob, note: null }));
    await db.insertInto("orders").values(orders).execute();
    const { min, max } = ids.range(from, Date.now() + 1);
    const found = await db
      .selectFrom("orders")
      .innerJoin("users", "users.id", "orders.user_id")
      .select(["orders.id", "user_id", "boss_id"])
      .where("orders.id", ">=", min)
      .where("orders.id", "<=", max)
      .orderBy("orders.id")
      .execute();
    expect(found).toEqual(orders.map(({ id }) => ({ id, user_id: bob, boss_id: ada })));
  });

  test.each([
    ["after", (plugin: IdColumnsPlugin) => [new CamelCasePlugin(), plugin]],
    ["before", (plugin: IdColumnsPlugin) => [plugin, new CamelCasePlugin()]],
  ])("it works %s CamelCasePlugin", async (_title, plugins) => {
    const db = await open(engine, plugins(new IdColumnsPlugin({ columns })));
    const camel = db as unknown as Kysely<{ users: { id: bigint; bossId: bigint } }>;
    const row = { id: oddId(), bossId: oddId() };
    await camel.insertInto("users").values(row).execute();
    expect(await camel.selectFrom("users").select(["id", "bossId"]).execute()).toEqual([row]);
  });

  test("a rounded number is an error that names the column and the setting, and a small number is exact", async () => {
    const db = await open(engine, [new IdColumnsPlugin({ columns })], false);
    await db.insertInto("users").values({ id: 5n, boss_id: oddId(), name: "" }).execute();
    expect(await db.selectFrom("users").select("id").execute()).toEqual([{ id: 5n }]);
    const error = await db
      .selectFrom("users")
      .selectAll()
      .execute()
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(InvalidIdError);
    expect((error as Error).message).toMatch(
      /^boss_id must be exact, .*mysql2: set supportBigNumbers.*defaultSafeIntegers.*got \d{18,19}$/,
    );
  });

  test("JSON of rows: exact where it is text or the IDs are, else an error", async () => {
    const nested = new IdColumnsPlugin({ columns, jsonColumns: ["orders"] });
    const db = await open(engine, [nested]);
    const [user, order] = [oddId(), oddId()];
    await db.insertInto("users").values({ id: user, boss_id: null, name: "" }).execute();
    await db.insertInto("orders").values({ id: order, user_id: user, note: null }).execute();
    const find = (from: Kysely<Tables>, isText: boolean) =>
      from
        .selectFrom("users")
        .select((eb) => engine.orders(eb, isText).as("orders"))
        .execute();
    const exact = [{ orders: [{ id: order, user_id: user }] }];
    expect(await find(db, true)).toEqual(exact);
    const isRefused = expect.objectContaining({
      field: "orders.id",
      message: expect.stringContaining("cast the ID"),
    });
    // PostgreSQL's driver parses JSON; that of MariaDB does so exactly; SQLite returns text, whose numbers are exact.
    if (engine.name !== "PostgreSQL") {
      expect(await find(db, false)).toEqual(exact);
      if (engine.name !== "SQLite") return;
      const parsed = db.withoutPlugins().withPlugin(new ParseJSONResultsPlugin());
      await expect(find(parsed.withPlugin(nested), false)).rejects.toEqual(isRefused);
      return;
    }
    await expect(find(db, false)).rejects.toEqual(isRefused);
    // Also where the JSON is not to be converted.
    const plain = db.withoutPlugins().withPlugin(new IdColumnsPlugin({ columns }));
    await expect(find(plain, false)).rejects.toEqual(isRefused);
    const restore = pg.types.getTypeParser(pg.types.builtins.JSON);
    pg.types.setTypeParser(pg.types.builtins.JSON, parseExactJson);
    try {
      expect(await find(db, false)).toEqual(exact);
    } finally {
      pg.types.setTypeParser(pg.types.builtins.JSON, restore);
    }
  });
});

test.skipIf(!sqliteHere.better)("streams, and Kysely 0.28", async () => {
  const plugin = new IdColumnsPlugin({ columns });
  const database = new Database(":memory:");
  database.defaultSafeIntegers();
  const db = new Kysely28<Tables>({ dialect: new SqliteDialect28({ database }), plugins: [plugin] });
  database.exec("CREATE TABLE users (id TEXT, boss_id INTEGER, name TEXT)");
  const id = oddId();
  await db.insertInto("users").values({ id, boss_id: id, name: "" }).execute();
  for await (const row of db.selectFrom("users").select("id").stream()) expect(row).toEqual({ id });
  await db.destroy();
});

test.skipIf(!sqliteHere.node)("node:sqlite", async () => {
  const { DatabaseSync } = createRequire(import.meta.url)("node:sqlite") as typeof import("node:sqlite");
  const client = new DatabaseSync(":memory:");
  const prepare = (text: string) => {
    const statement = client.prepare(text);
    statement.setReadBigInts(true);
    const reader = /^select/i.test(text);
    const all = (parameters: readonly bigint[]) => statement.all(...parameters);
    const run = (parameters: readonly bigint[]) => statement.run(...parameters);
    return { reader, all, run, iterate: all };
  };
  const database = { prepare, close: () => client.close() };
  const plugins = [new IdColumnsPlugin({ columns })];
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: database as never }), plugins });
  client.exec("CREATE TABLE users (id INTEGER PRIMARY KEY, boss_id INTEGER, name TEXT)");
  const id = oddId();
  await db.insertInto("users").values({ id, boss_id: null, name: "" }).execute();
  expect(await db.selectFrom("users").select(["id", "boss_id"]).execute()).toEqual([{ id, boss_id: null }]);
  await db.destroy();
});

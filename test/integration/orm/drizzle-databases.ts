// The databases of the tests of bitflake/drizzle: the same tables in each, by drizzle-orm 0.45 and 1.

import Database from "better-sqlite3";
import { makeGenerator } from "bitflake";
import { mysqlId, pgId, sqliteId } from "bitflake/drizzle";
import { base62, prefixed } from "bitflake/text";
import { relations } from "drizzle-orm";
import { drizzle as openSqlite } from "drizzle-orm/better-sqlite3";
import * as mysqlCore from "drizzle-orm/mysql-core";
import { drizzle as openMysql } from "drizzle-orm/mysql2";
import { drizzle as openPg } from "drizzle-orm/node-postgres";
import * as pgCore from "drizzle-orm/pg-core";
import * as sqliteCore from "drizzle-orm/sqlite-core";
import { defineRelations } from "drizzle-orm-rc";
import { drizzle as openSqliteRc } from "drizzle-orm-rc/better-sqlite3";
import * as mysqlCoreRc from "drizzle-orm-rc/mysql-core";
import { drizzle as openMysqlRc } from "drizzle-orm-rc/mysql2";
import { drizzle as openPgRc } from "drizzle-orm-rc/node-postgres";
import * as pgCoreRc from "drizzle-orm-rc/pg-core";
import * as sqliteCoreRc from "drizzle-orm-rc/sqlite-core";
import mysql2 from "mysql2/promise";
import pg from "pg";
import { sqliteHere } from "../sqlite-here.ts";

export const generator = makeGenerator("twitter", { machineId: 7 });

/** The IDs of users are texts in the program and numbers in the database. */
export const userCodec = prefixed("user", base62);

/** The tables on PostgreSQL with drizzle-orm 0.45. The others have their types too. */
function pgTables(core: typeof pgCore) {
  const { customType, pgTable, text } = core;
  const id = pgId(customType);
  const userId = pgId(customType, { value: userCodec });
  const code = pgId(customType, { storage: base62 });
  const users = pgTable("users", {
    id: userId().primaryKey().$defaultFn(userId.from(generator)),
    bossId: userId("boss_id"),
  });
  const orders = pgTable("orders", {
    id: id().primaryKey().$defaultFn(id.from(generator)),
    userId: userId("user_id")
      .notNull()
      .references(() => users.id),
    code: code().unique(),
    place: text().notNull(),
  });
  return { users, orders };
}

type Tables = ReturnType<typeof pgTables>;

function mysqlTables(core: typeof mysqlCore): Tables {
  const { customType, mysqlTable, text } = core;
  const id = mysqlId(customType);
  const userId = mysqlId(customType, { value: userCodec });
  const code = mysqlId(customType, { storage: base62 });
  const users = mysqlTable("users", {
    id: userId().primaryKey().$defaultFn(userId.from(generator)),
    bossId: userId("boss_id"),
  });
  const orders = mysqlTable("orders", {
    id: id().primaryKey().$defaultFn(id.from(generator)),
    userId: userId("user_id")
      .notNull()
      .references(() => users.id),
    code: code().unique(),
    place: text().notNull(),
  });
  return { users, orders } as unknown as Tables;
}

function sqliteTables(core: typeof sqliteCore): Tables {
  const { customType, sqliteTable, text } = core;
  const id = sqliteId(customType);
  const userId = sqliteId(customType, { value: userCodec });
  const code = sqliteId(customType, { storage: base62 });
  const users = sqliteTable("users", {
    id: userId().primaryKey().$defaultFn(userId.from(generator)),
    bossId: userId("boss_id"),
  });
  const orders = sqliteTable("orders", {
    id: id().primaryKey().$defaultFn(id.from(generator)),
    userId: userId("user_id")
      .notNull()
      .references(() => users.id),
    code: code().unique(),
    place: text().notNull(),
  });
  return { users, orders } as unknown as Tables;
}

/** Returns the schema with relations, for drizzle-orm 0.45. */
function schemaOf({ users, orders }: Tables) {
  return {
    users,
    orders,
    userRelations: relations(users, ({ many }) => ({ orders: many(orders) })),
    orderRelations: relations(orders, ({ one }) => ({
      user: one(users, { fields: [orders.userId], references: [users.id] }),
    })),
  };
}

/** The argument of the function that `defineRelations` takes, as far as the tests use it. */
interface Relate {
  readonly many: { orders(): unknown };
  readonly one: { users(how: object): unknown };
  readonly users: { readonly id: unknown };
  readonly orders: { readonly userId: unknown };
}

/** Returns the relations for drizzle-orm 1. */
function relationsOf(tables: Tables): never {
  const relate = ({ many, one, users, orders }: Relate) => ({
    users: { orders: many.orders() },
    orders: { user: one.users({ from: orders.userId, to: users.id }) },
  });
  return defineRelations(tables as never, relate as never) as never;
}

const openTyped = (pool: pg.Pool, tables: Tables) => openPg(pool, { schema: schemaOf(tables) });
type Db = ReturnType<typeof openTyped>;

/** An open database. All have the type of PostgreSQL with drizzle-orm 0.45. */
export interface Opened extends Tables {
  readonly db: Db;
  /** Runs a statement of the test's own. */
  run(sql: string): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface Engine {
  readonly name: string;
  /** Whether drizzle lets a column choose how it is selected in JSON. */
  readonly isExactInJson: boolean;
  /** Whether there are relational queries: MariaDB lacks the LATERAL joins that drizzle-orm 1 uses. */
  readonly hasRelations: boolean;
  /** The rows that an insert returns: MySQL has none. */
  readonly hasReturning: boolean;
  /** Whether the test can reach its server. */
  readonly isHere: boolean;
  /** @param exact whether the driver is set to return exact IDs */
  open(exact?: boolean): Opened;
}

const { DATABASE_URL, MYSQL_URL } = process.env;

function postgres(name: string, isExactInJson: boolean, core: typeof pgCore, open: typeof openTyped): Engine {
  return {
    name,
    isExactInJson,
    hasRelations: true,
    hasReturning: true,
    isHere: Boolean(DATABASE_URL),
    open() {
      // Each connection creates temporary tables of its own, so there is one.
      const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 1 });
      const tables = pgTables(core);
      return {
        ...tables,
        db: open(pool, tables),
        run: async (sql) => (await pool.query(sql)).rows,
        close: () => pool.end(),
      };
    },
  };
}

function mariadb(
  name: string,
  options: Pick<Engine, "isExactInJson" | "hasRelations">,
  core: typeof mysqlCore,
  open: (pool: mysql2.Pool, tables: Tables) => unknown,
): Engine {
  return {
    name,
    ...options,
    hasReturning: false,
    isHere: Boolean(MYSQL_URL),
    open(exact = true) {
      const numbers = exact ? { supportBigNumbers: true, bigNumberStrings: true } : {};
      const pool = mysql2.createPool({ uri: MYSQL_URL, connectionLimit: 1, ...numbers });
      const tables = mysqlTables(core);
      return {
        ...tables,
        db: open(pool, tables) as Db,
        run: async (sql) => (await pool.query(sql))[0],
        close: () => pool.end(),
      };
    },
  };
}

function betterSqlite(
  name: string,
  isExactInJson: boolean,
  core: typeof sqliteCore,
  open: (client: Database.Database, tables: Tables) => unknown,
): Engine {
  return {
    name,
    isExactInJson,
    hasRelations: true,
    hasReturning: true,
    isHere: sqliteHere.better,
    open(exact = true) {
      const client = new Database(":memory:");
      client.defaultSafeIntegers(exact);
      const tables = sqliteTables(core);
      return {
        ...tables,
        db: open(client, tables) as Db,
        run: async (sql) => {
          const statement = client.prepare(sql);
          return statement.reader ? statement.all() : statement.run();
        },
        close: async () => void client.close(),
      };
    },
  };
}

export const engines: readonly Engine[] = [
  postgres("PostgreSQL, drizzle-orm 0.45", false, pgCore, openTyped),
  postgres(
    "PostgreSQL, drizzle-orm 1",
    true,
    pgCoreRc as never,
    (client, tables) => openPgRc({ client, relations: relationsOf(tables) }) as never,
  ),
  mariadb(
    "MariaDB, drizzle-orm 0.45",
    { isExactInJson: false, hasRelations: true },
    mysqlCore,
    // The mode without LATERAL joins, which MariaDB lacks.
    (pool, tables) => openMysql(pool, { schema: schemaOf(tables), mode: "planetscale" }),
  ),
  mariadb(
    "MariaDB, drizzle-orm 1",
    { isExactInJson: true, hasRelations: false },
    mysqlCoreRc as never,
    (client, tables) => openMysqlRc({ client, relations: relationsOf(tables) }),
  ),
  betterSqlite("SQLite, drizzle-orm 0.45", false, sqliteCore, (client, tables) =>
    openSqlite(client, { schema: schemaOf(tables) }),
  ),
  betterSqlite("SQLite, drizzle-orm 1", true, sqliteCoreRc as never, (client, tables) =>
    openSqliteRc({ client, relations: relationsOf(tables) }),
  ),
];

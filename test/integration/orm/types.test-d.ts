// The types of bitflake/drizzle and bitflake/kysely with those of the packages: every valid line compiles, and the others do not.
// Compiled by backend/types.test.ts, never run.

import { makeGenerator } from "bitflake";
import { mysqlId, pgId, sqliteId } from "bitflake/drizzle";
import { IdColumnsPlugin } from "bitflake/kysely";
import { base32, type PrefixedId, prefixed } from "bitflake/text";
import { between, eq } from "drizzle-orm";
import { mysqlTable, customType as mysqlType } from "drizzle-orm/mysql-core";
import { drizzle } from "drizzle-orm/node-postgres";
import { customType, integer, pgTable } from "drizzle-orm/pg-core";
import { sqliteTable, customType as sqliteType } from "drizzle-orm/sqlite-core";
import { eq as eqRc } from "drizzle-orm-rc";
import { mysqlTable as mysqlTableRc, customType as mysqlTypeRc } from "drizzle-orm-rc/mysql-core";
import { drizzle as drizzleRc } from "drizzle-orm-rc/node-postgres";
import { customType as customTypeRc, pgTable as pgTableRc } from "drizzle-orm-rc/pg-core";
import { sqliteTable as sqliteTableRc, customType as sqliteTypeRc } from "drizzle-orm-rc/sqlite-core";
import { Kysely, type KyselyPlugin, PostgresDialect } from "kysely";
import type { KyselyPlugin as KyselyPlugin28 } from "kysely28";
import pg from "pg";
import { expectTypeOf } from "vitest";

const ids = makeGenerator("twitter");
const userCodec = prefixed("user", base32);
type UserId = PrefixedId<"user">;
const { min, max } = ids.range(0, 1);

// drizzle-orm 0.45
const id = pgId(customType);
const userId = pgId(customType, { value: userCodec });
const users = pgTable("users", {
  id: userId().primaryKey().$defaultFn(userId.from(ids)),
  bossId: userId("boss_id"),
  total: integer().notNull(),
});
const orders = pgTable("orders", {
  id: id().primaryKey().$defaultFn(id.from(ids)),
  userId: userId("user_id")
    .notNull()
    .references(() => users.id, { onDelete: "cascade" }),
  // In 0.45 `array()` forgets the type, as it does after `$type`.
  before: id().array().$type<bigint[]>(),
});
expectTypeOf<typeof orders.$inferSelect>().toEqualTypeOf<{
  id: bigint;
  userId: UserId;
  before: bigint[] | null;
}>();
expectTypeOf<typeof users.$inferInsert>().toEqualTypeOf<{
  id?: UserId | undefined;
  bossId?: UserId | null | undefined;
  total: number;
}>();
const db = drizzle(new pg.Pool());
void db
  .select()
  .from(orders)
  .where(between(orders.id, min, max));
void db
  .select()
  .from(users)
  .where(eq(users.id, userCodec.encode(min)));
void db.insert(orders).values({ userId: userCodec.encode(5n) });
// @ts-expect-error: a plain string is no user's ID
void db.insert(orders).values({ userId: "user_04W86BB0G4007" });
// @ts-expect-error: nor is a bigint
void db.select().from(users).where(eq(users.id, min));
// @ts-expect-error: a number is no ID
void db.insert(orders).values({ id: 5, userId: userCodec.encode(5n) });
const onMysql = mysqlTable("users", {
  id: mysqlId(mysqlType)().primaryKey(),
  text: mysqlId(mysqlType, { value: base32, storage: base32 })(),
});
expectTypeOf<typeof onMysql.$inferSelect>().toEqualTypeOf<{ id: bigint; text: string | null }>();
const onSqlite = sqliteTable("users", { id: sqliteId(sqliteType)().primaryKey() });
expectTypeOf<typeof onSqlite.$inferSelect>().toEqualTypeOf<{ id: bigint }>();

// drizzle-orm 1
const idRc = pgId(customTypeRc);
const userIdRc = pgId(customTypeRc, { value: userCodec });
const usersRc = pgTableRc("users", { id: userIdRc().primaryKey().$defaultFn(userIdRc.from(ids)) });
const ordersRc = pgTableRc("orders", {
  id: idRc().primaryKey().$defaultFn(idRc.from(ids)),
  userId: userIdRc("user_id").references(() => usersRc.id),
  before: idRc().array().notNull(),
});
expectTypeOf<typeof ordersRc.$inferSelect>().toEqualTypeOf<{
  id: bigint;
  userId: UserId | null;
  before: bigint[];
}>();
expectTypeOf<typeof usersRc.$inferInsert>().toEqualTypeOf<{ id?: UserId | undefined }>();
const dbRc = drizzleRc({ client: new pg.Pool() });
void dbRc.select().from(ordersRc).where(eqRc(ordersRc.id, min));
// @ts-expect-error: a plain string is no user's ID
void dbRc.select().from(ordersRc).where(eqRc(ordersRc.userId, "user_04W86BB0G4007"));
const onMysqlRc = mysqlTableRc("users", { id: mysqlId(mysqlTypeRc)().primaryKey() });
expectTypeOf<typeof onMysqlRc.$inferSelect>().toEqualTypeOf<{ id: bigint }>();
const onSqliteRc = sqliteTableRc("users", { id: sqliteId(sqliteTypeRc, { storage: "decimal" })() });
expectTypeOf<typeof onSqliteRc.$inferSelect>().toEqualTypeOf<{ id: bigint | null }>();

// @ts-expect-error: an unknown option
pgId(customType, { stored: "bigint" });
// @ts-expect-error: an unknown storage
pgId(customType, { storage: "int" });
// @ts-expect-error: no customType
pgId();
// @ts-expect-error: no generator
id.from({});

// Kysely 0.29 and 0.28
const plugin = new IdColumnsPlugin({ columns: ["id"], jsonColumns: ["orders"] });
const plugins: [KyselyPlugin, KyselyPlugin28] = [plugin, plugin];
new Kysely<{ orders: { id: bigint } }>({
  dialect: new PostgresDialect({ pool: new pg.Pool() }),
  plugins: [plugin],
});
void plugins;
// @ts-expect-error: no columns
new IdColumnsPlugin({});
// @ts-expect-error: an unknown option
new IdColumnsPlugin({ columns: ["id"], generate: true });

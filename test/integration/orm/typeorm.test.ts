// bitflake/typeorm with TypeORM 1 and 0.3, on PostgreSQL, MariaDB and SQLite.

import * as typeorm1 from "typeorm";
import * as typeorm03 from "typeorm03";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { makeGenerator } from "../../../src/index.ts";
import { type IdColumn, IdSubscriber, idColumn } from "../../../src/orm/typeorm.ts";
import { base32, type PrefixedId, prefixed } from "../../../src/text/index.ts";
import { type Kind, kinds, useDatabase } from "./databases.ts";

const ids = makeGenerator("twitter", { machineId: 7 });
const generate = () => ids.nextId();
const tagIds = prefixed("tag", base32);

/** An ID whose low bits are not zero, so that rounding changes it. */
const oddId = () => ids.nextIds(2)[1] as bigint;

interface User<Id = bigint> {
  id: Id;
  name: string;
  orders?: Order<Id>[];
  tags?: Tag[];
}
interface Order<Id = bigint> {
  id: Id;
  total: number;
  data?: object | null;
  user?: User<Id>;
  /** A foreign key without a relation. */
  origin?: Id | null;
}
interface Tag {
  id: PrefixedId<"tag">;
  label: string;
}

/** Returns the entities, with primary keys of one form. */
function entities<Id>({ EntitySchema }: typeof typeorm1, id: IdColumn, foreign: IdColumn) {
  const users = new EntitySchema<User<Id>>({
    name: "User",
    tableName: "users",
    columns: { id: { ...id, primary: true }, name: { type: "varchar", length: 50 } },
    relations: {
      orders: { type: "one-to-many", target: "Order", inverseSide: "user", cascade: true },
      tags: { type: "many-to-many", target: "Tag", cascade: true, joinTable: { name: "user_tags" } },
    },
  });
  const orders = new EntitySchema<Order<Id>>({
    name: "Order",
    tableName: "orders",
    columns: {
      id: { ...id, primary: true },
      // With safe integers SQLite returns every INTEGER as a bigint.
      total: { type: "int", transformer: { to: (total) => total, from: Number } },
      data: { type: "simple-json", nullable: true },
      origin: { ...foreign, nullable: true },
    },
    relations: { user: { type: "many-to-one", target: "User", inverseSide: "orders", joinColumn: true } },
  });
  const tags = new EntitySchema<Tag>({
    name: "Tag",
    tableName: "tags",
    columns: {
      id: { ...idColumn({ form: tagIds, generate }), primary: true },
      label: { type: "varchar", length: 20, unique: true },
    },
  });
  return { users, orders, tags };
}

describe.each([
  { version: "1", typeorm: typeorm1 },
  { version: "0.3", typeorm: typeorm03 as unknown as typeof typeorm1 },
])("TypeORM $version", ({ typeorm }) => {
  const { Any, Between, DataSource, EventSubscriber, In, MoreThan, Not } = typeorm;
  class Subscriber extends IdSubscriber {}
  EventSubscriber()(Subscriber);

  /** Opens a data source. */
  function open(
    { name }: Kind,
    url: string,
    schemas: readonly typeorm1.EntitySchema[],
    synchronize = true,
    prepareDatabase = (db: { defaultSafeIntegers(): void }) => db.defaultSafeIntegers(),
  ): Promise<typeorm1.DataSource> {
    const address =
      name === "sqlite"
        ? ({ type: "better-sqlite3", database: url, prepareDatabase } as const)
        : { type: name, url };
    return new DataSource({
      ...address,
      entities: [...schemas],
      subscribers: [Subscriber],
      synchronize,
    }).initialize();
  }

  const bigints = entities<bigint>(typeorm, idColumn({ generate }), idColumn());
  const strings = entities<string>(
    typeorm,
    idColumn({ form: "string", generate }),
    idColumn({ form: "string" }),
  );

  for (const kind of kinds)
    describe.skipIf(!kind.isHere)(kind.name, () => {
      const url = useDatabase(kind);
      let source: typeorm1.DataSource;
      let users: typeorm1.Repository<User>;
      let orders: typeorm1.Repository<Order>;
      let tags: typeorm1.Repository<Tag>;
      beforeAll(async () => {
        source = await open(kind, url(), Object.values(bigints));
        users = source.getRepository(bigints.users);
        orders = source.getRepository(bigints.orders);
        tags = source.getRepository(bigints.tags);
      });
      afterEach(async () => {
        Reflect.deleteProperty(BigInt.prototype, "toJSON");
        for (const table of ["user_tags", "orders", "users", "tags"])
          await source.query(`DELETE FROM ${table}`);
      });
      afterAll(() => source?.destroy());

      test("new rows get IDs, given ones stay, and all are read exactly", async () => {
        const given = oddId();
        const user = await users.save({
          name: "Ada",
          orders: [{ total: 1 }, { id: given, total: 2, origin: oddId() }],
          tags: [{ label: "new" }, { label: "red" }],
        });
        expect(user.orders?.map((order) => typeof order.id)).toEqual(["bigint", "bigint"]);
        expect(user.orders?.[1]?.id).toBe(given);
        const relations = { orders: true, tags: true };
        const order = { orders: { total: "ASC" }, tags: { label: "ASC" } } as const;
        const read = await users.findOneOrFail({ where: { id: user.id }, relations, order });
        expect(read).toMatchObject(user);
        for (const tag of read.tags ?? []) expect(tagIds.decode(tag.id)).toBeGreaterThan(0n);
        expect(await tags.findOneByOrFail({ id: read.tags?.[0]?.id as PrefixedId<"tag"> })).toEqual(
          read.tags?.[0],
        );

        const { identifiers } = await orders.insert([{ total: 3, user }, { total: 4, user }, { total: 5 }]);
        const { raw: _, ...built } = await orders
          .createQueryBuilder()
          .insert()
          .values({ total: 6 })
          .execute();
        const all = await orders.find({ order: { id: "ASC" }, relations: { user: true } });
        expect(new Set(all.map(({ id }) => id)).size).toBe(6);
        expect(all.slice(-4).map(({ id }) => id)).toEqual(
          [...identifiers, ...built.identifiers].map(({ id }) => id),
        );
        expect(all.filter((row) => row.user?.id === user.id)).toHaveLength(4);
        const origins = new Map(all.map((row) => [row.id, row.origin]));
        expect(origins.get(given)).toBe(user.orders?.[1]?.origin);
        expect([...origins.values()].filter((origin) => origin === null)).toHaveLength(5);
      });

      test("conditions find exactly the rows", async () => {
        const user = await users.save({ name: "Ada" });
        const [a, b, c] = ids.nextIds(3) as [bigint, bigint, bigint];
        await orders.insert([a, b, c].map((id) => ({ id, total: 1, user })));
        const found = async (where: typeorm1.FindOptionsWhere<Order>) =>
          (await orders.find({ where, order: { id: "ASC" } })).map(({ id }) => id);
        expect(await found({ id: b })).toEqual([b]);
        expect(await found({ id: Between(a, b) })).toEqual([a, b]);
        expect(await found({ id: In([c, a]) })).toEqual([a, c]);
        expect(await found({ id: Not(In([c, a])) })).toEqual([b]);
        expect(await found({ user: { id: user.id } })).toEqual([a, b, c]);
        expect(await found({ user: { id: user.id + 1n } })).toEqual([]);
        if (kind.name === "postgres") expect(await found({ id: Any([b, c]) })).toEqual([b, c]);
        // TypeORM converts the value of an operator in place, so a second query converts it again.
        const above = MoreThan(a);
        expect([await found({ id: above }), await found({ id: above })]).toEqual([
          [b, c],
          [b, c],
        ]);
        const { min, max } = ids.range(Date.now() - 60_000, Date.now() + 1);
        expect(await found({ id: Between(min, max) })).toEqual([a, b, c]);
        const built = orders.createQueryBuilder("o").where("o.id IN (:...some)", { some: [b, 5n] });
        expect((await built.getMany()).map(({ id }) => id)).toEqual([b]);
        await orders.update({ id: b }, { total: 9 });
        await orders.delete({ id: a });
        expect((await orders.find({ order: { id: "ASC" } })).map(({ total }) => total)).toEqual([9, 1]);
      });

      test("an entity that has its ID is updated, and an upsert keeps the ID of the row", async () => {
        const { id } = await orders.save({ id: oddId(), total: 1 });
        const read = await orders.findOneByOrFail({ id });
        await orders.save({ ...read, total: 2 });
        await orders.save([
          { id, total: 3 },
          { id: oddId(), total: 4 },
        ]);
        expect(await orders.count()).toBe(2);
        expect((await orders.findOneByOrFail({ id })).total).toBe(3);
        await tags.upsert({ label: "red" }, ["label"]);
        const [before] = await tags.find();
        await tags.upsert([{ label: "red" }, { label: "new" }], ["label"]);
        expect(await tags.findBy({ label: "red" })).toEqual([before]);
        expect(await tags.count()).toBe(2);
      });

      test("JSON holds IDs as text", async () => {
        const id = oddId();
        await orders.insert({ id, total: 1, data: { id: String(id) } });
        expect((await orders.findOneByOrFail({ id })).data).toEqual({ id: String(id) });
        const all = orders.createQueryBuilder("o").select("o.id", "id").getRawMany<{ id: string }>();
        expect((await all).map((row) => BigInt(row.id))).toEqual([id]);
      });

      /** Changes a graph that was read, and saves it. */
      const changesGraph =
        <Id>(make: () => Id) =>
        async ({
          users,
          orders,
        }: {
          users: typeorm1.Repository<User<Id>>;
          orders: typeorm1.Repository<Order<Id>>;
        }) => {
          const made = [{ total: 1 }, { total: 2 }];
          const graph = { name: "Ada", orders: made, tags: [{ label: "a" }] };
          const saved: unknown = await users.save(graph as never);
          const { id } = saved as User<Id>;
          const other: User<Id> = { id: make(), name: "Bob" };
          await users.save(other as never);
          const relations = { orders: true, tags: true };
          const where = { id } as never;
          const user = await users.findOneOrFail({ where, relations });
          user.orders?.push({ total: 3 } as Order<Id>);
          user.tags = [{ label: "b" } as Tag];
          await users.save(user);
          const read = await users.findOneOrFail({ where, relations });
          expect(read.orders?.map(({ total }) => total).sort()).toEqual([1, 2, 3]);
          expect(read.tags?.map(({ label }) => label)).toEqual(["b"]);
          const [order] = await orders.find({ where: { total: 1 }, relations: { user: true } });
          expect(order?.user?.id).toBe(id);
          if (order) await orders.save({ ...order, user: other });
          expect(await orders.find({ where: { user: { id: other.id } } as never })).toHaveLength(1);
          const [withIds] = await orders.find({ where: { total: 1 }, loadRelationIds: true });
          expect(withIds?.user).toBe(other.id);
        };

      test("with strings, graphs that were read are saved", async () => {
        const isEmpty = kind.name === "sqlite";
        const other = await open(kind, url(), Object.values(strings), isEmpty);
        try {
          await changesGraph(() => String(oddId()))({
            users: other.getRepository(strings.users),
            orders: other.getRepository(strings.orders),
          });
        } finally {
          await other.destroy();
        }
      });

      test("with bigints, graphs that were read are saved if JSON can write them", async () => {
        Object.assign(BigInt.prototype, {
          toJSON(this: bigint) {
            return String(this);
          },
        });
        await changesGraph(oddId)({ users, orders });
      });

      if (kind.name === "sqlite") {
        test("a number that the driver rounded is an error", async () => {
          const rounding = await open(kind, url(), Object.values(bigints), true, () => {});
          const rows = rounding.getRepository(bigints.orders);
          await rows.insert({ id: 5n, total: 1 });
          expect(await rows.find()).toMatchObject([{ id: 5n, total: 1 }]);
          await rows.insert({ id: oddId(), total: 1 });
          await expect(rows.find()).rejects.toThrow(
            "id must be exact, and not a number that has lost digits (have the driver return BIGINT as a string or bigint), got ",
          );
          await rounding.destroy();
        });
      }
    });
});

// bitflake/prisma with Prisma 7 and its driver adapters, on PostgreSQL, MariaDB and SQLite.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PrismaMariaDb } from "@prisma/adapter-mariadb";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import ts from "typescript";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { makeGenerator } from "../../../src/index.ts";
import { idExtension } from "../../../src/orm/prisma.ts";
import { base32, prefixed } from "../../../src/text/index.ts";
import { root, run } from "../../docs/snippet.ts";
import { inOwnDatabase } from "../database.ts";
import { packages } from "../packages.ts";
import { type Kind, kinds, useDatabase } from "./databases.ts";
import { type Generated, generatePrisma } from "./prismaClient.ts";

const ids = makeGenerator("twitter", { machineId: 7 });
const tagIds = prefixed("tag", base32);

/** An ID whose low bits are not zero, so that rounding changes it. */
const oddId = () => ids.nextIds(2)[1] as bigint;

const schema = `
model User {
  id      BigInt   @id @default(dbgenerated())
  name    String
  orders  Order[]
  profile Profile?
  tags    Tag[]
}
model Order {
  id     BigInt @id @default(dbgenerated())
  total  Int
  data   Json?
  userId BigInt?
  user   User?  @relation(fields: [userId], references: [id])
}
model Profile {
  id     BigInt @id @default(dbgenerated())
  bio    String
  userId BigInt @unique
  user   User   @relation(fields: [userId], references: [id])
}
model Tag {
  id    String @id @default(dbgenerated())
  label String @unique
  users User[]
}
`;

const extension = idExtension({
  models: {
    User: { id: () => ids.nextId() },
    Order: { id: () => ids.nextId() },
    Profile: { id: async () => ids.nextId() },
    Tag: { id: () => tagIds.encode(ids.nextId()) },
  },
});

/** The tables as Prisma Migrate creates them. */
function tables({ name }: Kind): string[] {
  const json = name === "postgres" ? "JSONB" : "JSON";
  const statements = [
    'CREATE TABLE "User" (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL)',
    `CREATE TABLE "Order" (id BIGINT NOT NULL PRIMARY KEY, total INTEGER NOT NULL, data ${json}, "userId" BIGINT)`,
    'CREATE TABLE "Profile" (id BIGINT NOT NULL PRIMARY KEY, bio VARCHAR(50) NOT NULL, "userId" BIGINT NOT NULL UNIQUE)',
    'CREATE TABLE "Tag" (id VARCHAR(30) NOT NULL PRIMARY KEY, label VARCHAR(50) NOT NULL UNIQUE)',
    'CREATE TABLE "_TagToUser" ("A" VARCHAR(30) NOT NULL, "B" BIGINT NOT NULL, PRIMARY KEY ("A", "B"))',
  ];
  return statements.map((sql) => (name === "mysql" ? sql.replaceAll('"', "`") : sql));
}

async function adapterOf({ name }: Kind, url: string): Promise<unknown> {
  if (name === "postgres") return new PrismaPg({ connectionString: url });
  if (name === "sqlite") {
    // Loaded here, because Node 20 does not bear it.
    const { PrismaBetterSqlite3 } = await import("@prisma/adapter-better-sqlite3");
    return new PrismaBetterSqlite3({ url });
  }
  const { hostname: host, port, username: user, pathname } = new URL(url);
  return new PrismaMariaDb({ host, port: Number(port), user, database: pathname.slice(1) });
}

/** A row with its nested rows. */
interface Row {
  readonly id: bigint;
  readonly total: number;
  readonly data: unknown;
  readonly userId: bigint;
  readonly orders: readonly Row[];
  readonly profile: Row;
  readonly tags: readonly { readonly id: string; readonly label: string }[];
}

type Operation = (args?: object) => Promise<Row>;

/** A model of the client, whose real types are known only after it is generated. The test of the types checks those. */
interface Model {
  readonly create: Operation;
  readonly update: Operation;
  readonly upsert: Operation;
  readonly findFirst: Operation;
  readonly createMany: (args: object) => Promise<{ count: number }>;
  readonly createManyAndReturn: (args: object) => Promise<Row[]>;
  readonly findMany: (args?: object) => Promise<Row[]>;
  readonly count: (args?: object) => Promise<number>;
  readonly deleteMany: () => Promise<unknown>;
}
interface Client {
  readonly user: Model;
  readonly order: Model;
  readonly profile: Model;
  readonly tag: Model;
  $extends(extension: unknown): Client;
  $transaction<T>(steps: readonly Promise<T>[] | ((client: Client) => Promise<T>)): Promise<readonly T[] & T>;
  $executeRawUnsafe(sql: string): Promise<unknown>;
  $queryRawUnsafe(sql: string): Promise<unknown>;
  $disconnect(): Promise<void>;
}

const providers = { postgres: "postgresql", mysql: "mysql", sqlite: "sqlite" } as const;

for (const kind of kinds) {
  describe.skipIf(!kind.isHere)(kind.name, () => {
    const url = useDatabase(kind);
    let generated: Generated;
    let plain: Client;
    let prisma: Client;
    beforeAll(async () => {
      generated = await generatePrisma("tests", providers[kind.name], schema);
      const { PrismaClient } = await import(/* @vite-ignore */ generated.address);
      plain = new PrismaClient({
        adapter: await adapterOf(kind, url()),
        transactionOptions: { maxWait: 60_000, timeout: 60_000 },
      });
      for (const sql of tables(kind)) await plain.$executeRawUnsafe(sql);
      prisma = plain.$extends(extension);
    });
    afterEach(async () => {
      for (const model of [plain.profile, plain.order, plain.user, plain.tag]) await model.deleteMany();
      await plain.$executeRawUnsafe(`DELETE FROM ${kind.name === "mysql" ? "_TagToUser" : '"_TagToUser"'}`);
    });
    afterAll(() => plain?.$disconnect());

    const include = {
      orders: { orderBy: { total: "asc" } },
      profile: true,
      tags: { orderBy: { label: "asc" } },
    };

    test("new rows get IDs, nested ones too, given ones stay, and all are read exactly", async () => {
      const given = oddId();
      await prisma.tag.create({ data: { id: tagIds.encode(5n), label: "old" } });
      const tags = ["new", "old"].map((label) => ({ where: { label }, create: { label } }));
      const data = {
        name: "Ada",
        orders: { create: [{ total: 1 }, { id: given, total: 2 }] },
        profile: { create: { bio: "" } },
        tags: { connectOrCreate: tags },
      };
      const copy = structuredClone(data);
      const made = await prisma.user.create({ data, include });
      expect(data).toEqual(copy);
      const stored = [made.id, made.orders[0]?.id, made.profile.id] as bigint[];
      expect(stored.map((id) => ids.decode(id).machineId)).toEqual([7, 7, 7]);
      expect(stored).toEqual([...stored].sort());
      expect(made.orders.map(({ userId }) => userId)).toEqual([made.id, made.id]);
      expect(made.orders[1]?.id).toBe(given);
      expect(tagIds.decode(made.tags[0]?.id as string)).toBeGreaterThan(made.id);
      expect(made.tags[1]).toEqual({ id: tagIds.encode(5n), label: "old" });
      expect(await prisma.user.findFirst({ where: { id: made.id }, include })).toEqual(made);
    });

    test("an update creates nested rows with IDs", async () => {
      const { id } = await prisma.user.create({
        data: { name: "Ada", orders: { create: { total: 1 } }, profile: { create: { bio: "" } } },
      });
      const data = {
        orders: {
          create: { total: 2 },
          createMany: { data: [{ total: 3 }, { total: 4 }] },
          upsert: [{ where: { id: 5n }, create: { total: 5 }, update: { total: 0 } }],
          updateMany: { where: { total: 1 }, data: { total: 10 } },
        },
        profile: { update: { data: { bio: "new" } } },
        tags: { upsert: { where: { label: "a" }, create: { label: "a" }, update: {} } },
      };
      const user = await prisma.user.update({ where: { id }, data, include });
      expect(user.orders.map(({ total }) => total)).toEqual([2, 3, 4, 5, 10]);
      expect(new Set(user.orders.map((order) => ids.decode(order.id).machineId))).toEqual(new Set([7]));
      expect(tagIds.decode(user.tags[0]?.id as string)).toBeGreaterThan(id);
      const [order] = user.orders;
      const nested = { user: { update: { tags: { create: { label: "b" } } } } };
      await prisma.order.update({ where: { id: order?.id }, data: nested });
      expect(await prisma.tag.count({ where: { label: "b", users: { some: { id } } } })).toBe(1);
    });

    test("many rows get IDs, also in transactions", async () => {
      const given = oddId();
      const data = [{ total: 1 }, { total: 2, id: given }, { total: 3 }];
      expect(await prisma.order.createMany({ data })).toEqual({ count: 3 });
      const upsert = { where: { id: 5n }, create: { total: 4 }, update: { total: 0 } };
      await prisma.order.upsert(upsert);
      // MySQL returns no rows from an insert, so Prisma has no such method there.
      if (kind.name === "mysql") await prisma.order.createMany({ data: { total: 5 } });
      else expect(await prisma.order.createManyAndReturn({ data: [{ total: 5 }] })).toHaveLength(1);
      await prisma.$transaction([
        prisma.order.create({ data: { total: 6 } }),
        prisma.order.create({ data: { total: 7 } }),
      ]);
      await prisma.$transaction((within) => within.order.create({ data: { total: 8 } }));
      const orders = await prisma.order.findMany({ orderBy: { total: "asc" } });
      expect(orders.map(({ total }) => total)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(orders[1]?.id).toBe(given);
      expect(new Set(orders.map(({ id }) => ids.decode(id).machineId))).toEqual(new Set([7]));
    });

    test("ranges of time, cursors and raw queries are exact", async () => {
      const some = ids.nextIds(4);
      await prisma.order.createMany({ data: some.map((id) => ({ id, total: 1 })) });
      const { min, max } = ids.range(Date.now() - 60_000, Date.now() + 1);
      const orderBy = { id: "asc" };
      const found = await prisma.order.findMany({ where: { id: { gte: min, lte: max } }, orderBy });
      expect(found.map(({ id }) => id)).toEqual(some);
      const next = await prisma.order.findMany({ cursor: { id: some[1] }, skip: 1, orderBy });
      expect(next.map(({ id }) => id)).toEqual(some.slice(2));
      const table = kind.name === "mysql" ? "`Order`" : '"Order"';
      expect(await prisma.$queryRawUnsafe(`SELECT id FROM ${table} ORDER BY id`)).toEqual(
        some.map((id) => ({ id })),
      );
    });

    test("JSON is not searched for rows, and holds IDs as text", async () => {
      const data = { id: String(oddId()), orders: { create: {} }, data: { user: { create: {} } } };
      const { id } = await prisma.order.create({ data: { total: 1, data } });
      expect(await prisma.order.findFirst({ where: { id } })).toMatchObject({ id, data });
    });

    test("objects of a class are rows too", async () => {
      class Dto {
        total = 1;
      }
      const { id } = await prisma.order.create({ data: new Dto() });
      expect(ids.decode(id).machineId).toBe(7);
    });

    test("without the extension the database refuses a row without ID", async () => {
      await expect(plain.order.create({ data: { total: 1 } })).rejects.toThrow("Null constraint violation");
    });

    test("the data model may be that of the generator", async () => {
      const models = { Order: { id: () => 5n } };
      const other = plain.$extends(idExtension({ models, datamodel: generated.datamodel }));
      expect(await other.order.create({ data: { total: 1 } })).toMatchObject({ id: 5n });
      const unknown = idExtension({ models: { Orders: { id: () => 5n } } });
      expect(() => plain.$extends(unknown)).toThrow(
        'model must be one of User, Order, Profile, Tag, got "Orders"',
      );
    });

    if (kind.name !== "postgres") return;

    test("with the strategy join, which builds JSON in the database, IDs are exact", async () => {
      const id = oddId();
      await prisma.user.create({ data: { id, name: "Ada", orders: { create: { id: id + 2n, total: 1 } } } });
      const read = await prisma.user.findFirst({ relationLoadStrategy: "join", include: { orders: true } });
      expect([read.id, read.orders[0]?.id]).toEqual([id, id + 2n]);
    });

    test("the types of the extended client are those of the client", () => {
      const lines = `
        import { idExtension } from "bitflake/prisma";
        import { type Prisma, PrismaClient } from "./client.js";
        declare const adapter: never;
        const extension = idExtension<Prisma.ModelName>({ models: { Order: { id: () => 5n } } });
        // @ts-expect-error no such model
        idExtension<Prisma.ModelName>({ models: { Orders: { id: () => 5n } } });
        // @ts-expect-error a date is no ID
        idExtension({ models: { Order: { id: () => new Date() } } });
        const prisma = new PrismaClient({ adapter }).$extends(extension).$extends({ name: "another" });
        const order = await prisma.order.create({ data: { total: 1 }, include: { user: true } });
        export const id: bigint | undefined = order.user?.id;
        // @ts-expect-error the total is missing
        await prisma.order.create({ data: {} });
        // @ts-expect-error no such model
        prisma.orders;`;
      const file = join(generated.folder, "types.ts");
      writeFileSync(file, lines);
      const program = ts.createProgram([file], {
        noEmit: true,
        strict: true,
        skipLibCheck: true,
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
        allowImportingTsExtensions: true,
        lib: ["lib.es2023.d.ts"],
        types: [],
        paths: { "bitflake/prisma": [join(root, "dist/prisma.d.ts")] },
      });
      const source = program.getSourceFile(file);
      const found = [...program.getGlobalDiagnostics(), ...program.getSemanticDiagnostics(source)];
      expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
    });
  });
}

test.skipIf(!process.env.DATABASE_URL)("the example of docs/databases.md runs with its schema", async () => {
  const guide = readFileSync(join(root, "docs/databases.md"), "utf8");
  const block = (fence: string) => guide.split(`\`\`\`${fence}\n`)[1]?.split("```")[0] as string;
  const { address } = await generatePrisma("guide", "postgresql", block("prisma"));
  await inOwnDatabase(async () => {
    const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
    await client.connect();
    await client.query('CREATE TABLE "User" (id VARCHAR(18) PRIMARY KEY, name TEXT NOT NULL)');
    await client.query(
      'CREATE TABLE "Order" (id BIGINT PRIMARY KEY, total INTEGER NOT NULL, "userId" VARCHAR(18) REFERENCES "User")',
    );
    await client.end();
    await run(block("ts prisma"), { ...packages, "./generated/client.js": address });
  });
});

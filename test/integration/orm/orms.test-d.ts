// The columns and the subscriber with the types of TypeORM 1 and 0.3: every valid line compiles, and the others do not. Compiled by
// backend/types.test.ts, never run. orm/prisma.test.ts compiles the types of a generated client of Prisma.

import { makeGenerator } from "bitflake";
import { base32, prefixed } from "bitflake/text";
import { type IdColumn, IdSubscriber, idColumn, idTransformer } from "bitflake/typeorm";
import * as typeorm1 from "typeorm";
import * as typeorm03 from "typeorm03";

const generate = () => makeGenerator().nextId();
const form = prefixed("user", base32);

// TypeORM 1
const columns1: typeorm1.ColumnOptions[] = [
  idColumn(),
  { ...idColumn({ form }), nullable: true, collation: "C" },
];
const primary1: PropertyDecorator[] = [
  typeorm1.PrimaryColumn(idColumn({ generate })),
  typeorm1.Column(columns1[0] as typeorm1.ColumnOptions),
  typeorm1.Column({ type: "integer", transformer: idTransformer({ form: "string" }) }),
];
const schema1 = new typeorm1.EntitySchema<{ id: bigint }>({
  name: "order",
  columns: { id: { ...idColumn({ generate: async () => generate() }), primary: true } },
});
const subscriber1: typeorm1.EntitySubscriberInterface = new IdSubscriber();
typeorm1.EventSubscriber()(IdSubscriber);
new typeorm1.DataSource({ type: "postgres", entities: [schema1], subscribers: [IdSubscriber] });

// TypeORM 0.3
const primary03: PropertyDecorator[] = [
  typeorm03.PrimaryColumn(idColumn({ generate })),
  typeorm03.Column({ ...idColumn({ form }), nullable: true }),
];
const schema03 = new typeorm03.EntitySchema<{ id: bigint }>({
  name: "order",
  columns: { id: { ...idColumn(), primary: true } },
});
const subscriber03: typeorm03.EntitySubscriberInterface = new IdSubscriber();
typeorm03.EventSubscriber()(IdSubscriber);
new typeorm03.DataSource({ type: "mysql", entities: [schema03], subscribers: [IdSubscriber] });

export const used: unknown[] = [primary1, subscriber1, primary03, subscriber03];

// @ts-expect-error a form has a codec
idColumn({ form: "text" });
// @ts-expect-error an ID is a bigint
idColumn({ generate: () => "5" });
// @ts-expect-error misspelt
idTransformer({ generator: generate });
// @ts-expect-error a property may have any type, but it has one
export const typed: bigint = idColumn().transformer.from("5");
export const type: "bigint" | "varchar" = (idColumn() satisfies IdColumn).type;

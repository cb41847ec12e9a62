// The rows that an operation of Prisma creates, nested ones too, and which of them have no ID. Pure: it reads arguments and
// returns a copy, in which the caller fills the IDs.

import { InvalidIdError } from "../internal.ts";

/** Makes an ID. */
export type MakeId = () => unknown;

/** The facts about a model that the walk needs. */
export interface ModelWrites {
  /** The functions that make IDs, by their fields. */
  readonly ids: ReadonlyMap<string, MakeId>;
  /** The models of the relations, by their fields. */
  readonly relations: ReadonlyMap<string, string>;
  /** The names of all fields. */
  readonly fields: ReadonlySet<string>;
}

/** The models of a schema, by their names. */
export type Schema = ReadonlyMap<string, ModelWrites>;

type Row = Record<string, unknown>;

/** An ID that is missing in a row of the copy. */
interface MissingId {
  readonly row: Row;
  readonly field: string;
  readonly make: MakeId;
}

/** The kinds of objects in the arguments: rows to create, changes of a row, and objects that contain these. */
type Kind = "create" | "update" | "createMany" | "connectOrCreate" | "upsert" | "updateWhere";

/** The kinds of the fields of objects that contain rows. */
const contents: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  createMany: { data: "create" },
  connectOrCreate: { create: "create" },
  upsert: { create: "create", update: "update" },
  updateWhere: { data: "update" },
};

/** The kinds of the arguments, by operation. The other operations create no row. */
const operations: Readonly<Record<string, Kind>> = {
  create: "createMany",
  createMany: "createMany",
  createManyAndReturn: "createMany",
  update: "updateWhere",
  upsert: "upsert",
};

/** The fields of a relation, which are named as their kinds are. The others, such as `connect` and `deleteMany`, create no row. */
const nested: readonly Kind[] = ["create", "createMany", "connectOrCreate", "upsert", "update"];

/** Returns whether a value has fields to read: `undefined`, `Prisma.skip` and scalars have none. */
function isRow(value: unknown): value is Row {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.keys(value).length > 0;
}

/** Returns whether a row has no ID. Refuses a rounded number, which Prisma would write. */
function isMissing(id: unknown, field: string): boolean {
  if (typeof id !== "number" || Number.isSafeInteger(id)) return id === undefined;
  throw new InvalidIdError(field, "a bigint, because numbers beyond 2^53 are rounded", id);
}

/**
 * Finds the rows without an ID that an operation creates, each before the rows that are nested in it.
 *
 * @returns a copy of the arguments, in which the IDs are to be filled; the arguments stay as they are
 * @throws {@link InvalidIdError} if an ID is a rounded number
 */
export function findMissingIds(
  schema: Schema,
  modelName: string,
  operation: string,
  args: unknown,
): { readonly args: unknown; readonly missing: readonly MissingId[] } {
  const missing: MissingId[] = [];

  function copy(value: unknown, kind: Kind, name: string): unknown {
    const model = schema.get(name);
    if (Array.isArray(value)) return value.map((item) => copy(item, kind, name));
    if (!isRow(value) || !model) return value;
    const row = { ...value };
    const contained = contents[kind];
    if (contained) {
      for (const field of Object.keys(contained)) {
        if (field in row) row[field] = copy(row[field], contained[field] as Kind, name);
      }
      return row;
    }
    if (kind === "create") {
      for (const [field, make] of model.ids) {
        if (isMissing(row[field], field)) missing.push({ row, field, make });
      }
    }
    for (const [field, other] of model.relations) {
      if (isRow(row[field])) row[field] = copyRelation(row[field], other);
    }
    return row;
  }

  function copyRelation(value: Row, name: string): Row {
    const row = { ...value };
    for (const kind of nested) {
      if (!(kind in row)) continue;
      row[kind] = kind === "update" ? copyUpdates(row[kind], name) : copy(row[kind], kind, name);
    }
    return row;
  }

  /** Copies the updates of a relation: for a list and with a condition they are `{ where, data }`, else the data alone. */
  function copyUpdates(value: unknown, name: string): unknown {
    if (Array.isArray(value)) return value.map((item) => copyUpdates(item, name));
    if (!isRow(value)) return value;
    const isWrapped = "data" in value && ("where" in value || !schema.get(name)?.fields.has("data"));
    return copy(value, isWrapped ? "updateWhere" : "update", name);
  }

  const kind = operations[operation];
  return { args: kind ? copy(args, kind, modelName) : args, missing };
}

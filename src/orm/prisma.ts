// bitflake/prisma: an extension of Prisma's client that gives new rows their IDs, nested ones too.

import { ArgumentError, assertFunction, assertKnownOptions, assertObject } from "../internal.ts";
import type { PrismaDatamodel, PrismaExtension, PrismaModel, PrismaQuery } from "./prismaTypes.ts";
import { findMissingIds, type MakeId, type ModelWrites, type Schema } from "./prismaWrites.ts";

export { ArgumentError, InvalidIdError } from "../internal.ts";
export type {
  NamedPrismaModel,
  NoExtension,
  PrismaDatamodel,
  PrismaExtension,
  PrismaField,
  PrismaModel,
} from "./prismaTypes.ts";

/** A value of an ID field: a bigint for `BigInt`, a text for `String`. */
export type PrismaId = bigint | string | number;

/** The functions that make the IDs of a model, by their fields. */
export type PrismaIdFields = Readonly<Record<string, () => PrismaId | Promise<PrismaId>>>;

/**
 * The options of {@link idExtension}.
 *
 * @typeParam ModelName the names of the models; with `Prisma.ModelName` the compiler checks them
 */
export interface IdExtensionOptions<ModelName extends string = string> {
  /**
   * The fields to fill, by their models: `{ Order: { id: () => ids.nextId() } }`. The names are those of the schema. The
   * function is called once for each row that has no value for the field.
   */
  readonly models: { readonly [Name in ModelName]?: PrismaIdFields };
  /**
   * The models of the schema with their fields, of which the extension needs the relations. Default: those of the client,
   * which Prisma does not document. `Prisma.dmmf.datamodel` of the generator `prisma-client-js` has this form.
   */
  readonly datamodel?: PrismaDatamodel | undefined;
}

/** The client, as far as the extension uses it. */
interface Client {
  /** The models with their relations. Not in Prisma's documentation, so its form is checked. */
  readonly _runtimeDataModel?: PrismaDatamodel;
  $extends(extension: object): never;
}

/** Returns the models of a data model by their names. */
function modelsOf(datamodel: PrismaDatamodel | undefined): Map<string, PrismaModel> {
  const { models } = Object(datamodel) as Partial<PrismaDatamodel>;
  const entries: [string, PrismaModel][] = Array.isArray(models)
    ? models.map((model) => [model?.name, model])
    : Object.entries(Object(models));
  if (entries.length === 0 || !entries.every(([, model]) => Array.isArray(Object(model).fields))) {
    throw new ArgumentError("datamodel", "the datamodel of Prisma, with the fields of the models", datamodel);
  }
  return new Map(entries);
}

/** Returns the functions that make the IDs of a model, with their fields checked. */
function idsOf(fields: unknown, name: string, model: PrismaModel): Map<string, MakeId> {
  const path = `models.${name}`;
  const entries = Object.entries(assertObject(path, fields) as PrismaIdFields);
  for (const [field, make] of entries) {
    assertFunction(`${path}.${field}`, make);
    if (!model.fields.some((known) => known.name === field && known.kind !== "object")) {
      throw new ArgumentError(`field of ${path}`, "a field of the model that is no relation", field);
    }
  }
  return new Map(entries);
}

/** Returns the facts about all models that the walk through arguments needs. */
function schemaOf(ids: Readonly<Record<string, unknown>>, datamodel: PrismaDatamodel | undefined): Schema {
  const models = modelsOf(datamodel);
  for (const name of Object.keys(ids)) {
    if (!models.has(name)) {
      throw new ArgumentError("model", `one of ${[...models.keys()].join(", ").slice(0, 100)}`, name);
    }
  }
  const schema = new Map<string, ModelWrites>();
  for (const [name, model] of models) {
    const related = model.fields.filter(({ kind, type }) => kind === "object" && models.has(type));
    schema.set(name, {
      ids: Object.hasOwn(ids, name) ? idsOf(ids[name], name, model) : new Map(),
      relations: new Map(related.map((field) => [field.name, field.type])),
      fields: new Set(model.fields.map((field) => field.name)),
    });
  }
  return schema;
}

/**
 * Creates an extension of Prisma's client that gives new rows their IDs: on `create`, `createMany`, `createManyAndReturn`,
 * `upsert`, and nested in these and in `update`, by `create`, `createMany`, `connectOrCreate` and `upsert`.
 *
 * - **A value that is given** stays as it is. `undefined` is none. A number beyond 2^53 is refused with an `InvalidIdError`.
 * - **In the schema** give the field `@default(dbgenerated())`. It makes the field optional in the types of TypeScript and
 *   creates no default in the database, which refuses a row without ID.
 * - **Raw queries** get no IDs.
 *
 * @param options `models`; `datamodel`, default that of the client
 * @returns an extension for `$extends`, which throws an {@link ArgumentError} if the schema has not such models and fields
 * @throws {@link ArgumentError} if an option is missing, wrong or unknown
 *
 * @example
 * ```ts
 * import { makeGenerator } from "bitflake";
 * import { idExtension } from "bitflake/prisma";
 *
 * const ids = makeGenerator("twitter");
 * const extension = idExtension({ models: { Order: { id: () => ids.nextId() } } });
 * // const prisma = new PrismaClient({ adapter }).$extends(extension);
 * typeof extension; // => 'function'
 * ```
 */
export function idExtension<ModelName extends string = string>(
  options: IdExtensionOptions<ModelName>,
): PrismaExtension {
  assertKnownOptions(options, ["models", "datamodel"]);
  const models = assertObject("models", options.models as Readonly<Record<string, unknown>>);
  return (given) => {
    const client = given as Client;
    const schema = schemaOf(models, options.datamodel ?? client._runtimeDataModel);
    const $allOperations = async ({ model, operation, args, query }: PrismaQuery): Promise<unknown> => {
      const found = findMissingIds(schema, model, operation, args);
      for (const { row, field, make } of found.missing) row[field] = await make();
      return query(found.args);
    };
    return client.$extends({ name: "bitflake", query: { $allModels: { $allOperations } } });
  };
}

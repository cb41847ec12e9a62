// bitflake/typeorm: ID columns for TypeORM, with a transformer, and a subscriber that fills them before an insert.

import { ArgumentError, assertFunction, assertKnownOptions, assertObject, parseId } from "../internal.ts";
import type { TextCodec } from "../text/codec.ts";
import { readStoredId } from "./storedId.ts";
import type { IdInsertEvent } from "./typeormTypes.ts";

export { ArgumentError, InvalidIdError } from "../internal.ts";
export type { TextCodec } from "../text/codec.ts";
export type { IdInsertColumn, IdInsertEvent } from "./typeormTypes.ts";

/** The options of {@link idColumn} and {@link idTransformer}. */
export interface IdColumnOptions {
  /**
   * The type of the property:
   *
   * - `"bigint"`, the default: a bigint, in a `bigint` column.
   * - `"string"`: the ID as decimal digits, in a `bigint` column.
   * - a codec of `bitflake/text`, such as `base32` or `prefixed("user", base32)`: its text, in a `varchar` column.
   */
  readonly form?: "bigint" | "string" | TextCodec | undefined;
  /**
   * Makes the ID of a row that has none, such as `() => ids.nextId()`. {@link IdSubscriber} calls it. Default: none, as for
   * a foreign key.
   */
  readonly generate?: (() => bigint | Promise<bigint>) | undefined;
}

/** A transformer of TypeORM. Created by {@link idTransformer}. */
export interface IdTransformer {
  /**
   * Asserts that a value is an ID, and returns it in the form of the column. `null` and `undefined` stay as they are, and an
   * array is converted item by item.
   *
   * @throws {@link InvalidIdError} if it is none
   */
  to(value: unknown): unknown;
  /**
   * Converts the driver's value to the type of the property. `null` and `undefined` stay as they are.
   *
   * @throws {@link InvalidIdError} for a number that the driver has rounded, and for everything that is no ID
   */
  from(value: unknown): unknown;
  /** Makes an ID in the type of the property; `undefined` if the column has no `generate`. */
  readonly makeId: (() => Promise<unknown>) | undefined;
}

/** Options of `@PrimaryColumn` and `@Column`. Created by {@link idColumn}. */
export interface IdColumn {
  /** The column's type in the database. */
  type: "bigint" | "varchar";
  /** The number of characters of a text. */
  length?: number;
  /** Converts between the property and the column. */
  transformer: IdTransformer;
}

/** A conversion of one value that is neither null nor undefined. */
type Convert = (value: unknown) => unknown;

/** Applies a conversion as TypeORM needs it: columns may be null, and `Any` and columns of arrays pass an array. */
function throughNull(convert: Convert): Convert {
  const all: Convert = (value) => {
    if (value === null || value === undefined) return value;
    return Array.isArray(value) ? value.map(all) : convert(value);
  };
  return all;
}

/** Reads the driver's value of a `bigint` column. */
const readStored = (value: unknown): bigint =>
  readStoredId("id", value, "have the driver return BIGINT as a string or bigint");

/** Reads a text, or writes a bigint, such as the end of a range. Returns the text that the codec writes. */
function toText(codec: TextCodec, value: unknown): string {
  return codec.encode(typeof value === "bigint" ? value : codec.decode(value as string));
}

/** Returns the conversions of a form. */
function conversionsOf(form: unknown): { readonly to: Convert; readonly from: Convert } {
  // Both ways lead to the type of the property, because TypeORM compares properties with values from `to`.
  if (form === "bigint") return { to: parseId, from: readStored };
  if (form === "string") {
    return { to: (value) => `${parseId(value)}`, from: (value) => `${readStored(value)}` };
  }
  const codec = Object(form) as TextCodec;
  if (typeof codec.encode !== "function" || typeof codec.decode !== "function") {
    throw new ArgumentError("form", '"bigint", "string" or a codec of bitflake/text', form);
  }
  const text: Convert = (value) => toText(codec, value);
  return { to: text, from: text };
}

/**
 * Creates the transformer of an ID column, for a column whose other options you write yourself. {@link idColumn} creates both.
 *
 * @param options `form` and `generate`, as for {@link idColumn}
 * @throws {@link ArgumentError} if an option is wrong or unknown
 *
 * @example
 * ```ts
 * import { idTransformer } from "bitflake/typeorm";
 *
 * const column = { type: "integer", transformer: idTransformer() } as const;
 * column.transformer.from("911780371413233665"); // => 911780371413233665n
 * ```
 */
export function idTransformer(options: IdColumnOptions = {}): IdTransformer {
  assertKnownOptions(options, ["form", "generate"]);
  const { form = "bigint", generate } = options;
  if (generate !== undefined) assertFunction("generate", generate);
  const { to, from } = conversionsOf(form);
  const makeId = generate && (async () => to(await generate()));
  return Object.freeze({ to: throughNull(to), from: throughNull(from), makeId });
}

/**
 * Creates the options of an ID column, for `@PrimaryColumn`, `@Column` and `EntitySchema`. IDs are read exactly: a number that
 * the driver has rounded is an error.
 *
 * TypeORM 0.3 and 1 have a bug with bigints in properties: `save()` of an entity with relations, `@RelationId` and
 * `loadRelationIds` throw `Do not know how to serialize a BigInt`. If you use these, set
 * `BigInt.prototype.toJSON = function () { return String(this); }` once in your program, or use the form `"string"` or a codec.
 *
 * @param options `form`, default `"bigint"`; `generate`, default none
 * @throws {@link ArgumentError} if an option is wrong or unknown
 *
 * @example
 * ```ts
 * import { makeGenerator } from "bitflake";
 * import { base32, prefixed } from "bitflake/text";
 * import { idColumn } from "bitflake/typeorm";
 *
 * const ids = makeGenerator("twitter");
 * const generate = () => ids.nextId();
 * idColumn({ generate }).type; // => 'bigint'
 * idColumn({ generate, form: prefixed("user", base32) }).length; // => 18
 * // @PrimaryColumn(idColumn({ generate })) id!: bigint;
 * ```
 */
export function idColumn(options: IdColumnOptions = {}): IdColumn {
  const transformer = idTransformer(options);
  const { form } = options;
  return typeof form === "object"
    ? { type: "varchar", length: form.width, transformer }
    : { type: "bigint", transformer };
}

/** Returns the function that makes the IDs of a column, if it is a column of {@link idColumn} with `generate`. */
function makerOf(transformer: unknown): IdTransformer["makeId"] {
  // Of several transformers the first one gets the value of the property.
  const [first] = [transformer].flat() as [Partial<IdTransformer> | undefined];
  return first?.makeId;
}

/**
 * A subscriber of TypeORM that gives new rows their IDs: those of columns of {@link idColumn} with `generate`, if the entity
 * has none. It works for `save`, cascades, `insert`, `upsert` and the query builder, unless an option of theirs turns
 * listeners off.
 *
 * TypeORM wants a class with its decorator, so call that once, and name the class in the options of the data source.
 *
 * @example
 * ```ts
 * import { IdSubscriber } from "bitflake/typeorm";
 *
 * // EventSubscriber()(IdSubscriber);
 * // const source = new DataSource({ type: "postgres", entities: [Order], subscribers: [IdSubscriber] });
 * typeof new IdSubscriber().beforeInsert; // => 'function'
 * ```
 */
export class IdSubscriber {
  /**
   * Fills the IDs of an entity. TypeORM calls it.
   *
   * @param event the event of TypeORM
   */
  async beforeInsert(event: IdInsertEvent): Promise<void> {
    const { entity, metadata } = assertObject("event", event);
    for (const column of metadata.columns) {
      const makeId = makerOf(column.transformer);
      if (!makeId) continue;
      const value = column.getEntityValue(entity as never);
      // For TypeORM an entity whose primary key is null is new.
      if (value === undefined || (value === null && column.isPrimary)) {
        column.setEntityValue(entity as never, await makeId());
      }
    }
  }
}

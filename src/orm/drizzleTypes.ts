// Types of bitflake/drizzle: structural ones of drizzle-orm, the options and the columns.

/** The text form of IDs: a codec of `bitflake/text`, such as `base32` or `prefixed("user", base32)`, or one of your own. */
export interface IdTextForm<Text extends string = string> {
  /** Writes an ID. */
  encode(id: bigint | string | number): Text;
  /** Reads an ID, or throws. */
  decode(text: string): bigint;
  /** The number of characters of a text. */
  readonly width: number;
}

/** The options of an ID column. */
export interface IdColumnOptions<Text extends string = string> {
  /** How the program sees an ID: as the text of a codec, for example of `prefixed("user", base32)`. Default: as a bigint. */
  readonly value?: IdTextForm<Text>;
  /**
   * How the column stores an ID:
   *
   * - `"bigint"`, the default: as a number, in `BIGINT`, in SQLite in `INTEGER`.
   * - A codec of `bitflake/text`: as its text, which sorts as the IDs do, so that ranges of time work.
   * - `"decimal"`: as decimal text without leading zeros, for a column that exists already. These texts do not sort as the
   *   IDs do, so ranges and `ORDER BY` are wrong where IDs differ in length.
   */
  readonly storage?: "bigint" | "decimal" | IdTextForm;
  /**
   * The SQL type that migrations get. Default: the type of the storage, for text with the collation by which it sorts as
   * the IDs do.
   */
  readonly dataType?: string;
}

/** A generator of IDs: a `SnowflakeGenerator`, a `SharedGenerator`, or that of a lease. */
export interface IdSource {
  /** Makes an ID. */
  nextId(): bigint;
}

/** The argument of `customType`. The conversions name the column in errors if they are called as its methods. */
export interface IdTypeParams {
  /** Returns the SQL type. */
  dataType(): string;
  /** Converts a value of the program for the driver. */
  toDriver(this: unknown, value: unknown): unknown;
  /** Converts a value of the driver for the program. */
  fromDriver(this: unknown, value: unknown): unknown;
  /** Converts a value from JSON that the database built; called by drizzle-orm 1. */
  fromJson(this: unknown, value: unknown): unknown;
  /** Selects the column for JSON that the database builds; called by drizzle-orm 1. */
  forJsonSelect<Sql>(
    identifier: Sql,
    sql: (strings: TemplateStringsArray, ...values: Sql[]) => Sql,
    arrayDimensions?: number,
  ): Sql;
}

/** `customType` of a module of drizzle-orm, such as `drizzle-orm/pg-core`. */
export type CustomType<Builder> = (params: IdTypeParams) => (name: string) => Builder;

/** The builder of a column whose values have a type, as by `$type` of drizzle. */
export type IdColumnBuilder<Builder, Value> = Builder & {
  /** The type of the values, in the type only. */
  readonly _: {
    /** The type of the values, in the type only. */
    readonly $type: Value;
  };
};

/** The type of the values of a column: that of its codec, and bigint without one. */
export type IdColumnValue<Text extends string> = [Text] extends [never] ? bigint : Text;

/** Creates ID columns of one kind. */
export interface IdColumn<Builder, Value> {
  /**
   * Creates a column, to be completed by `primaryKey()`, `notNull()`, `references()` and the other methods of drizzle.
   *
   * @param name the name in the database. Default: the key in the table
   */
  (name?: string): IdColumnBuilder<Builder, Value>;
  /**
   * Returns a function for `$defaultFn`, which makes an ID for each row that is inserted without one.
   *
   * @throws {@link ArgumentError} if it is not a generator
   */
  from(generator: IdSource): () => Value;
}

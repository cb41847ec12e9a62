// The conversions of an ID column of drizzle, between the program, the driver and JSON.

import {
  ArgumentError,
  assertFunction,
  assertKnownOptions,
  assertWhole,
  InvalidIdError,
  parseId,
  readField,
} from "../internal.ts";
import type {
  CustomType,
  IdColumn,
  IdColumnBuilder,
  IdColumnOptions,
  IdColumnValue,
  IdSource,
  IdTextForm,
} from "./drizzleTypes.ts";
import { readStoredId } from "./storedId.ts";

/** How a database stores IDs. */
export interface Dialect {
  /** The type of a column of numbers. */
  readonly integer: string;
  /** Returns the type of a column of texts of one width, which compare by their character codes. */
  readonly text: (width: number) => string;
  /** The type of a column of decimal texts. */
  readonly decimal: string;
  /** Converts an ID for the driver, for a column of numbers. */
  readonly toInteger: (id: bigint) => unknown;
  /** The SQL before and after a column that casts it to text. */
  readonly toText: readonly [string, string];
  /** How to read numbers without losing digits. */
  readonly remedy: string;
}

/** How one column stores IDs. */
interface Storage {
  readonly dataType: string;
  readonly write: (id: bigint) => unknown;
  /** @param column its name, for messages */
  readonly read: (value: unknown, column: string) => bigint;
  /** Whether the database writes the value as a number in JSON. */
  readonly isNumber: boolean;
}

/** Asserts that an option is a text form. */
function assertTextForm<T>(field: string, form: T): T {
  const { encode, decode } = Object(form) as Partial<IdTextForm>;
  if (typeof encode === "function" && typeof decode === "function") return form;
  throw new ArgumentError(field, "base32, base58, base62, hex, prefixed(…) or another codec", form);
}

/** Reads a text by a form. The error names the column. */
function decodeText(form: IdTextForm, value: unknown, column: string): bigint {
  let rule = "a text";
  if (typeof value === "string") {
    try {
      return form.decode(value);
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      rule = error.rule;
    }
  }
  throw new InvalidIdError(column, rule, value);
}

function makeStorage(dialect: Dialect, storage: unknown): Storage {
  const { remedy } = dialect;
  const read = (value: unknown, column: string) => readStoredId(column, value, remedy);
  if (storage === "bigint")
    return { dataType: dialect.integer, write: dialect.toInteger, read, isNumber: true };
  if (storage === "decimal") return { dataType: dialect.decimal, write: String, read, isNumber: false };
  const form = assertTextForm("storage", storage) as IdTextForm;
  return {
    dataType: dialect.text(assertWhole("storage.width", form.width, 1, 255)),
    write: (id) => form.encode(id),
    read: (value, column) => decodeText(form, value, column),
    isNumber: false,
  };
}

/** Reads an ID of the program. The error names the column. */
function readBigint(value: unknown, column: string): bigint {
  try {
    return parseId(value);
  } catch (error) {
    throw new InvalidIdError(column, (error as InvalidIdError).rule, value);
  }
}

/** The name of a column. Drizzle calls conversions as its methods, but does not promise to. */
function nameOf(column: unknown): string {
  const { name } = Object(column) as { name?: unknown };
  return typeof name === "string" && name !== "" ? name : "id";
}

/** Creates columns of IDs for a database. */
export function createIdColumn<Builder, Text extends string>(
  dialect: Dialect,
  customType: CustomType<Builder>,
  options: IdColumnOptions<Text>,
): IdColumn<Builder, IdColumnValue<Text>> {
  assertFunction("customType", customType);
  assertKnownOptions(options, ["value", "storage", "dataType"]);
  const storage = makeStorage(dialect, readField(options, "storage") ?? "bigint");
  const dataType = readField(options, "dataType") ?? storage.dataType;
  if (typeof dataType !== "string" || dataType === "") {
    throw new ArgumentError("dataType", "an SQL type", dataType);
  }
  const value = readField(options, "value");
  const form = value === undefined ? undefined : (assertTextForm("value", value) as IdTextForm);

  /** The value of the program, of an ID. */
  const show = (id: bigint) => (form ? form.encode(id) : id) as IdColumnValue<Text>;
  // Drizzle calls the conversions for null too, where a placeholder is null, and in version 1 for a column of a left join.
  const toDriver = function (this: unknown, given: unknown): unknown {
    if (given === null) return null;
    const column = nameOf(this);
    return storage.write(form ? decodeText(form, given, column) : readBigint(given, column));
  };
  const fromDriver = function (this: unknown, given: unknown): unknown {
    return given === null ? null : show(storage.read(given, nameOf(this)));
  };
  const [before, after] = dialect.toText;
  const forJsonSelect = <Sql>(
    identifier: Sql,
    sql: (strings: TemplateStringsArray, ...values: Sql[]) => Sql,
    arrayDimensions = 0,
  ): Sql => {
    const strings = [before, after + "[]".repeat(arrayDimensions)];
    return sql(Object.assign(strings, { raw: strings }), identifier);
  };
  const params = { dataType: () => dataType, toDriver, fromDriver };
  const build = customType(
    (storage.isNumber ? { ...params, fromJson: fromDriver, forJsonSelect } : params) as never,
  );
  const column = (name = "") => build(name) as IdColumnBuilder<Builder, IdColumnValue<Text>>;
  return Object.assign(column, {
    from(generator: IdSource): () => IdColumnValue<Text> {
      assertFunction("generator.nextId", (Object(generator) as IdSource).nextId);
      return () => show(generator.nextId());
    },
  });
}

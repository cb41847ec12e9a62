// bitflake/kysely: a plugin of Kysely that reads columns with IDs as bigints.

import { ArgumentError, assertKnownOptions, InvalidIdError, readField } from "../internal.ts";
import { parseExactJson } from "./exactJson.ts";
import { readStoredId } from "./storedId.ts";

export { ArgumentError, InvalidIdError } from "../internal.ts";
export { parseExactJson } from "./exactJson.ts";

/** The options of {@link IdColumnsPlugin}. */
export interface IdColumnsOptions {
  /**
   * The names of the columns with IDs, as they are in results: of `select("orders.id as orderId")` it is `orderId`. A name
   * counts in snake case and in camel case, so `user_id` is also `userId`.
   */
  readonly columns: readonly string[];
  /**
   * The names of the columns with JSON that the database builds of rows, for example by `jsonArrayFrom`. In these the IDs
   * are read too, at any depth. JSON that is text is parsed. Default: none.
   */
  readonly jsonColumns?: readonly string[];
}

/** A result as Kysely passes it to a plugin. */
export interface ResultOfRows {
  /** The rows, by column name. */
  readonly rows: readonly object[];
}

const COLUMN_REMEDY =
  "mysql2: set supportBigNumbers and bigNumberStrings; better-sqlite3: call defaultSafeIntegers(); pg: do not parse INT8 as a number";
const JSON_REMEDY =
  "cast the ID to text in the query, or have the driver parse JSON exactly (pg: parseExactJson; mysql2: supportBigNumbers), or put this plugin before ParseJSONResultsPlugin";

/** Returns a name in the form in which snake case and camel case are equal. */
const fold = (name: string): string => name.replaceAll("_", "").toLowerCase();

/** Returns a function that returns whether a name is one of an option. It remembers its results. */
function matcher(field: string, names: unknown): (name: string) => boolean {
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string" && fold(name) !== "")) {
    throw new ArgumentError(field, "an array of names of columns", names);
  }
  const wanted = new Set(names.map(fold));
  const known = new Map<string, boolean>();
  return (name) => {
    let isWanted = known.get(name);
    if (isWanted === undefined) {
      isWanted = wanted.has(fold(name));
      // Limited, because names may be keys of JSON.
      if (known.size < 1000) known.set(name, isWanted);
    }
    return isWanted;
  };
}

/** Reads a column with an ID, an array of IDs, or null. */
function readIds(path: string, value: unknown, remedy: string): unknown {
  if (value === null || value === undefined) return value;
  if (Array.isArray(value)) return value.map((one) => readIds(path, one, remedy));
  return readStoredId(path, value, remedy);
}

/** Returns the path of a field, cut because the keys of JSON may be of any length. */
const join = (path: string, name: string): string => `${path}.${name}`.slice(0, 64);

/** Returns whether a value is an object of JSON, and no Date or Buffer. */
function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return {}.toString.call(value) === "[object Object]";
}

/**
 * A plugin of Kysely that reads the IDs of query results as bigints, from the strings and bigints that drivers return.
 *
 * A number past 2^53 has lost digits in the driver: in one of the columns it is an {@link InvalidIdError} that names the
 * column and the setting, and so is a value that is no ID. In JSON that is not in `jsonColumns`, nothing is converted, but
 * such a number under the name of a column is an error too.
 *
 * The plugin does not change queries: pass IDs as bigints. List it before `ParseJSONResultsPlugin`, which rounds IDs; among
 * other plugins its place does not matter.
 *
 * @example
 * ```ts
 * import { IdColumnsPlugin } from "bitflake/kysely";
 *
 * const plugin = new IdColumnsPlugin({ columns: ["id", "user_id"], jsonColumns: ["orders"] });
 * // new Kysely({ dialect, plugins: [plugin] })
 *
 * const rows = [{ id: "911780371413233664", orders: '[{"id":911780371413233665,"total":12}]' }];
 * const result = await plugin.transformResult({ result: { rows } });
 * result.rows[0]?.id; // => 911780371413233664n
 * result.rows[0]?.orders; // => [ { id: 911780371413233665n, total: 12 } ]
 * ```
 */
export class IdColumnsPlugin {
  readonly #isId: (name: string) => boolean;
  readonly #isJson: (name: string) => boolean;

  /** @throws {@link ArgumentError} if an option is wrong or unknown, or there are no columns */
  constructor(options: IdColumnsOptions) {
    assertKnownOptions(options, ["columns", "jsonColumns"]);
    const columns = readField(options, "columns");
    this.#isId = matcher("columns", columns);
    if ((columns as readonly string[]).length === 0) {
      throw new ArgumentError("columns", "one or more names of columns", columns);
    }
    this.#isJson = matcher("jsonColumns", readField(options, "jsonColumns") ?? []);
  }

  /** Returns the query as it is. Called by Kysely. */
  transformQuery<Node>(args: { readonly node: Node }): Node {
    return args.node;
  }

  /**
   * Reads the IDs of a result. Called by Kysely.
   *
   * @throws {@link InvalidIdError} if a column has a value that is not an ID
   */
  async transformResult<Result extends ResultOfRows>(args: { readonly result: Result }): Promise<Result> {
    const { result } = args;
    return { ...result, rows: result.rows.map((row) => this.#readRow(row)) };
  }

  #readRow(row: object): object {
    const read: Record<string, unknown> = { ...row };
    for (const [name, value] of Object.entries(read)) {
      if (this.#isId(name)) read[name] = readIds(name, value, COLUMN_REMEDY);
      else if (this.#isJson(name)) read[name] = this.#readJson(name, parsed(name, value));
      else this.#refuseRounded(name, value);
    }
    return read;
  }

  /** Returns JSON with its IDs read. */
  #readJson(path: string, value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.#readJson(path, one));
    if (!isJsonObject(value)) return value;
    const read: Record<string, unknown> = { ...value };
    for (const [name, field] of Object.entries(read)) {
      const inner = join(path, name);
      read[name] = this.#isId(name) ? readIds(inner, field, JSON_REMEDY) : this.#readJson(inner, field);
    }
    return read;
  }

  /** Refuses JSON with an ID that has lost digits. Other values are the user's. */
  #refuseRounded(path: string, value: unknown, isId = false): void {
    if (Array.isArray(value)) for (const one of value) this.#refuseRounded(path, one, isId);
    else if (isJsonObject(value)) {
      for (const [name, field] of Object.entries(value)) {
        this.#refuseRounded(join(path, name), field, this.#isId(name));
      }
    } else if (isId && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      readStoredId(path, value, JSON_REMEDY);
    }
  }
}

/** Parses JSON that is text. */
function parsed(column: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return parseExactJson(value);
  } catch {
    throw new InvalidIdError(column, "JSON", value);
  }
}

// backfill: a stream of old rows, each with its ID.

import { ArgumentError, assertObject, readFields } from "../internal.ts";
import { Backfill, type BackfillOptions, OPTIONS } from "./backfill.ts";

/** A row that exists already, with the time of its creation. */
export interface OldRow {
  /** In milliseconds since 1970 or as a Date. */
  readonly createdAt: number | Date;
}

/** A row and the ID for it. */
export interface BackfillRow<Row extends OldRow> {
  /** The row, as it came. */
  readonly row: Row;
  /** Its ID, which no row has. */
  readonly id: bigint;
}

/** Options of {@link backfill}. */
export interface BackfillRowsOptions extends BackfillOptions {
  /**
   * The IDs that the table has, and those of other tables that share the IDs, read before the first row: those of former runs on
   * these nodes, or all of them. `[]` in the first run. A run that does not get them repeats IDs, which a unique column refuses.
   */
  readonly taken: Iterable<bigint | string | number> | AsyncIterable<bigint | string | number>;
}

/** Asserts that a value can be read by `for await`. */
function assertIterable(field: string, value: object): void {
  const { [Symbol.asyncIterator]: async, [Symbol.iterator]: sync } = Object(value);
  // A text is iterable, by its characters.
  if (typeof value !== "object" || typeof (async ?? sync) !== "function")
    throw new ArgumentError(field, "an iterable object", value);
}

async function* eachRow<Row extends OldRow>(
  ids: Backfill,
  rows: Iterable<Row> | AsyncIterable<Row>,
  taken: BackfillRowsOptions["taken"],
): AsyncGenerator<BackfillRow<Row>, void, undefined> {
  for await (const id of taken) ids.markTaken(id);
  let index = 0;
  for await (const row of rows) {
    const { createdAt } = assertObject(`rows[${index}]`, row);
    yield { row, id: ids.issue(`rows[${index}].createdAt`, createdAt) };
    index++;
  }
}

/**
 * Makes IDs for old rows, in the order in which they come, which may be any: see {@link Backfill}. It reads the rows one by one
 * and keeps none of them.
 *
 * @param rows rows with the time of their creation, of a table that may be of any size
 * @param options those of {@link Backfill}, and `taken`
 * @throws {@link ArgumentError} or {@link LayoutError} if an option is wrong; while it runs, the errors of {@link Backfill.nextId};
 *   the `field` of an ArgumentError has the index of the row
 *
 * @example
 * ```ts
 * import { backfill } from "bitflake/migrate";
 *
 * const rows = [
 *   { key: 7, createdAt: new Date("2024-05-01") },
 *   { key: 3, createdAt: new Date("2023-02-03") },
 * ];
 * const ids = new Map<number, bigint>();
 * const options = { preset: "twitter", nodes: [{ datacenterId: 31 }], before: new Date("2026-12-01"), taken: [] } as const;
 * for await (const { row, id } of backfill(rows, options)) ids.set(row.key, id);
 * ids; // => Map(2) { 7 => 573297603383263232n, 3 => 409135900266463232n }
 * ```
 */
export function backfill<Row extends OldRow>(
  rows: Iterable<Row> | AsyncIterable<Row>,
  options: BackfillRowsOptions,
): AsyncGenerator<BackfillRow<Row>, void, undefined> {
  const { taken, ...rest } = readFields(options, [...OPTIONS, "taken"]);
  const ids = new Backfill(rest);
  assertIterable("rows", rows);
  assertIterable("taken", taken);
  return eachRow(ids, rows, taken);
}

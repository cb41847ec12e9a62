// Options of sqlFunctions, and the settings that they are resolved to once.

import { assertName } from "../backend/names.ts";
import {
  ArgumentError,
  assertKnownOptions,
  assertOneOf,
  assertWhole,
  DATE_END,
  type Format,
  LayoutError,
  mergeOptions,
  type PresetName,
  readFields,
  resolveFormat,
  type Widths,
} from "../internal.ts";
import { makeNodeSpace, shapeOf } from "../lease/nodeSpace.ts";

/** The database engines that {@link sqlFunctions} writes SQL for. */
export type SqlDialect = "postgres" | "mysql" | "sqlite";

/** The format of IDs: widths, and optionally the epoch and the tick. */
export interface SqlFormat extends Partial<Widths> {
  /** The moment of tick 0, in milliseconds since 1970 or as a Date. Default 2020-01-01 UTC, or the preset's. */
  readonly epochMs?: number | Date | undefined;
  /** How many milliseconds a tick lasts. Default 1. */
  readonly tickMs?: number | undefined;
}

/** The node of IDs, by its fields. */
export interface SqlNode {
  /** The datacenter. Default 0. With `name`: the datacenter whose machines are leased; default all nodes. */
  readonly datacenterId?: number | undefined;
  /** The machine. Default 0. Not with `name`, because the lease decides it. */
  readonly machineId?: number | undefined;
}

/** Options of {@link sqlFunctions}. `dialect` is required, and `node` or `name`, unless the layout has no node. */
export interface SqlOptions extends SqlFormat {
  /** The database engine. `"mysql"` is for MariaDB too. */
  readonly dialect: SqlDialect;
  /** The layout. Default `"twitter"`. */
  readonly preset?: PresetName | SqlFormat | undefined;
  /** The node that this database alone stamps. Nothing checks that no other process has it. */
  readonly node?: SqlNode | undefined;
  /**
   * The lease namespace in this database from which the script takes a node for good. `leaseNode` of the same `name` never
   * gets that node. Run `setup(backend, ["lease"])` before.
   */
  readonly name?: string | undefined;
  /** How far the clock may step back before it is an error, in milliseconds. Default 10. */
  readonly maxBackwardMs?: number | undefined;
  /** The schema of the functions and of the tables of leases, in PostgreSQL. Default `"public"`. */
  readonly schema?: string | undefined;
  /** The prefix of the tables, as in the adapter of `bitflake/backend`. Default `"bitflake"`. */
  readonly prefix?: string | undefined;
  /** The start of the functions' names, without capital letters: `"order_"` makes `order_next_id()`. Default none. */
  readonly functionPrefix?: string | undefined;
}

/** Settings of the SQL: the options, validated and with defaults. */
export interface SqlSettings {
  readonly dialect: SqlDialect;
  readonly format: Format;
  /** What the functions are for, as the lease names it: layout, epoch, tick and leased fields. */
  readonly shape: string;
  /** The node; with a namespace, the first node of its space. */
  readonly node: number;
  /** How many nodes the space of the namespace has. */
  readonly count: number;
  readonly name: string | undefined;
  readonly maxBackwardMs: number;
  readonly schema: string;
  readonly prefix: string;
  readonly functionPrefix: string;
  readonly machineBits: number;
  readonly sequenceBits: number;
  readonly timestampShift: number;
}

const FORMAT = ["timestampBits", "datacenterBits", "machineBits", "sequenceBits", "epochMs", "tickMs"];
const OPTIONS = [
  ...["dialect", "preset", "node", "name", "maxBackwardMs", "schema", "prefix", "functionPrefix"],
  ...FORMAT,
];

/**
 * Asserts that a value can be part of a name in SQL. Quotes, dollars and backslashes are refused, because the name is written
 * in strings within strings.
 */
function assertIdentifier(field: string, value: unknown, most: number): string {
  if (assertName(field, value).length <= most && /^[\w-]+$/.test(value as string)) return value as string;
  throw new ArgumentError(field, `1 to ${most} letters, digits, "_" and "-"`, value);
}

/** Asserts that a value can be the start of the names of functions; returns it. */
function assertFunctionPrefix(value: unknown): string {
  if (value === "") return "";
  const prefix = assertIdentifier("functionPrefix", value, 20);
  // MySQL and SQLite do not distinguish names by case alone, so two sets of functions would replace each other.
  if (prefix === prefix.toLowerCase()) return prefix;
  throw new ArgumentError("functionPrefix", "without capital letters", value);
}

/** Resolves options to settings, and validates them. */
export function resolveSqlSettings(options: SqlOptions): SqlSettings {
  const given = readFields(options, OPTIONS);
  const {
    preset = "twitter",
    node: givenNode = {},
    name,
    schema,
    prefix = "bitflake",
    functionPrefix = "",
  } = given;
  if (typeof preset !== "string") assertKnownOptions(preset, FORMAT);
  const node = readFields<SqlNode>(givenNode, ["datacenterId", "machineId"]);
  const own = Object.fromEntries(FORMAT.map((field) => [field, given[field as keyof SqlFormat]]));
  const { maxBackwardMs } = mergeOptions({ maxBackwardMs: given.maxBackwardMs });
  const format = resolveFormat(mergeOptions(preset, own));
  const { datacenterBits, machineBits, sequenceBits } = format.layout;
  // A larger node is no exact number.
  if (datacenterBits + machineBits > 53)
    throw new LayoutError(
      "layout",
      "one with at most 53 datacenter and machine bits",
      datacenterBits + machineBits,
    );
  const field = (key: keyof SqlNode, bits: number) =>
    assertWhole(key, node[key] ?? 0, 0, 2 ** bits - 1, ` (${bits} bits)`);
  const datacenterId = field("datacenterId", datacenterBits);
  const machineId = field("machineId", machineBits);
  const dialect = assertOneOf("dialect", given.dialect, ["postgres", "mysql", "sqlite"]);
  if (schema !== undefined && dialect !== "postgres")
    throw new ArgumentError("schema", "left out for MySQL and SQLite", schema);
  if (name !== undefined && node.machineId !== undefined)
    throw new ArgumentError("machineId", "left out, because the lease decides it", node.machineId);
  const isChosen = node.datacenterId !== undefined || node.machineId !== undefined;
  if (name === undefined && !isChosen && datacenterBits + machineBits > 0)
    throw new ArgumentError(
      "node",
      "given, or a name, so that no other process has the same node",
      given.node,
    );
  const { first, count, shape } =
    name === undefined
      ? {
          first: datacenterId * 2 ** machineBits + machineId,
          count: 1,
          shape: shapeOf(format, false).replace(/ both.*/, ""),
        }
      : makeNodeSpace({ ...format, datacenterId }, node.datacenterId !== undefined);
  return {
    dialect,
    format,
    shape,
    node: first,
    count,
    name: name === undefined ? undefined : assertName("name", name),
    maxBackwardMs: assertWhole("maxBackwardMs", maxBackwardMs, 0, DATE_END),
    schema: assertIdentifier("schema", schema ?? "public", 63),
    prefix: assertIdentifier("prefix", prefix, 20),
    functionPrefix: assertFunctionPrefix(functionPrefix),
    machineBits,
    sequenceBits,
    timestampShift: datacenterBits + machineBits + sequenceBits,
  };
}

/** Returns the last tick of the functions: its end is a moment that a Date can hold, so that a lease can end there. */
export function lastTickOf({ epochMs, tickMs, maxTick }: Format): number {
  return Math.min(maxTick, Math.floor((DATE_END - epochMs) / tickMs) - 1);
}

// Resolves each setting of a command: flag over environment variable over configuration file over default.

import { ArgumentError } from "../../internal.ts";
import { UsageError } from "../errors.ts";
import { maskAddress, quoted } from "../redact.ts";
import type { ConfigFile } from "./configFile.ts";
import { type Flag, type FlagTable, flagName, flagRows, type Values } from "./flagTable.ts";
import { describeRule, parseJsonValue, parseStrings } from "./parseValue.ts";
import { suggest } from "./suggest.ts";

/** The places that settings come from. */
export interface Origins {
  /** The strings of flags, by the names of their settings. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file?: ConfigFile | undefined;
}

/** Resolved settings. */
export interface ResolvedSettings<T extends FlagTable> {
  readonly values: Values<T>;
  /** The name of each setting in error messages, by its origin: `--port`, `BITFLAKE_PORT`, `port in bitflake.json`. */
  readonly sources: Readonly<Record<string, string>>;
}

/** A setting as it was given. */
interface GivenSetting {
  readonly source: string;
  /** Its origin by precedence: 0 a flag, 1 a variable, 2 the file. */
  readonly rank: number;
  /** As it was written, for the error. */
  readonly raw: unknown;
  /** `undefined` if it breaks the rule. */
  readonly value: unknown;
}

/** Returns the value that is given for a setting, from the origin with the highest precedence. */
function findGiven(name: string, row: Flag, { flags, env, file }: Origins): GivenSetting | undefined {
  if (Object.hasOwn(flags, name)) {
    const strings = flags[name] as readonly string[];
    return { source: flagName(name), rank: 0, raw: strings[0], value: parseStrings(row, strings) };
  }
  const text = row.env && env[row.env];
  // An empty variable is unset, as in the library. A list is not: an empty list of keys must not mean that every client
  // is accepted.
  if (row.env && text !== undefined && (text !== "" || row.kind === "list")) {
    const strings = row.kind === "list" ? text.split(",").map((part) => part.trim()) : [text];
    return { source: row.env, rank: 1, raw: text, value: parseStrings(row, strings) };
  }
  if (!file || !Object.hasOwn(file.content, name)) return undefined;
  const raw = file.content[name];
  return { source: `${name} in ${file.path}`, rank: 2, raw, value: parseJsonValue(row, raw) };
}

/**
 * Asserts that a given value meets its rule, and returns it.
 *
 * @throws {@link ArgumentError} if it does not
 */
function assertValid(row: Flag, { source, raw, value }: GivenSetting): unknown {
  if (value !== undefined) return value;
  // The entries of a list may be secrets too, so the message shows only whether it is empty.
  const visible = row.kind === "list" || row.noFlagReason ? (String(raw) === "" ? "" : []) : raw;
  throw new ArgumentError(
    source,
    describeRule(row),
    typeof visible === "string" ? maskAddress(visible) : visible,
  );
}

/** A value that meets its rule, and its origin. */
interface FoundValue {
  readonly source: string;
  readonly value: unknown;
}

/** Returns the value of a setting's other form, unless the setting is given by an origin of higher precedence. */
function findOtherForm(row: Flag, given: GivenSetting | undefined, origins: Origins): FoundValue | undefined {
  const { otherForm } = row;
  const other = otherForm && findGiven(otherForm.name, otherForm.flag, origins);
  if (!other || (given && given.rank < other.rank)) return undefined;
  if (given?.rank === other.rank) {
    throw new UsageError(`${other.source} is another form of ${given.source}: set only one of them`);
  }
  return { source: other.source, value: assertValid(otherForm.flag, other) };
}

/** Returns the given value of a setting, under its name, its deprecated name or in its other form, with its source. */
function findValue(name: string, row: Flag, origins: Origins): FoundValue | undefined {
  const given = findGiven(name, row, origins);
  const other = findOtherForm(row, given, origins);
  if (other) return other;
  const { deprecatedName } = row;
  if (deprecatedName) {
    const { name: formerName, env, values } = deprecatedName;
    const { env: _, ...rest } = row;
    const formerRow = {
      ...rest,
      ...(env === undefined ? {} : { env }),
      ...(values && { choices: Object.keys(values) }),
    } as Flag;
    const former = findGiven(formerName, formerRow, origins);
    if (former && given?.rank === former.rank) {
      throw new UsageError(`${former.source} is the former name of ${given.source}: set only one of them`);
    }
    if (former && (!given || former.rank < given.rank)) {
      const value = assertValid(formerRow, former);
      return { source: former.source, value: values?.[value as string] ?? value };
    }
  }
  return given && { source: given.source, value: assertValid(row, given) };
}

/** Asserts that a configuration file contains only settings of the table. */
function assertKnownSettings(table: FlagTable, { path, content }: ConfigFile): void {
  const rows = flagRows(table).filter(([, row]) => !row.notInFile);
  const names = rows.map(([name]) => name);
  const known = new Set([...names, ...rows.flatMap(([, row]) => row.deprecatedName?.name ?? [])]);
  for (const name of Object.keys(content)) {
    if (known.has(name)) continue;
    throw new UsageError(`unknown setting ${quoted(name)} in ${path}${suggest(name, names)}`);
  }
}

/**
 * Resolves the settings of a table.
 *
 * @throws {@link ArgumentError} for a value that breaks its rule
 * @throws {@link UsageError} for a setting that is missing, unknown, or given under two names
 */
export function resolveSettings<T extends FlagTable>(table: T, origins: Origins): ResolvedSettings<T> {
  const values: Record<string, unknown> = {};
  const sources: Record<string, string> = {};
  if (origins.file) assertKnownSettings(table, origins.file);
  for (const [name, row] of Object.entries(table)) {
    const found = findValue(name, row, origins);
    if (!found && row.required) {
      throw new UsageError(`${flagName(name)}${row.env ? ` or ${row.env}` : ""} is required`);
    }
    const fallback = row.kind === "switch" ? false : "default" in row ? row.default : undefined;
    sources[name] = found?.source ?? flagName(name);
    values[name] = found ? found.value : fallback;
  }
  return { values: values as Values<T>, sources };
}

// Settles what each setting is: flags over environment over file over default; an error says where a bad value is from.

import { ArgumentError } from "../../internal.ts";
import { maskAddress, quoted, UsageError } from "../errors.ts";
import { type Flag, type FlagTable, flagName, type Values } from "./flagTable.ts";
import { suggest } from "./suggest.ts";

/** Where settings come from. */
export interface Origins {
  /** The texts of flags, by the names of their settings. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A configuration file. */
  readonly file?: { readonly path: string; readonly content: Readonly<Record<string, unknown>> } | undefined;
}

/** Settings, settled. */
export interface ResolvedSettings<T extends FlagTable> {
  readonly values: Values<T>;
  /** What each setting is called where it was said: `--port`, `BITFLAKE_PORT`, `port in bitflake.json`. */
  readonly sources: Readonly<Record<string, string>>;
}

/** What a value must be. */
function describeRule(flag: Flag): string {
  switch (flag.kind) {
    case "switch":
      return "true or false";
    case "integer":
      return `a whole number from ${flag.min} to ${flag.max}`;
    case "choice":
      return `one of ${flag.choices.join(", ")}`;
    case "text":
      return "a text that is not empty";
    case "list":
      return `a list of texts, at least one and none of them empty${flag.defaultText ? `; left out, ${flag.defaultText}` : ""}`;
    case "document":
      return "the path of a JSON file";
  }
}

/** The value of a setting in a file; `undefined` if it is none. */
function parseJsonValue(flag: Flag, value: unknown): unknown {
  switch (flag.kind) {
    case "switch":
      return typeof value === "boolean" ? value : undefined;
    case "integer":
      return Number.isSafeInteger(value) && (value as number) >= flag.min && (value as number) <= flag.max
        ? value
        : undefined;
    case "choice":
      return flag.choices.includes(value as string) ? value : undefined;
    case "text":
      return typeof value === "string" && value !== "" ? value : undefined;
    case "list":
      return Array.isArray(value) &&
        value.length > 0 &&
        value.every(
          (one) =>
            (typeof one === "string" && one !== "") ||
            (flag.mayHoldObjects && {}.toString.call(one) === "[object Object]"),
        )
        ? value
        : undefined;
    case "document":
      if (typeof value === "string" && value !== "") return { path: value };
      return {}.toString.call(value) === "[object Object]" ? { content: value } : undefined;
  }
}

/** What a variable can say of a switch; a flag that is there says nothing more. */
const SWITCHES: ReadonlyMap<string, boolean> = /* @__PURE__ */ new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

/** The value that texts stand for; `undefined` if they stand for none. */
function parseTexts(flag: Flag, texts: readonly string[]): unknown {
  const [text = ""] = texts;
  if (flag.kind === "switch") return text === "" || SWITCHES.get(text);
  if (flag.kind === "list") return parseJsonValue(flag, texts);
  if (flag.kind !== "integer") return parseJsonValue(flag, text);
  return /^(0|-?[1-9]\d*)$/.test(text) ? parseJsonValue(flag, Number(text)) : undefined;
}

/** Refuses settings in a file that there are not. */
function assertKnownSettings(table: FlagTable, { path, content }: NonNullable<Origins["file"]>): void {
  const names = Object.keys(table).filter((name) => !table[name]?.notInFile);
  for (const name of Object.keys(content)) {
    if (names.includes(name)) continue;
    throw new UsageError(`${path} has ${quoted(name)}, which is no setting${suggest(name, names)}`);
  }
}

/**
 * Settles what each setting of a table is.
 *
 * @throws {@link ArgumentError} for a value that is none, {@link UsageError} for one that is missing or unknown
 */
export function resolveSettings<T extends FlagTable>(
  table: T,
  { flags, env, file }: Origins,
): ResolvedSettings<T> {
  const values: Record<string, unknown> = {};
  const sources: Record<string, string> = {};
  if (file) assertKnownSettings(table, file);
  for (const [name, row] of Object.entries(table)) {
    const flag = flagName(name);
    // Empty is unset, as with the variables of the library. Not so a list: whoever sets one of keys, and has none in it,
    // does not mean that anyone may ask.
    const text = row.env && env[row.env];
    const variable = text || (row.kind === "list" ? text : undefined);
    const texts = Object.hasOwn(flags, name) ? flags[name] : undefined;
    sources[name] = flag;
    if (texts) values[name] = parseTexts(row, texts);
    else if (row.env && variable !== undefined) {
      sources[name] = row.env;
      const parts = row.kind === "list" ? variable.split(",").map((part) => part.trim()) : [variable];
      values[name] = parseTexts(row, parts);
    } else if (file && Object.hasOwn(file.content, name)) {
      sources[name] = `${name} in ${file.path}`;
      values[name] = parseJsonValue(row, file.content[name]);
    } else {
      values[name] = row.kind === "switch" ? false : "default" in row ? row.default : undefined;
      if (row.required) throw new UsageError(`${flag} is needed${row.env ? `, or ${row.env}` : ""}`);
      continue;
    }
    if (values[name] === undefined) {
      const said = texts?.[0] ?? variable ?? file?.content[name];
      // A list is of secrets, and may be shown to nobody, unless there is nothing in it.
      const given = row.kind === "list" ? (String(said) === "" ? "" : []) : said;
      throw new ArgumentError(
        sources[name],
        describeRule(row),
        typeof given === "string" ? maskAddress(given) : given,
      );
    }
  }
  return { values: values as Values<T>, sources };
}

// Values of settings: parsed from strings and from JSON, and the rules that they must meet.

import type { Flag } from "./flagTable.ts";
import { parseMoment } from "./parseMoment.ts";

/** Returns the rule for the values of a setting, as error messages state it after "must be". */
export function describeRule(flag: Flag): string {
  switch (flag.kind) {
    case "switch":
      return "true or false";
    case "integer":
      return [`a whole number from ${flag.min} to ${flag.max}`, ...Object.keys(flag.words ?? {})].join(
        ", or ",
      );
    case "moment":
      return "a date such as 2026-01-31, in UTC, or a time with its zone such as 2026-01-31T12:00:00Z";
    case "choice":
      return `one of ${flag.choices.join(", ")}`;
    case "text":
      return "a string that is not empty";
    case "list":
      return `a list of at least one string, none of them empty${flag.defaultText ? `; if it is not set, ${flag.defaultText}` : ""}`;
    case "document":
      return "the path of a JSON file";
  }
}

const isObject = (value: unknown): boolean => ({}).toString.call(value) === "[object Object]";

/** Parses a value of a JSON file; `undefined` if it breaks the rule. */
export function parseJsonValue(flag: Flag, value: unknown): unknown {
  switch (flag.kind) {
    case "switch":
      return typeof value === "boolean" ? value : undefined;
    case "integer":
      if (typeof value === "string" && flag.words && Object.hasOwn(flag.words, value))
        return flag.words[value];
      return Number.isSafeInteger(value) && (value as number) >= flag.min && (value as number) <= flag.max
        ? value
        : undefined;
    case "moment":
      return typeof value === "string" ? parseMoment(value) : undefined;
    case "choice":
      return flag.choices.includes(value as string) ? value : undefined;
    case "text":
      return typeof value === "string" && value !== "" ? value : undefined;
    case "list": {
      const isEntry = (entry: unknown) =>
        (typeof entry === "string" && entry !== "") || (flag.mayHoldObjects && isObject(entry));
      return Array.isArray(value) && value.length > 0 && value.every(isEntry) ? value : undefined;
    }
    case "document":
      if (typeof value === "string" && value !== "") return { path: value };
      return isObject(value) ? { content: value } : undefined;
  }
}

/** The strings that a variable may hold for a switch. */
const SWITCHES: ReadonlyMap<string, boolean> = /* @__PURE__ */ new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

/** Parses the strings of a flag or a variable; `undefined` if they break the rule. */
export function parseStrings(flag: Flag, strings: readonly string[]): unknown {
  const [text = ""] = strings;
  // A switch that is given as a flag has no text.
  if (flag.kind === "switch") return text === "" || SWITCHES.get(text);
  if (flag.kind === "list") return parseJsonValue(flag, strings);
  if (flag.kind !== "integer") return parseJsonValue(flag, text);
  return parseJsonValue(flag, /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : text);
}

// Texts of --help, built from the commands' descriptions and flag tables.

import type { CommandDescription } from "./command.ts";
import { type Flag, type FlagTable, flagName, flagRows } from "./settings/flagTable.ts";

/** The column in which the descriptions of options begin. */
const INDENT = 24;

/** Returns a string in lines of at most a width, broken at spaces. */
function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line];
}

/** Returns the placeholder of a flag's value, with a space before it. */
function placeholder(flag: Flag): string {
  switch (flag.kind) {
    case "switch":
      return "";
    case "integer":
      return " N";
    case "moment":
      return " DATE";
    case "choice":
      return " NAME";
    case "document":
      return " FILE";
    default:
      return ` ${flag.placeholder}`;
  }
}

/** Returns the allowed values, the variable and the default of a setting, in parentheses. */
function describeLimits(flag: Flag): string {
  const parts: string[] = [];
  if (flag.kind === "choice") parts.push(flag.choices.join(", "));
  // A maximum beyond any practical value is left out.
  if (flag.kind === "integer" && flag.max < 2 ** 31 - 1) {
    parts.push([`${flag.min} to ${flag.max}`, ...Object.keys(flag.words ?? {})].join(", or "));
  }
  const fallback = "default" in flag && flag.default !== undefined ? String(flag.default) : flag.defaultText;
  // A setting without a flag is listed under its variable.
  const isVariable = flag.noFlagReason !== undefined;
  const origins = [!isVariable && flag.env && `$${flag.env}`, fallback].filter(Boolean);
  if (flag.required) parts.push(["required", ...origins].join(", or "));
  else if (origins.length > 0) parts.push(`default: ${origins.join(", or ")}`);
  return parts.length > 0 ? ` (${parts.join("; ")})` : "";
}

/** Returns a setting's flags with their placeholder, or its variable if it has no flag. */
function describeName(name: string, flag: Flag): string {
  if (flag.noFlagReason) return `$${flag.env}`;
  const short = flag.short === undefined ? "" : `-${flag.short}, `;
  return short + flagName(name) + placeholder(flag);
}

function optionLines([name, flag]: readonly [string, Flag], width: number): string[] {
  const left = `  ${describeName(name, flag)}`;
  const right = wrapText(flag.description + describeLimits(flag), Math.max(30, width - INDENT));
  const first = left.length + 2 > INDENT ? [left] : [left.padEnd(INDENT) + right.shift()];
  return [...first, ...right.map((line) => " ".repeat(INDENT) + line)];
}

function exampleLines({ examples }: CommandDescription): string[] {
  return examples.flatMap(({ run, output }) => [
    `  $ ${run}`,
    ...(output === undefined ? [] : output.split("\n").map((line) => (line ? `  ${line}` : ""))),
  ]);
}

/** Returns the help of one command. */
export function commandHelp(
  command: CommandDescription & { readonly flags: FlagTable },
  columns = 80,
): string {
  const width = Math.min(columns, 100);
  const { name, args, summary, notes = [] } = command;
  const lines = [
    `Usage: bitflake ${name}${args ? ` [${args}]` : ""} [options]`,
    "",
    ...wrapText(summary, width),
    ...notes.flatMap((note) => ["", ...wrapText(note, width)]),
    "",
    "Options:",
    ...flagRows(command.flags).flatMap((row) => optionLines(row, width)),
    "",
    "Examples:",
    ...exampleLines(command),
  ];
  return `${lines.join("\n")}\n`;
}

/** Returns the list of commands: of all, or of a group whose names begin with the same word. */
export function overviewHelp(commands: readonly CommandDescription[], group = ""): string {
  const lines = [
    `Usage: bitflake ${group || "<command>"}${group && " <command>"} [options]`,
    "",
    "Commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(16)}${summary}`),
    "",
    "`bitflake <command> --help` prints the options and examples of a command.",
    ...(group ? [] : ["`bitflake --version` prints the version."]),
    "",
    "Exit codes: 0 success; 1 failure, or a negative answer; 2 wrong usage.",
  ];
  return `${lines.join("\n")}\n`;
}

// What --help prints, all of it drawn from the tables of the commands.

import type { Command, CommandDescription } from "./defineCommand.ts";
import { type Flag, type FlagTable, flagName } from "./settings/flagTable.ts";

/** How far in the descriptions of options begin. */
const INDENT = 26;

/** Breaks a text into lines. */
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

/** What stands for a flag's value. */
function placeholder(flag: Flag): string {
  switch (flag.kind) {
    case "switch":
      return "";
    case "integer":
      return " N";
    case "choice":
      return " NAME";
    case "document":
      return " FILE";
    default:
      return ` ${flag.placeholder}`;
  }
}

/** What there is to say about a setting besides what it is. */
function describeLimits(flag: Flag): string {
  const parts: string[] = [];
  if (flag.kind === "choice") parts.push(flag.choices.join(", "));
  // The limits of what is practically unlimited are no help.
  if (flag.kind === "integer" && flag.max < 2 ** 31 - 1) parts.push(`${flag.min} to ${flag.max}`);
  const fallback = "default" in flag && flag.default !== undefined ? String(flag.default) : flag.defaultText;
  // Where a setting is no flag, its variable is its name already.
  const isVariable = flag.kind === "list" && flag.noFlagReason !== undefined;
  const origins = [!isVariable && flag.env && `$${flag.env}`, fallback].filter(Boolean);
  if (flag.required) parts.push(["needed", ...origins].join(", or "));
  else if (origins.length > 0) parts.push(`default: ${origins.join(", or ")}`);
  return parts.length > 0 ? ` (${parts.join("; ")})` : "";
}

/** What a setting is said by: a flag, or a variable where it is no flag. */
function describeName(name: string, flag: Flag): string {
  return flag.kind === "list" && flag.noFlagReason ? `$${flag.env}` : flagName(name) + placeholder(flag);
}

function optionLines([name, flag]: [string, Flag], width: number): string[] {
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

/** The help of one command. */
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
    ...Object.entries(command.flags).flatMap((row) => optionLines(row, width)),
    "",
    "Examples:",
    ...exampleLines(command),
  ];
  return `${lines.join("\n")}\n`;
}

/** The help of several commands: of all, or of those that begin with the same word. */
export function overviewHelp(commands: readonly Command[], group = ""): string {
  const lines = [
    `Usage: bitflake ${group || "<command>"}${group && " <command>"} [options]`,
    "",
    "Commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(16)}${summary}`),
    "",
    "`bitflake <command> --help` has the options and examples of a command.",
    ...(group ? [] : ["`bitflake --version` says which version this is."]),
    "",
    "Exit codes: 0 done; 1 the answer is no, or it failed; 2 used wrongly.",
  ];
  return `${lines.join("\n")}\n`;
}

// What --help prints, all of it drawn from the tables of the commands.

import type { Command, Description } from "./defineCommand.ts";
import { type Flag, type FlagTable, flagOf } from "./settings/flagTable.ts";

/** How far in the descriptions of options begin. */
const INDENT = 26;

/** Breaks a text into lines. */
function wrapped(text: string, width: number): string[] {
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
function placeholderOf(flag: Flag): string {
  switch (flag.kind) {
    case "switch":
      return "";
    case "whole":
      return " N";
    case "choice":
      return " NAME";
    case "document":
      return " FILE";
    default:
      return ` ${flag.value}`;
  }
}

/** What there is to say about a setting besides what it is. */
function limitsOf(flag: Flag): string {
  const parts: string[] = [];
  if (flag.kind === "choice") parts.push(flag.choices.join(", "));
  // The limits of what is practically unlimited are no help.
  if (flag.kind === "whole" && flag.most < 2 ** 31 - 1) parts.push(`${flag.least} to ${flag.most}`);
  const fallback = "default" in flag && flag.default !== undefined ? String(flag.default) : flag.otherwise;
  // Where a setting is no flag, its variable is its name already.
  const isVariable = flag.kind === "list" && flag.noFlag !== undefined;
  const origins = [!isVariable && flag.env && `$${flag.env}`, fallback].filter(Boolean);
  if (flag.required) parts.push(["needed", ...origins].join(", or "));
  else if (origins.length > 0) parts.push(`default: ${origins.join(", or ")}`);
  return parts.length > 0 ? ` (${parts.join("; ")})` : "";
}

/** What a setting is said by: a flag, or a variable where it is no flag. */
function nameOf(name: string, flag: Flag): string {
  return flag.kind === "list" && flag.noFlag ? `$${flag.env}` : flagOf(name) + placeholderOf(flag);
}

function optionOf([name, flag]: [string, Flag], width: number): string[] {
  const left = `  ${nameOf(name, flag)}`;
  const right = wrapped(flag.what + limitsOf(flag), Math.max(30, width - INDENT));
  const first = left.length + 2 > INDENT ? [left] : [left.padEnd(INDENT) + right.shift()];
  return [...first, ...right.map((line) => " ".repeat(INDENT) + line)];
}

function examplesOf({ examples }: Description): string[] {
  return examples.flatMap(({ run, output }) => [
    `  $ ${run}`,
    ...(output === undefined ? [] : output.split("\n").map((line) => (line ? `  ${line}` : ""))),
  ]);
}

/** The help of one command. */
export function helpOf(command: Description & { readonly flags: FlagTable }, columns = 80): string {
  const width = Math.min(columns, 100);
  const { words, args, summary, notes = [] } = command;
  const lines = [
    `Usage: bitflake ${words}${args ? ` [${args}]` : ""} [options]`,
    "",
    ...wrapped(summary, width),
    ...notes.flatMap((note) => ["", ...wrapped(note, width)]),
    "",
    "Options:",
    ...Object.entries(command.flags).flatMap((row) => optionOf(row, width)),
    "",
    "Examples:",
    ...examplesOf(command),
  ];
  return `${lines.join("\n")}\n`;
}

/** The help of several commands: of all, or of those that begin with the same word. */
export function overviewOf(commands: readonly Command[], group = ""): string {
  const lines = [
    `Usage: bitflake ${group || "<command>"}${group && " <command>"} [options]`,
    "",
    "Commands:",
    ...commands.map(({ words, summary }) => `  ${words.padEnd(16)}${summary}`),
    "",
    "`bitflake <command> --help` has the options and examples of a command.",
    ...(group ? [] : ["`bitflake --version` says which version this is."]),
    "",
    "Exit codes: 0 done; 1 the answer is no, or it failed; 2 used wrongly.",
  ];
  return `${lines.join("\n")}\n`;
}

// What can be completed on a command line: commands, groups of commands, options and their values.

import type { CommandDescription } from "../command.ts";
import { type Flag, type FlagTable, flagName, flagRows } from "../settings/flagTable.ts";

/** The values of an option: words to choose from, a file, any text, or none because the option is a switch. */
type OptionValues = readonly string[] | "file" | "text" | "none";

/** An option of a command. */
export interface CompletedOption {
  /** Its flag without hyphens. */
  readonly name: string;
  /** The letter of its short flag. */
  readonly short: string | undefined;
  readonly description: string;
  readonly values: OptionValues;
}

/** A command. */
export interface CompletedCommand {
  /** Its name, one or two words. */
  readonly name: string;
  readonly summary: string;
  /** The words that its argument may be. */
  readonly args: readonly string[];
  readonly hasArgs: boolean;
  readonly options: readonly CompletedOption[];
}

/** A word that a command line may begin with, or that may follow a group. */
export interface CompletedWord {
  readonly word: string;
  readonly summary: string;
}

/** All that can be completed. */
export interface CompletionModel {
  /** The first words: commands, groups, `help`, `--help` and `--version`. */
  readonly first: readonly CompletedWord[];
  /** The second words, by group. */
  readonly groups: ReadonlyMap<string, readonly CompletedWord[]>;
  readonly commands: readonly CompletedCommand[];
}

/** The commands that the scripts are written from. */
export type CommandList = readonly (CommandDescription & {
  readonly flags: FlagTable;
})[];

function valuesOf(flag: Flag): OptionValues {
  if (flag.kind === "switch") return "none";
  if (flag.kind === "choice") return flag.choices;
  return flag.kind === "document" || (flag.kind === "text" && flag.placeholder === "FILE") ? "file" : "text";
}

function optionsOf(flags: FlagTable): CompletedOption[] {
  return flagRows(flags)
    .filter(([, flag]) => !flag.noFlagReason)
    .map(([name, flag]) => ({
      name: flagName(name).slice(2),
      short: flag.short,
      description: flag.description,
      values: valuesOf(flag),
    }));
}

/** Returns what can be completed with these commands. */
export function completionModel(commands: CommandList): CompletionModel {
  const groups = new Map<string, CompletedWord[]>();
  const first = new Map<string, string>();
  for (const { name, summary } of commands) {
    const [word = "", second] = name.split(" ");
    if (second === undefined) first.set(word, summary);
    else {
      const group = groups.get(word) ?? [];
      group.push({ word: second, summary });
      groups.set(word, group);
      first.set(word, `Commands: ${group.map((one) => one.word).join(", ")}.`);
    }
  }
  first.set("help", "Prints the help of a command.");
  first.set("--help", "Prints the commands.");
  first.set("--version", "Prints the version.");
  return {
    first: [...first].map(([word, summary]) => ({ word, summary })),
    groups,
    commands: commands.map(({ name, summary, args, argChoices = [], flags }) => ({
      name,
      summary,
      args: argChoices,
      hasArgs: args !== undefined,
      options: optionsOf(flags),
    })),
  };
}

/** Returns the flags of an option, the long one first. */
export function flagsOf({ name, short }: CompletedOption): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

/** Returns a string in single quotes for bash and zsh. */
export function quoteSh(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

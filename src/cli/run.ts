// The command line from its arguments to its exit code.

import { VERSION } from "../version.ts";
import { COMMANDS } from "./commands.ts";
import type { Command } from "./defineCommand.ts";
import { exitCodeOf, quoted, reportError, UsageError } from "./errors.ts";
import { overviewHelp } from "./help.ts";
import { type Io, OutputClosedError } from "./io.ts";
import { checkEnvironment } from "./settings/environment.ts";
import { suggest } from "./settings/suggest.ts";

/** The commands whose words begin so. */
function commandsInGroup(group: string): Command[] {
  return COMMANDS.filter(({ name }) => name.startsWith(`${group} `));
}

/** The command that a command line begins with, if it does; its words come first, and in full. */
function findCommand(argv: readonly string[]): Command | undefined {
  return COMMANDS.find(({ name }) => name.split(" ").every((word, i) => argv[i] === word));
}

/** What is wrong with words that are no command. */
function unknownCommandError(words: readonly string[]): UsageError {
  const name = words.join(" ");
  const known = COMMANDS.map((command) => command.name);
  return new UsageError(`there is no command ${quoted(name)}${suggest(name, known)}`);
}

/** Prints the help of all, of a group, or of a command. */
async function help(words: readonly string[], io: Io): Promise<number> {
  const command = findCommand(words);
  if (command) return command.run(["--help"], io);
  const group = words.join(" ");
  const commands = group ? commandsInGroup(group) : COMMANDS;
  if (commands.length === 0) throw unknownCommandError(words);
  await io.stdout.write(overviewHelp(commands, group));
  return 0;
}

/** Does what the arguments say. */
async function dispatch(argv: readonly string[], isJson: boolean, io: Io): Promise<number> {
  const command = findCommand(argv);
  if (command) {
    return command.run(argv.slice(command.name.split(" ").length), {
      ...io,
      env: checkEnvironment(io, COMMANDS),
    });
  }
  const [first = "", second] = argv;
  if (first === "help")
    return help(
      argv.slice(1).filter((word) => word !== "--json"),
      io,
    );
  if (first === "--help" || first === "-h") return help([], io);
  if (first === "--version") {
    await io.stdout.write(isJson ? `${JSON.stringify({ version: VERSION })}\n` : `${VERSION}\n`);
    return 0;
  }
  const isGroup = commandsInGroup(first).length > 0;
  if (isGroup && (second === "--help" || second === "-h")) return help([first], io);
  if (first === "" || (isGroup && (second === undefined || second.startsWith("-")))) {
    throw new UsageError(first === "" ? "a command is needed" : `${first} needs a command after it`);
  }
  if (first.startsWith("-")) throw new UsageError(`a command comes first, got ${quoted(first)}`);
  throw unknownCommandError(isGroup && second !== undefined ? [first, second] : [first]);
}

/** Which help says how it is done right. */
function hintFor(argv: readonly string[]): string {
  const [first = ""] = argv;
  const words = findCommand(argv)?.name ?? (commandsInGroup(first).length > 0 ? first : "");
  return `Try \`bitflake ${words}${words && " "}--help\`.`;
}

/**
 * Runs a command.
 *
 * @param argv the arguments after the name of the program
 * @param world what there is to read and write
 * @returns the exit code: 0 if it is done, 1 if it failed or the answer is no, 2 if it was used wrongly. It never rejects
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const ends = argv.indexOf("--");
  const isJson = argv.slice(0, ends < 0 ? argv.length : ends).includes("--json");
  try {
    return await dispatch(argv, isJson, io);
  } catch (error) {
    if (error instanceof OutputClosedError) return 0; // Whoever read it has seen enough.
    const code = exitCodeOf(error);
    await reportError(io, isJson, error, code === 2 ? hintFor(argv) : "");
    return code;
  }
}

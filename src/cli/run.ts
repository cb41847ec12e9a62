// The command line from its arguments to its exit code.

import { VERSION } from "../version.ts";
import { COMMANDS } from "./commands.ts";
import type { Command } from "./defineCommand.ts";
import { complain, exitCodeOf, quoted, UsageError } from "./errors.ts";
import { overviewOf } from "./help.ts";
import { type Io, Unread } from "./io.ts";
import { environmentOf } from "./settings/environment.ts";
import { suggest } from "./settings/suggest.ts";

/** The commands whose words begin so. */
function within(group: string): Command[] {
  return COMMANDS.filter(({ words }) => words.startsWith(`${group} `));
}

/** The command that a command line begins with, if it does; its words come first, and in full. */
function commandOf(argv: readonly string[]): Command | undefined {
  return COMMANDS.find(({ words }) => words.split(" ").every((word, i) => argv[i] === word));
}

/** What is wrong with words that are no command. */
function noCommand(words: readonly string[]): UsageError {
  const name = words.join(" ");
  const known = COMMANDS.map((command) => command.words);
  return new UsageError(`there is no command ${quoted(name)}${suggest(name, known)}`);
}

/** Prints the help of all, of a group, or of a command. */
async function help(words: readonly string[], world: Io): Promise<number> {
  const command = commandOf(words);
  if (command) return command.start(["--help"], world);
  const group = words.join(" ");
  const commands = group ? within(group) : COMMANDS;
  if (commands.length === 0) throw noCommand(words);
  await world.stdout.write(overviewOf(commands, group));
  return 0;
}

/** Does what the arguments say. */
async function dispatch(argv: readonly string[], isJson: boolean, world: Io): Promise<number> {
  const command = commandOf(argv);
  if (command) {
    return command.start(argv.slice(command.words.split(" ").length), {
      ...world,
      env: environmentOf(world, COMMANDS),
    });
  }
  const [first = "", second] = argv;
  if (first === "help")
    return help(
      argv.slice(1).filter((word) => word !== "--json"),
      world,
    );
  if (first === "--help" || first === "-h") return help([], world);
  if (first === "--version") {
    await world.stdout.write(isJson ? `${JSON.stringify({ version: VERSION })}\n` : `${VERSION}\n`);
    return 0;
  }
  const isGroup = within(first).length > 0;
  if (isGroup && (second === "--help" || second === "-h")) return help([first], world);
  if (first === "" || (isGroup && (second === undefined || second.startsWith("-")))) {
    throw new UsageError(first === "" ? "a command is needed" : `${first} needs a command after it`);
  }
  if (first.startsWith("-")) throw new UsageError(`a command comes first, got ${quoted(first)}`);
  throw noCommand(isGroup && second !== undefined ? [first, second] : [first]);
}

/** Which help says how it is done right. */
function hintFor(argv: readonly string[]): string {
  const [first = ""] = argv;
  const words = commandOf(argv)?.words ?? (within(first).length > 0 ? first : "");
  return `Try \`bitflake ${words}${words && " "}--help\`.`;
}

/**
 * Runs a command.
 *
 * @param argv the arguments after the name of the program
 * @param world what there is to read and write
 * @returns the exit code: 0 if it is done, 1 if it failed or the answer is no, 2 if it was used wrongly. It never rejects
 */
export async function run(argv: readonly string[], world: Io): Promise<number> {
  const ends = argv.indexOf("--");
  const isJson = argv.slice(0, ends < 0 ? argv.length : ends).includes("--json");
  try {
    return await dispatch(argv, isJson, world);
  } catch (error) {
    if (error instanceof Unread) return 0; // Whoever read it has seen enough.
    const code = exitCodeOf(error);
    await complain(world, isJson, error, code === 2 ? hintFor(argv) : "");
    return code;
  }
}

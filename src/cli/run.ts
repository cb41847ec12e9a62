// Runs a command line: finds the command, runs it, prints its error, returns its exit code.

import { VERSION } from "../version.ts";
import type { Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { exitCodeOf, reportError, UsageError } from "./errors.ts";
import { overviewHelp } from "./help.ts";
import { type Io, OutputClosedError } from "./io.ts";
import { quoted } from "./redact.ts";
import { readConfigFile } from "./settings/configFile.ts";
import { checkEnvironment } from "./settings/environment.ts";
import { suggest } from "./settings/suggest.ts";

const isJsonFlag = (word: string): boolean => word === "--json" || word === "-j";

/** Returns the commands of a group: their names begin with the same word. */
function commandsInGroup(group: string): Command[] {
  return COMMANDS.filter(({ name }) => name.startsWith(`${group} `));
}

/** Returns the command whose name a command line begins with. */
function findCommand(argv: readonly string[]): Command | undefined {
  return COMMANDS.find(({ name }) => name.split(" ").every((word, i) => argv[i] === word));
}

function unknownCommandError(words: readonly string[]): UsageError {
  const name = words.join(" ");
  const known = COMMANDS.map((command) => command.name);
  return new UsageError(`unknown command ${quoted(name)}${suggest(name, known)}`);
}

/** Prints the help of a command, of a group, or of all commands. */
async function printHelp(words: readonly string[], io: Io): Promise<number> {
  const command = findCommand(words);
  if (command) return command.run(["--help"], io);
  const group = words.join(" ");
  const commands = group ? commandsInGroup(group) : COMMANDS;
  if (commands.length === 0) throw unknownCommandError(words);
  await io.stdout.write(overviewHelp(commands, group));
  return 0;
}

/** Runs the command of a command line, or prints help or the version. */
async function dispatch(argv: readonly string[], isJson: boolean, io: Io): Promise<number> {
  const command = findCommand(argv);
  if (command) {
    const env = checkEnvironment(io, COMMANDS);
    return command.run(argv.slice(command.name.split(" ").length), { ...io, env });
  }
  const [first = "", second] = argv;
  if (first === "help") {
    const words = argv.slice(1).filter((word) => !isJsonFlag(word));
    return printHelp(words, io);
  }
  if (first === "--help" || first === "-h") return printHelp([], io);
  if (first === "--version") {
    await io.stdout.write(isJson ? `${JSON.stringify({ version: VERSION })}\n` : `${VERSION}\n`);
    return 0;
  }
  const isGroup = commandsInGroup(first).length > 0;
  if (isGroup && (second === "--help" || second === "-h")) return printHelp([first], io);
  if (first === "") throw new UsageError("a command is required");
  if (isGroup && (second === undefined || second.startsWith("-"))) {
    throw new UsageError(`${first} requires a subcommand`);
  }
  if (first.startsWith("-")) throw new UsageError(`the command must come first, got ${quoted(first)}`);
  throw unknownCommandError(isGroup && second !== undefined ? [first, second] : [first]);
}

/** Returns the line of an error that names the help to read. */
function helpHint(argv: readonly string[]): string {
  const [first = ""] = argv;
  const name = findCommand(argv)?.name ?? (commandsInGroup(first).length > 0 ? first : "");
  return `Try \`bitflake ${name}${name && " "}--help\`.`;
}

/** Returns the value of a flag in a command line that is not parsed. */
function rawFlagValue(argv: readonly string[], flag: string): string | undefined {
  const i = argv.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  return argv[i] === flag ? argv[i + 1] : argv[i]?.slice(flag.length + 1);
}

/**
 * Returns whether the log of the command is set to JSON. Then its errors are JSON too, because a program parses each line.
 * The settings are read without validation, because they may be what failed.
 */
async function isLogJson(argv: readonly string[], io: Io): Promise<boolean> {
  const { flags } = findCommand(argv) ?? {};
  const log = flags?.["log"];
  if (!flags || !log) return false;
  const given = rawFlagValue(argv, "--log") ?? (log.env && io.env[log.env]);
  if (given) return given === "json";
  const config = rawFlagValue(argv, "--config");
  const file = readConfigFile(io, flags, config === undefined ? {} : { config: [config] });
  return (await file.catch(() => undefined))?.content["log"] === "json";
}

/**
 * Runs a command line. It never rejects.
 *
 * @param argv the arguments after the name of the program
 * @returns the exit code: 0 for success, 1 for a failure or a negative answer, 2 for wrong usage
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const end = argv.indexOf("--");
  const options = argv.slice(0, end < 0 ? argv.length : end);
  const isJson = options.some(isJsonFlag);
  try {
    return await dispatch(argv, isJson, io);
  } catch (error) {
    if (error instanceof OutputClosedError) return 0;
    const code = exitCodeOf(error);
    await reportError(io, isJson || (await isLogJson(options, io)), error, code === 2 ? helpHint(argv) : "");
    return code;
  }
}

// A command: its words, its settings, its examples, and what it does.

import { ArgumentError, EpochError } from "../internal.ts";
import { quoted, UsageError } from "./errors.ts";
import { commandHelp } from "./help.ts";
import type { Io } from "./io.ts";
import { readConfig } from "./settings/configFile.ts";
import type { FlagTable, SwitchFlag, Values } from "./settings/flagTable.ts";
import { parseArgv } from "./settings/parseArgv.ts";
import { resolveSettings } from "./settings/resolveSettings.ts";

/** A command line to try, and what it prints where that is always the same. */
interface Example {
  readonly run: string;
  readonly output?: string;
}

/** What a command is, for help. */
export interface CommandDescription {
  /** Its words after `bitflake`: `"numeric new"`. */
  readonly name: string;
  /** What it does, in a sentence. */
  readonly summary: string;
  /** What it takes besides flags: one or more of these, or lines of the standard input. */
  readonly args?: string;
  /** What else there is to know, in paragraphs. */
  readonly notes?: readonly string[];
  readonly examples: readonly Example[];
}

/** What a command gets when it is called. */
export interface CommandContext<T extends FlagTable> {
  readonly values: Values<T>;
  /** What each setting is called where it was said. */
  readonly sources: Readonly<Record<string, string>>;
  /** What is no flag. */
  readonly args: readonly string[];
  /** Whether a program reads the output. */
  readonly isJson: boolean;
  readonly io: Io;
}

/** What a command is made of. */
export interface CommandDefinition<T extends FlagTable> extends CommandDescription {
  readonly flags: T;
  /** Does it; resolves to the exit code. */
  run(call: CommandContext<T>): Promise<number>;
}

/** A command, ready to be called. */
export interface Command extends CommandDescription {
  readonly flags: FlagTable;
  /** Parses, validates and does it. */
  run(argv: readonly string[], io: Io): Promise<number>;
}

/** What every command may be told. */
const COMMON_FLAGS: { readonly json: SwitchFlag; readonly help: SwitchFlag } = {
  json: { kind: "switch", description: "for programs: JSON, one object a line", notInFile: true },
  help: { kind: "switch", description: "this text", notInFile: true },
};

/** Turns an error of the library about a setting into one with the name under which it was said. */
function withSettingName(error: unknown, sources: Readonly<Record<string, string>>): unknown {
  if (error instanceof EpochError && sources["epochMs"] !== undefined) {
    return new UsageError(`${sources["epochMs"]} must be in the past, got ${error.epochMs}`);
  }
  if (!(error instanceof ArgumentError)) return error;
  const [, name = "", part = ""] = /^(\w+)(.*)$/s.exec(error.field) ?? [];
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
  if (source === undefined) return error;
  // Of "apiKeys in bitflake.json" it is "apiKeys[1] in bitflake.json".
  const said = source.startsWith(name) ? name + part + source.slice(name.length) : source + part;
  return new UsageError(`${said} must be ${error.rule}, got ${error.value}`, error.code);
}

/** Makes a command. */
export function defineCommand<const T extends FlagTable>(definition: CommandDefinition<T>): Command {
  const { run, ...description } = definition;
  const flags: FlagTable = { ...definition.flags, ...COMMON_FLAGS };
  return {
    ...description,
    flags,
    async run(argv, io) {
      const given = parseArgv(flags, argv);
      if (given.flags["help"]) {
        await io.stdout.write(commandHelp({ ...description, flags }, io.stdout.columns));
        return 0;
      }
      const [first] = given.args;
      if (!definition.args && first !== undefined) {
        throw new UsageError(`${definition.name} takes no arguments, got ${quoted(first)}`);
      }
      const file = await readConfig(io, flags, given.flags);
      const { values, sources } = resolveSettings(flags, { flags: given.flags, env: io.env, file });
      try {
        return await run({
          values: values as unknown as Values<T>,
          sources,
          args: given.args,
          isJson: values["json"] === true,
          io,
        });
      } catch (error) {
        throw withSettingName(error, sources);
      }
    },
  };
}

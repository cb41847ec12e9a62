// Builds a command from its definition: adds the common flags, resolves the settings, names them in errors.

import { ArgumentError, EpochError } from "../internal.ts";
import type { Command, CommandDefinition } from "./command.ts";
import { UsageError } from "./errors.ts";
import { commandHelp } from "./help.ts";
import { quoted } from "./redact.ts";
import { readConfigFile } from "./settings/configFile.ts";
import type { FlagTable, SwitchFlag, Values } from "./settings/flagTable.ts";
import { parseArgv } from "./settings/parseArgv.ts";
import { resolveSettings } from "./settings/resolveSettings.ts";

/** The flags of every command. */
const COMMON_FLAGS: { readonly json: SwitchFlag; readonly help: SwitchFlag } = {
  json: { kind: "switch", short: "j", description: "print JSON, one object per line", notInFile: true },
  help: { kind: "switch", short: "h", description: "print this help", notInFile: true },
};

/** Returns an error of the library about an option as an error about the setting that it came from. */
function withSettingName(error: unknown, sources: Readonly<Record<string, string>>): unknown {
  if (error instanceof EpochError && sources["epochMs"] !== undefined) {
    return new UsageError(`${sources["epochMs"]} must be in the past, got ${error.epochMs}`);
  }
  if (!(error instanceof ArgumentError)) return error;
  const [, name = "", part = ""] = /^(\w+)(.*)$/s.exec(error.field) ?? [];
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
  if (source === undefined) return error;
  // The part follows the name: the second of "apiKeys in bitflake.json" is "apiKeys[1] in bitflake.json".
  const setting = source.startsWith(name) ? name + part + source.slice(name.length) : source + part;
  return new UsageError(`${setting} must be ${error.rule}, got ${error.value}`, error.code);
}

/** Defines a command. */
export function defineCommand<const T extends FlagTable>(definition: CommandDefinition<T>): Command {
  const { run, ...description } = definition;
  const flags: FlagTable = { ...definition.flags, ...COMMON_FLAGS };
  return {
    ...description,
    flags,
    async run(argv, io) {
      const parsed = parseArgv(flags, argv);
      if (parsed.flags["help"]) {
        await io.stdout.write(commandHelp({ ...description, flags }, io.stdout.columns));
        return 0;
      }
      const [first] = parsed.args;
      if (!definition.args && first !== undefined) {
        throw new UsageError(`${definition.name} takes no arguments, got ${quoted(first)}`);
      }
      const file = await readConfigFile(io, flags, parsed.flags);
      const { values, sources } = resolveSettings(flags, { flags: parsed.flags, env: io.env, file });
      try {
        return await run({
          values: values as unknown as Values<T>,
          sources,
          args: parsed.args,
          isJson: values["json"] === true,
          io,
        });
      } catch (error) {
        throw withSettingName(error, sources);
      }
    },
  };
}

// Takes a command line apart: which flags were given, with which text, and what else there is.

import { quoted, UsageError } from "../errors.ts";
import { type FlagTable, flagName } from "./flagTable.ts";
import { suggest } from "./suggest.ts";

/** A command line, taken apart. Nothing is validated but that the flags exist. */
export interface ParsedArgv {
  /** The texts of each flag that was given, by its setting; a switch has none. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  /** What is no flag. */
  readonly args: readonly string[];
}

/**
 * Takes a command line apart.
 *
 * @throws {@link UsageError} for a flag that there is not, lacks its value, has one too many, or comes twice
 */
export function parseArgv(table: FlagTable, argv: readonly string[]): ParsedArgv {
  const names = new Map(Object.keys(table).map((name) => [flagName(name), name]));
  const flags: Record<string, string[]> = {};
  const args: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    if (word === "--") {
      args.push(...argv.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      args.push(word);
      continue;
    }
    const [, flag = word, inline] = /^(--?[^=]*)=(.*)$/s.exec(word) ?? [];
    const name = names.get(flag === "-h" ? "--help" : flag);
    const row = name === undefined ? undefined : table[name];
    if (name === undefined || !row) {
      throw new UsageError(`there is no option ${quoted(flag)}${suggest(flag, [...names.keys()])}`);
    }
    if (row.kind === "list" && row.noFlagReason)
      throw new UsageError(`${flag} is no option: ${row.noFlagReason}`);
    if (Object.hasOwn(flags, name) && row.kind !== "list") throw new UsageError(`${flag} was given twice`);
    flags[name] ??= [];
    if (row.kind === "switch") {
      if (inline !== undefined) throw new UsageError(`${flag} takes no value, got ${quoted(inline)}`);
      continue;
    }
    const next = argv[i + 1];
    const isMissing = inline === undefined && (next === undefined || (next.startsWith("-") && next !== "-"));
    if (isMissing) {
      // What begins with a hyphen is rather the next flag than a value.
      const hint =
        next === undefined || next === "--" ? "" : `; one that begins with a hyphen is written ${flag}=VALUE`;
      throw new UsageError(`${flag} needs a value${hint}`);
    }
    flags[name].push(inline ?? (next as string));
    if (inline === undefined) i++;
  }
  return { flags, args };
}

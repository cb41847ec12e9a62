// Splits a command line into flags and arguments.

import { UsageError } from "../errors.ts";
import { quoted } from "../redact.ts";
import { type Flag, type FlagTable, flagName, flagRows } from "./flagTable.ts";
import { suggest } from "./suggest.ts";

/** A command line in its parts. The values of flags are not validated. */
export interface ParsedArgv {
  /** The values of each flag that is given, by the name of its setting; a switch has no values. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  /** The words that are not flags. */
  readonly args: readonly string[];
}

/** A flag's setting: its name in the table, or its deprecated name. */
interface FlagTarget {
  readonly name: string;
  readonly row: Flag;
}

/** Returns the settings of a table by their flags, short and deprecated ones included. */
function targetsOf(table: FlagTable): ReadonlyMap<string, FlagTarget> {
  const targets = new Map<string, FlagTarget>();
  for (const [name, row] of flagRows(table)) {
    targets.set(flagName(name), { name, row });
    if (row.short !== undefined) targets.set(`-${row.short}`, { name, row });
    const former = row.deprecatedName?.name;
    if (former !== undefined) targets.set(flagName(former), { name: former, row });
  }
  return targets;
}

/** Splits a word into a flag and the value that follows in the same word: `--name=value`, `-n=value` or `-nvalue`. */
function splitWord(
  word: string,
  targets: ReadonlyMap<string, FlagTarget>,
): { readonly flag: string; readonly inline: string | undefined } {
  const [, flag = word, inline] = /^(--?[^=]*)=(.*)$/s.exec(word) ?? [];
  const short = word.slice(0, 2);
  const { row } = targets.get(short) ?? {};
  const isAttached = !targets.has(flag) && row !== undefined && row.kind !== "switch";
  return isAttached ? { flag: short, inline: word.slice(2) } : { flag, inline };
}

/**
 * Splits a command line.
 *
 * @throws {@link UsageError} for an unknown flag, a missing value, a value of a switch, or a flag that is given twice
 */
export function parseArgv(table: FlagTable, argv: readonly string[]): ParsedArgv {
  const targets = targetsOf(table);
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
    const { flag, inline } = splitWord(word, targets);
    const target = targets.get(flag);
    if (!target) {
      const known = flagRows(table).map(([name]) => flagName(name));
      throw new UsageError(`unknown option ${quoted(flag)}${suggest(flag, known)}`);
    }
    const { name, row } = target;
    if (row.noFlagReason) {
      throw new UsageError(`${flag} is not available as a flag: ${row.noFlagReason}`);
    }
    if (Object.hasOwn(flags, name) && row.kind !== "list") throw new UsageError(`${flag} is given twice`);
    flags[name] ??= [];
    if (row.kind === "switch") {
      if (inline !== undefined) throw new UsageError(`${flag} takes no value, got ${quoted(inline)}`);
      continue;
    }
    const next = argv[i + 1];
    const isMissing = inline === undefined && (next === undefined || (next.startsWith("-") && next !== "-"));
    if (isMissing) {
      // A word that begins with a hyphen is more likely the next flag than a value.
      const hint =
        next === undefined || next === "--"
          ? ""
          : `; write a value that begins with a hyphen as ${flag}=VALUE`;
      throw new UsageError(`${flag} requires a value${hint}`);
    }
    flags[name].push(inline ?? (next as string));
    if (inline === undefined) i++;
  }
  return { flags, args };
}

// The command lines that help and the guide show, and what they print.

import { readFileSync } from "node:fs";
import { COMMANDS } from "../../src/cli/commands.ts";

/** A command line as it is shown. */
export interface Shown {
  /** Where it is shown. */
  readonly where: string;
  /** Variables that it sets for itself. */
  readonly env: Readonly<Record<string, string>>;
  /** What comes after `bitflake`. */
  readonly line: string;
  /** What it prints; empty where that is not shown. */
  readonly output: string;
}

/** Takes a shown command line apart. */
function shown(where: string, run: string, output: string): Shown {
  const [, before = "", line = ""] = /^((?:\w+=\S+ )*)bitflake ?(.*)$/.exec(run) ?? [];
  const env = Object.fromEntries(
    [...before.matchAll(/(\w+)=(\S+) /g)].map(([, name, value]) => [name, value]),
  );
  return { where, env, line, output };
}

/** Those in the console blocks of the guide. */
function inGuide(): Shown[] {
  const guide = readFileSync(new URL("../../docs/command-line.md", import.meta.url), "utf8");
  return [...guide.matchAll(/^```console\n(.*?)^```/gms)].flatMap(([, block = ""]) =>
    [...block.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)].map(([, run = "", output = ""]) =>
      shown("the guide", run, output),
    ),
  );
}

/** Those in the help of the commands. */
function inHelp(): Shown[] {
  return COMMANDS.flatMap(({ words, examples }) =>
    examples.map(({ run, output }) => shown(`help ${words}`, run, output === undefined ? "" : `${output}\n`)),
  );
}

/** All of them. */
export const examples: readonly Shown[] = [...inHelp(), ...inGuide()];

/** Whether it takes a server or a file to run one. */
export function needsStore({ line }: Shown): boolean {
  return /^serve|\$|sqlite:/.test(line);
}

/** The file of types that they use, as the guide has it. */
export function typesFile(): string {
  const guide = readFileSync(new URL("../../docs/command-line.md", import.meta.url), "utf8");
  return /`types\.json`:\n\n```json\n(.*?)```/s.exec(guide)?.[1] ?? "";
}

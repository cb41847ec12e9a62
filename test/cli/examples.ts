// The command lines that help and the guide show, and what they print.

import { readFileSync } from "node:fs";
import { COMMANDS } from "../../src/cli/commands.ts";

/** A command line as it is shown. */
export interface ShownCommand {
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
function shown(where: string, run: string, output: string): ShownCommand {
  const [, before = "", line = ""] = /^((?:\w+=\S+ )*)(?:npx )?bitflake ?(.*)$/.exec(run) ?? [];
  const env = Object.fromEntries(
    [...before.matchAll(/(\w+)=(\S+) /g)].map(([, name, value]) => [name, value]),
  );
  return { where, env, line, output };
}

/** A command as a page shows it, and the output that stands below it. */
export interface Command {
  readonly run: string;
  readonly output: string;
}

/** Those in the blocks of a page: in `console` after a dollar, in `sh` each line without its comment. */
export function commandsIn(page: string): Command[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
  const blocks = [...text.matchAll(/^```(console|sh)\n(.*?)^```/gms)];
  return blocks.flatMap(([, kind, block = ""]) =>
    kind === "sh"
      ? block
          .split("\n")
          .map((line) => ({ run: line.replace(/ *#.*/, ""), output: "" }))
          .filter(({ run }) => run !== "")
      : [...block.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)].map(([, run = "", output = ""]) => ({
          run,
          output,
        })),
  );
}

/** Whether a command is one of bitflake's. */
export const isBitflake = ({ run }: Command): boolean => /^(\w+=\S+ )*(npx )?bitflake( |$)/.test(run);

/** Those of bitflake on a page. */
const onPage = (where: string, page: string): ShownCommand[] =>
  commandsIn(page)
    .filter(isBitflake)
    .map(({ run, output }) => shown(where, run, output));

/** Those in the help of the commands. */
function inHelp(): ShownCommand[] {
  return COMMANDS.flatMap(({ name, examples }) =>
    examples.map(({ run, output }) => shown(`help ${name}`, run, output === undefined ? "" : `${output}\n`)),
  );
}

/** All of them. */
export const examples: readonly ShownCommand[] = [
  ...inHelp(),
  ...onPage("the guide", "docs/command-line.md"),
  ...onPage("the README", "README.md"),
];

/** Whether it takes a server or a file to run one. */
export function needsStore({ line }: ShownCommand): boolean {
  return /^serve|\$|sqlite:/.test(line);
}

/** The file of types that they use, as the guide has it. */
export function typesFile(): string {
  const guide = readFileSync(new URL("../../docs/command-line.md", import.meta.url), "utf8");
  return /`types\.json`:\n\n```json\n(.*?)```/s.exec(guide)?.[1] ?? "";
}

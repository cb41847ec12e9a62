// The command lines in help, in docs/command-line.md and in the README, with their output.

import { readFileSync } from "node:fs";
import { COMMANDS } from "../../src/cli/commands.ts";

/** An example. */
export interface Example {
  /** Where it stands. */
  readonly where: string;
  /** The variables that it sets. */
  readonly env: Readonly<Record<string, string>>;
  /** The part after `bitflake`. */
  readonly line: string;
  /** Its output; empty if it is not shown. */
  readonly output: string;
}

/** Parses an example. */
function parseExample(where: string, run: string, output: string): Example {
  const [, before = "", line = ""] = /^((?:\w+=\S+ )*)(?:npx )?bitflake ?(.*)$/.exec(run) ?? [];
  const env = Object.fromEntries(
    [...before.matchAll(/(\w+)=(\S+) /g)].map(([, name, value]) => [name, value]),
  );
  return { where, env, line, output };
}

/** A command on a page, and the output below it. */
export interface Command {
  readonly run: string;
  readonly output: string;
}

/** Returns the commands in the code blocks of a page: in `console` after a dollar, in `sh` each line without its comment. */
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

/** Returns whether a command runs bitflake. */
export const isBitflake = ({ run }: Command): boolean => /^(\w+=\S+ )*(npx )?bitflake( |$)/.test(run);

/** Returns the examples on a page. */
const onPage = (where: string, page: string): Example[] =>
  commandsIn(page)
    .filter(isBitflake)
    .map(({ run, output }) => parseExample(where, run, output));

/** Returns the examples in the help of the commands. */
function inHelp(): Example[] {
  return COMMANDS.flatMap(({ name, examples }) =>
    examples.map(({ run, output }) =>
      parseExample(`help ${name}`, run, output === undefined ? "" : `${output}\n`),
    ),
  );
}

/** All examples. */
export const examples: readonly Example[] = [
  ...inHelp(),
  ...onPage("the guide", "docs/command-line.md"),
  ...onPage("the README", "README.md"),
];

/** Returns whether an example requires a server, a service or a file. */
export function needsStore({ line }: Example): boolean {
  return /^(serve|top)|\$|sqlite:/.test(line);
}

/** Returns the file of types in the guide, which the examples use. */
export function typesFile(): string {
  const guide = readFileSync(new URL("../../docs/command-line.md", import.meta.url), "utf8");
  return /`types\.json`:\n\n```json\n(.*?)```/s.exec(guide)?.[1] ?? "";
}

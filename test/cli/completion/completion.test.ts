// The completion scripts: what a real bash completes, and the syntax of all three. zsh and fish complete where they are
// installed.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { flagName, flagRows } from "../../../src/cli/settings/flagTable.ts";
import { PRESETS } from "../../../src/internal.ts";
import { cli } from "../cliIo.ts";

const folder = mkdtempSync(join(tmpdir(), "bitflake-completion-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "my types.json"), "{}");
writeFileSync(join(folder, "types.json"), "{}");

const SHELLS = ["bash", "zsh", "fish"] as const;
const [, zsh, fish] = SHELLS;
const isInstalled = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;

/** The scripts, by shell. */
const scripts: Record<string, string> = {};
beforeAll(async () => {
  for (const shell of SHELLS) {
    scripts[shell] = (await cli(`completion ${shell}`)).out;
    writeFileSync(join(folder, `script.${shell}`), scripts[shell]);
  }
});

/** Returns the flags of a command, in the order of its table. */
function flagsOf(name: string): string[] {
  const { flags } = COMMANDS.find((command) => command.name === name) as (typeof COMMANDS)[number];
  return flagRows(flags)
    .filter(([, flag]) => !("noFlagReason" in flag))
    .flatMap(([key, { short }]) => (short ? [flagName(key), `-${short}`] : [flagName(key)]));
}

const firstWords = [...new Set(COMMANDS.map(({ name }) => name.split(" ")[0] as string))];

/** What each line completes to: the last word is the one under the cursor. */
const CASES: readonly (readonly [words: string, found: () => readonly string[]])[] = [
  ["bitflake ", () => [...firstWords, "help", "--help", "--version"]],
  ["bitflake de", () => ["decode"]],
  ["bitflake --v", () => ["--version"]],
  ["bitflake numeric ", () => ["new", "check"]],
  ["bitflake pool st", () => ["status"]],
  ["bitflake help ra", () => ["random", "range"]],
  ["bitflake new ", () => flagsOf("new")],
  ["bitflake new --ep", () => ["--epoch-ms", "--epoch"]],
  ["bitflake decode --pre", () => ["--preset", "--prefix"]],
  ["bitflake decode ", () => []],
  ["bitflake new --format ", () => ["decimal", "hex", "base32", "base58", "base62"]],
  ["bitflake new -f base", () => ["base32", "base58", "base62"]],
  ["bitflake new --json --format h", () => ["hex"]],
  ["bitflake capacity -p ", () => Object.keys(PRESETS)],
  ["bitflake new --count ", () => []],
  ["bitflake new --json --c", () => ["--count"]],
  ["bitflake numeric new --ru", () => ["--rules"]],
  ["bitflake numeric check --rules ", () => ["openg2p", "mosip"]],
  [
    "bitflake numeric new --types ",
    () => ["my types.json", "types.json", "script.bash", "script.fish", "script.zsh"],
  ],
  ["bitflake pool fill --types my", () => ["my types.json"]],
  ["bitflake serve --config ty", () => ["types.json"]],
  ["bitflake serve --api", () => []],
  ["bitflake completion ", () => ["bash", "zsh", "fish"]],
  ["bitflake completion f", () => ["fish"]],
  ["bitflake nonsense ", () => []],
  ["bitflake nonsense --", () => []],
];

/** Returns what bash completes at the end of a line. */
function completeInBash(words: readonly string[]): string[] {
  const program = `source ./script.bash
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_bitflake bitflake "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync("bash", ["--norc", "-uc", program, "bash", ...words], {
    cwd: folder,
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.split("\n").filter((word) => word !== "");
}

describe.skipIf(!isInstalled("bash"))("bash", () => {
  test.each(CASES)("completes %j", (line, found) => {
    expect(completeInBash(line.split(" ")).sort()).toEqual([...found()].sort());
  });

  test("completes a value after an equals sign, which is a word of its own in bash", () => {
    const head = ["bitflake", "new", "--format"];
    expect(completeInBash([...head, "="])).toEqual(["decimal", "hex", "base32", "base58", "base62"]);
    expect(completeInBash([...head, "=", "he"])).toEqual(["hex"]);
  });

  test("has the function as the completion of bitflake", () => {
    const { stdout } = spawnSync("bash", ["--norc", "-c", "source ./script.bash; complete -p bitflake"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stdout).toBe("complete -F _bitflake bitflake\n");
  });

  test("accepts the syntax of the script for zsh as well", () => {
    for (const shell of ["bash", "zsh"]) {
      expect(spawnSync("bash", ["-n", join(folder, `script.${shell}`)], { encoding: "utf8" }).stderr).toBe(
        "",
      );
    }
  });
});

for (const shell of ["zsh", "fish"].filter(isInstalled)) {
  test(`${shell} accepts the syntax of its script`, () => {
    const { status, stderr } = spawnSync(shell, ["-n", join(folder, `script.${shell}`)], {
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
  });
}

/** The lines that fish and zsh complete in the same way. Fish offers options after a hyphen alone. */
const COMMON = CASES.filter(([line]) => !/nonsense|new $/.test(line));

if (isInstalled(fish)) {
  test.each(COMMON)("fish completes %j", (line, found) => {
    const program = `source ./script.fish; complete -C '${line}'`;
    const { stdout } = spawnSync(fish, ["--no-config", "-c", program], { cwd: folder, encoding: "utf8" });
    const words = stdout.split("\n").map((row) => row.split("\t")[0]?.replace("\\ ", " "));
    expect(words).toEqual(expect.arrayContaining([...found()]));
    if (found().length === 0) expect(words).toEqual([""]);
  });
}

if (isInstalled(zsh)) {
  /** The functions of zsh's completion, which print the words that they would offer. */
  const stubs = `compdef() {}
compset() {}
_message() {}
_files() { print -rl -- *(N) }
compadd() { if [[ $1 == -a ]]; then print -rl -- "\${(@P)2}"; else shift; print -rl -- "$@"; fi }
_describe() { local list=$argv[-1]; print -rl -- "\${(@)\${(@P)list}%%:*}" }`;

  test.each(COMMON)("zsh completes %j", (line, found) => {
    const program = `${stubs}\nsource ./script.zsh\nwords=("$@"); CURRENT=$#; _bitflake`;
    const given = line.split(" ");
    const { stdout, stderr } = spawnSync(zsh, ["-fc", program, "zsh", ...given], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    // zsh itself selects the words that begin as the last one does, and options only after a hyphen if there are others.
    const last = given.at(-1) as string;
    const words = stdout.split("\n").filter((word) => word !== "" && word.startsWith(last));
    expect(words).toEqual(expect.arrayContaining([...found()]));
    if (last !== "" && found().length > 0) expect(words.sort()).toEqual([...found()].sort());
  });
}

describe.each(SHELLS)("the script for %s", (shell) => {
  test("has every command and every option, and no quote that stays open", () => {
    const script = scripts[shell] as string;
    for (const { name } of COMMANDS) {
      for (const word of name.split(" ")) expect(script).toContain(word);
      for (const flag of flagsOf(name)) {
        const written = {
          bash: flag,
          zsh: `'${flag}:`,
          fish: flag.replace(/^--/, "-l ").replace(/^-(?!l )/, "-s "),
        };
        expect(script).toContain(written[shell]);
      }
    }
    // The rest after all quoted strings, with the quotes of each shell escaped in its way.
    const quoted = shell === "fish" ? /'(?:[^'\\]|\\.)*'/g : /'[^']*'/g;
    for (const line of script.split("\n").filter((line) => !line.startsWith("#"))) {
      const plain = shell === "fish" ? line : line.replaceAll("\\''", "'");
      expect(plain.replace(quoted, "")).not.toContain("'");
    }
  });

  test("starts no process", () => {
    expect(scripts[shell]?.replace(/^#.*$/gm, "")).not.toMatch(/\(bitflake/);
  });
});

test("the script is an object in JSON", async () => {
  expect(JSON.parse((await cli("completion bash --json")).out)).toEqual({ script: scripts["bash"] });
});

test.each([
  ["completion", "completion requires one shell of bash, zsh, fish, got nothing"],
  ["completion sh", 'completion requires one shell of bash, zsh, fish, got "sh"'],
  ["completion bash zsh", 'completion requires one shell of bash, zsh, fish, got "bash zsh"'],
])("%s is wrong usage", async (line, message) => {
  const { code, err } = await cli(line);
  expect([code, err]).toEqual([2, expect.stringContaining(`error: ${message}\n`)]);
});

// docs/llms.txt, the index for language models: it names every entry point, every export and every command.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { root } from "./snippet.ts";

const index = readFileSync(join(root, "docs/llms.txt"), "utf8");
const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };
/** The entries of the package with their sources, as test/package/jsr.test.ts asserts. */
const { exports } = JSON.parse(readFileSync(join(root, "jsr.json"), "utf8")) as {
  exports: Readonly<Record<string, string>>;
};

/** Returns the section of an entry point, or nothing. */
function sectionOf(title: string): string {
  return index.split(/^### /m).find((section) => section.startsWith(`${title}\n`)) ?? "";
}

test("the package contains the index", () => {
  expect(files).toContain("docs/llms.txt");
});

test("the index begins with a title and a summary, as the convention requires", () => {
  expect(index).toMatch(/^# bitflake\n\n> .+\n\n/);
});

describe.each(Object.entries(exports))("the section of %s", (path, source) => {
  const title = `bitflake${path.slice(1)}`;

  test("names every function, class and codec that the entry point exports", async () => {
    const names = Object.keys(await import(pathToFileURL(join(root, source)).href)).filter(
      (name) => !/Error$|^PRESET_/.test(name),
    );
    const section = sectionOf(title);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(section))).toEqual([]);
  });
});

test("the section on the command line names every command", () => {
  const section = sectionOf("Command line");
  expect(COMMANDS.map(({ name }) => name).filter((name) => !section.includes(name))).toEqual([]);
});

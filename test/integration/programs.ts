// Programs of a guide, and a folder in which they find their packages.

import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../docs/snippet.ts";

/** Returns the programs by the file name in their first line, in the order of the guide. */
export function programsOf(guide: string): Record<string, string> {
  const text = readFileSync(join(root, guide), "utf8");
  const blocks = [...text.matchAll(/^```js\n(.*?)^```/gms)].map(([, code = ""]) => code);
  return Object.fromEntries(blocks.map((code) => [/^\/\/ (\S+)\n/.exec(code)?.[1] ?? "", code]));
}

/** Writes files into a temporary folder, with the built package and some clients of the tests. */
export function makeProject(files: Readonly<Record<string, string>>, ...clients: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-guides-"));
  const packages = join(folder, "node_modules");
  mkdirSync(packages);
  symlinkSync(root, join(packages, "bitflake"), "junction");
  for (const name of clients) {
    const client = fileURLToPath(new URL(`node_modules/${name}`, import.meta.url));
    symlinkSync(client, join(packages, name), "junction");
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

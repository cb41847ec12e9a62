// The README: its length, its sections and its diagram.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { root } from "./snippet.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");

test("the README shows the diagram that docs/diagram.mjs draws", async () => {
  const { diagram } = (await import(pathToFileURL(join(root, "docs/diagram.mjs")).href)) as {
    diagram(widths: object, id?: bigint): string;
  };
  const twitter = { timestampBits: 41, datacenterBits: 5, machineBits: 5, sequenceBits: 12 };
  expect(readme).toContain(`\n${diagram(twitter, 911780371413233664n)}\n`);
  const odd = { timestampBits: 53, datacenterBits: 0, machineBits: 1, sequenceBits: 9 };
  const [first, ...rest] = diagram(odd).split("\n");
  expect(rest.map((line) => line.length)).toEqual(rest.map(() => first?.length));
  expect(rest.join()).toContain("bit 9");
});

test("the README has its sections in the agreed order", () => {
  const titles = [...readme.matchAll(/^## (.*)$/gm)].map((match) => match[1]);
  expect(titles).toEqual([
    "Who repeats IDs",
    "Node IDs",
    "Presets and options",
    "Modules",
    "Service and command line",
    "Guarantees",
    "Ten figures",
    "Try it from a clone",
    "License",
  ]);
});

test("the README has at most 250 lines", () => {
  expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(250);
});

test("the README has a row for each entry point of the package, with a link to its guide", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
  const entries = Object.keys(exports)
    .filter((path) => path !== "./package.json")
    .map((path) => `bitflake${path.slice(1)}`);
  const rows = [...readme.matchAll(/^\| `(bitflake[\w/]*)` \| .* \| \[.*\]\(docs\/[\w-]+\.md\) \|$/gm)];
  expect(rows.map((match) => match[1]).sort()).toEqual(entries.sort());
});

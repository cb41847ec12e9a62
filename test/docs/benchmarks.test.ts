// The ten figures of the README, compared with the page that the bench writes.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./snippet.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");
const page = readFileSync(join(root, "docs/benchmarks.md"), "utf8");

/** Returns the rows of the table below "Ten figures". */
const figures = (text: string) => /^## Ten figures\n[^|]*((?:\|.*\n)+)/m.exec(text)?.[1]?.trim().split("\n");

test("the README's ten figures are those of docs/benchmarks.md", () => {
  expect(figures(page)).toHaveLength(12);
  expect(figures(readme), "run `npm run bench -- --write`, which writes both").toEqual(figures(page));
});

test("the README says when and where docs/benchmarks.md was measured", () => {
  const [sentence = ""] = /Measured on .*?\)\./.exec(page) ?? [];
  expect(sentence).toMatch(/^Measured on \d+ \w+ \d{4} with Node [\d.]+ on \d+ cores \(.+\)\.$/);
  expect(readme).toContain(sentence);
});

// The mutants of the spec are those of the model checker, and each one still fits the text of the spec.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mutate, specMutants } from "../proof/mutants.ts";
import { constantsOf } from "../proof/replay.ts";
import { harmfulMutants } from "./model/mutants.ts";

const textOf = (file: string) => readFileSync(new URL(`../proof/${file}.qnt`, import.meta.url), "utf8");

test("the mutants have the titles of those of the model checker", () => {
  expect(specMutants.map(({ title }) => title)).toEqual(harmfulMutants.map(({ title }) => title));
});

test.each(specMutants)("$title: each change occurs once in the spec", (mutant) => {
  const text = textOf(mutant.file);
  expect(mutate(text, mutant)).not.toBe(text);
});

test("a change that does not occur in the spec is an error", () => {
  const [mutant] = specMutants;
  expect(() => mutate("module rule {}", mutant as (typeof specMutants)[number])).toThrow("occurs 0 times");
});

test("each mutant names a module with constants", () => {
  const modules = constantsOf(textOf("lease"));
  expect(specMutants.filter(({ module }) => !modules.has(module))).toEqual([]);
  expect(modules.get("copied")).toMatchObject({ PROCESSES: 3, COPIES: 1, TELLS: false });
});

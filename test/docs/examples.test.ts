// Every example in the README, the guides and the doc comments: it compiles, it runs, and `// => value` is what comes out.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { afterAll, describe, expect, test } from "vitest";
import { root, run } from "./snippet.ts";

const folder = mkdtempSync(join(tmpdir(), "bitflake-examples-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Example {
  readonly name: string;
  readonly code: string;
}

/** All files below a folder of the repository with one of the endings. */
function files(under: string, ending: string): string[] {
  return readdirSync(join(root, under), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending) && !file.startsWith("api"))
    .map((file) => join(root, under, file));
}

/** The fenced examples of a file; in a doc comment, each line has a star before it. */
function examplesOf(path: string): Example[] {
  const text = readFileSync(path, "utf8").replace(/^[ \t]*\* ?/gm, path.endsWith(".ts") ? "" : "$&");
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map((match, index) => ({
    name: `${relative(root, path)}, example ${index + 1}`,
    code: match[1] as string,
  }));
}

const examples = [join(root, "README.md"), ...files("docs", ".md"), ...files("src", ".ts")].flatMap(
  examplesOf,
);

/** What the compiler has to say about all examples together, by example. */
function diagnostics(): Map<string, string[]> {
  const paths = examples.map((_, index) => join(folder, `example-${index}.ts`));
  for (const [index, { code }] of examples.entries()) writeFileSync(paths[index] as string, code);
  const program = ts.createProgram(paths, {
    noEmit: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
    paths: { bitflake: [join(root, "dist/index.d.ts")], "bitflake/*": [join(root, "dist/*.d.ts")] },
    skipLibCheck: true,
  });
  const found = new Map<string, string[]>();
  for (const { file, messageText } of ts.getPreEmitDiagnostics(program)) {
    const name = examples[paths.indexOf(file?.fileName ?? "")]?.name ?? "somewhere else";
    found.set(name, [...(found.get(name) ?? []), ts.flattenDiagnosticMessageText(messageText, "\n")]);
  }
  return found;
}

describe("examples", () => {
  test("are found where they are", () => {
    expect(examples.length).toBeGreaterThan(25);
  });

  test("compile", () => {
    expect(diagnostics()).toEqual(new Map());
  });

  test.each(examples)("$name", ({ code }) => run(code));
});

describe("the README", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");

  test("shows the diagram that docs/diagram.mjs draws", async () => {
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

  test("has every section, in the agreed order", () => {
    const titles = [...readme.matchAll(/^## (.*)$/gm)].map((match) => match[1]);
    expect(titles).toEqual([
      "The bits of an ID",
      "Presets",
      "When something goes wrong",
      "Options",
      "IDs in JSON and databases",
      "Text forms",
      "Threads",
      "Many processes",
      "Counters",
      "Numeric IDs",
      "Once and no more",
      "Rate limits",
      "Over HTTP",
      "On the command line",
      "Testing with fake timers",
      "Migrating",
      "Figures",
      "License",
    ]);
  });

  test("links only to files that exist", () => {
    for (const [, target] of readme.matchAll(/\]\((?!https?:|#)([^)]+)\)/g))
      readFileSync(join(root, (target as string).replace(/#.*/, "")));
  });
});
